"""A play: what the playground's form holds, in an address and as a story."""

import base64
import json
import re
import zlib
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from experience_runtime.domain.errors import InvalidParameter
from experience_runtime.domain.payloads import read_json
from experience_runtime.domain.visitors import make_visitor
from experience_runtime.simulation.story import (
    CancelStep,
    ConvertStep,
    EmitStep,
    RunStep,
    Story,
    parse_story,
)

LONGEST_MOMENT_MS = 30 * 86_400_000
MOST_STEPS = 50
LONGEST_SOURCE = 100_000
LONGEST_STORY = 200_000
LONGEST_ADDRESS = 6_000
_MOST_BYTES = 400_000
_PAGE = {"events", "state", "browser", "cookies", "keep_state"}


class PlayStep(BaseModel):
    """Something that happens `after` so many milliseconds from the start."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    after: int = Field(ge=0, le=LONGEST_MOMENT_MS)
    do: Literal["run", "emit", "convert", "cancel"]
    type: str = Field(default="", max_length=200)
    data: str = Field(default="", max_length=20_000)
    event: str = Field(default="", max_length=200)
    integration: str = Field(default="", max_length=200)
    key: str = Field(default="", max_length=5_000)
    reason: str = Field(default="", max_length=1_000)
    visitor: str = Field(default="", max_length=400)

    @property
    def words(self) -> str:
        who = f" for {self.visitor}" if self.visitor else ""
        match self.do:
            case "run":
                return f"the experience runs again{who}"
            case "emit":
                return f"event {self.type}{who}"
            case "convert":
                return f"conversion {self.event}".rstrip() + who
            case _:
                return f"cancel {self.integration} {self.key}{who}"


class Play(BaseModel):
    """Everything that decides what is seen. Texts are as typed; `moment` is how far time has moved.

    `told` is the text of a story.json: then it says who does what when, and the fields from `visitor` to
    `answers` are left out. The steps come on top; `by` is who does the next one.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    experience: str = Field(default="", max_length=100)
    variation: str = Field(default="", max_length=200)
    source: str = Field(default="", max_length=LONGEST_SOURCE)
    triggers: str = Field(default="", max_length=LONGEST_SOURCE)
    repair: bool = False
    visitor: str = Field(default="visitor-1", max_length=400)
    timezone: str = Field(default="", max_length=100)
    at: str = Field(default="", max_length=100)
    data: str = Field(default="", max_length=20_000)
    page: str = Field(default="", max_length=80_000)
    answers: str = Field(default="", max_length=20_000)
    told: str = Field(default="", max_length=LONGEST_STORY)
    by: str = Field(default="", max_length=400)
    moment: int = Field(default=0, ge=0, le=LONGEST_MOMENT_MS)
    steps: tuple[PlayStep, ...] = Field(default=(), max_length=MOST_STEPS)

    def address(self) -> str:
        """The play as the text of an address; one may be too long for that."""
        text = self.model_dump_json(exclude_defaults=True).encode("utf-8", "surrogatepass")
        return base64.urlsafe_b64encode(zlib.compress(text, 9)).decode("ascii").rstrip("=")

    def story(self) -> dict[str, Any]:
        """The play as `story.json` has it. Raises the Refusal of what cannot be read."""
        if self.told.strip():
            return self._told()
        visitor = self.visitor or None
        known = make_visitor(visitor, timezone=self.timezone.strip() or None)
        run: dict[str, Any] = {"do": "run"} | _of(visitor)
        if self.data.strip():
            run["data"] = read_json(self.data, "the data")
        if self.page.strip():
            run |= _page(read_json(self.page, "what the page tells"))
        story: dict[str, Any] = {"for": "30d"}
        if self.experience and self.variation.strip():
            story["variation"] = self.variation.strip()
        if self.at.strip():
            story["at"] = self.at.strip()
        if visitor is not None:
            zone = {} if known.timezone is None else {"timezone": known.timezone}
            story["visitors"] = [{"id": visitor} | zone]
        story["steps"] = [run, *(_step(step, step.visitor or visitor) for step in self.steps)]
        if self.answers.strip():
            story["answers"] = read_json(self.answers, "the text of the answers")
        return story

    def _told(self) -> dict[str, Any]:
        story = read_json(self.told, "the story")
        if not isinstance(story, dict):
            raise InvalidParameter('the story is not an object; write {"steps": [{"do": "run"}]}')
        own = [_step(step, step.visitor or None) for step in self.steps]
        steps = story.get("steps", [])
        if own and isinstance(steps, list):
            story["steps"] = [*steps, *own]
        return story

    def as_told(self) -> "Play":
        """The same play, told as the text of a story."""
        text = json.dumps(self.story(), ensure_ascii=False, indent=2)
        fresh = dict.fromkeys(("variation", "visitor", "timezone", "at", "data", "page", "answers"), "")
        return make_play(self.model_dump() | fresh | {"told": text, "steps": ()})


def happenings(story: Story, began_at: datetime) -> list[tuple[datetime, str]]:
    """Each step of a story with its instant, in words, as the story has them."""
    ran: set[str | None] = set()
    told = []
    for at, step in zip(story.step_instants(began_at), story.steps, strict=True):
        match step:
            case RunStep():
                words = "the experience runs again" if step.visitor in ran else "the experience runs"
                ran.add(step.visitor)
            case EmitStep():
                words = f"event {step.type}"
            case ConvertStep():
                words = f"conversion {step.event or ''}".rstrip()
            case CancelStep():
                key = step.key if isinstance(step.key, str) else json.dumps(step.key, ensure_ascii=False)
                words = f"cancel {step.integration} {key}"
        told.append((at, words + (f" for {step.visitor}" if step.visitor else "")))
    return told


def visitors_of(story: Story) -> list[str]:
    """Whom a story tells of, in its order."""
    named = [each.id for each in story.visitors] + [each.visitor for each in story.steps if each.visitor]
    return list(dict.fromkeys(named))


def read_play(text: str) -> Play:
    """Read an address back. Raises InvalidParameter."""
    if not text:
        return Play()
    try:
        packed = base64.urlsafe_b64decode(text[: 2 * LONGEST_ADDRESS] + "=" * (-len(text) % 4))
        unpacking = zlib.decompressobj()
        content = unpacking.decompress(packed, _MOST_BYTES)
        if unpacking.unconsumed_tail:
            raise ValueError("too long")
        return Play.model_validate_json(content)
    except (ValueError, zlib.error):  # ValidationError is a ValueError
        raise InvalidParameter(
            "the address holds no play that can be read; copy the whole address, or begin anew"
        ) from None


def make_play(fields: dict[str, Any]) -> Play:
    """A play of what was typed. Raises InvalidParameter naming the field."""
    try:
        return Play.model_validate(fields)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = " ".join(str(part) for part in first["loc"])
        raise InvalidParameter(f"{where}: {first['msg']}") from None


_BEGINNINGS = {
    "the data": "data",
    "what the page tells": "page",
    "the text of the answers": "answers",
    "the story": "told",
    "the event's data": "emit_type",
    "the event": "emit_type",
    "the key": "cancel_key",
    "cancel needs": "cancel_key",
    "timezone": "timezone",
    "delay": "forward",
    "time would": "forward",
    "time ": "at",
}


_PLACED = re.compile(r"(steps|visitors|expect)\[|answers\.|(at|for): ")
"""The place in a story that somebody wrote."""


def field_of(message: str) -> str:
    """The id of the field that a refusal is about, by how it begins; "" where that tells none."""
    if _PLACED.match(message):
        return "told"
    return next((field for begins, field in _BEGINNINGS.items() if message.startswith(begins)), "")


def read_story(story: dict[str, Any], *, is_told: bool) -> Story:
    """The story of a play. Raises InvalidParameter naming the place."""
    return parse_story(story, where="the story", is_written=is_told)


def _step(step: PlayStep, visitor: str | None) -> dict[str, Any]:
    made: dict[str, Any] = {"after": step.after, "do": step.do} | _of(visitor)
    match step.do:
        case "emit":
            made["type"] = step.type
            if step.data.strip():
                made["data"] = read_json(step.data, "the event's data")
        case "convert":
            if visitor is None:
                raise InvalidParameter("a conversion needs a visitor; say for whom it is")
            if step.event:
                made["event"] = step.event
        case "cancel":
            made |= {"integration": step.integration, "key": _key(step.key)}
            if step.reason:
                made["reason"] = step.reason
    return made


def _page(told: Any) -> dict[str, Any]:
    """What the page tells, each under its name. Raises InvalidParameter."""
    if not isinstance(told, dict) or told.keys() - _PAGE:
        raise InvalidParameter(
            "what the page tells is an object of events, state, keep_state, browser and cookies; write for "
            "instance "
            '{"browser": {"url": "https://shop.example/"}}'
        )
    return told


def _key(text: str) -> Any:
    """A key as typed: a JSON object, or a plain text."""
    try:
        return json.loads(text) if text.lstrip().startswith(("{", '"', "[")) else text
    except ValueError:
        return read_json(text, "the key")


def _of(visitor: str | None) -> dict[str, str]:
    return {} if visitor is None else {"visitor": visitor}
