"""Stories: a scripted scenario for QA, as story.json has it. Source: reference/stories."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, PrivateAttr, StrictBool, StrictInt, ValidationError, model_validator

from experience_runtime.domain.durations import parse_delay
from experience_runtime.domain.errors import InvalidParameter, MissingParameter, Refusal
from experience_runtime.domain.instants import parse_start, parse_time
from experience_runtime.domain.json_faults import json_fault
from experience_runtime.domain.page_facts import NO_FACTS, PageFacts, read_page_facts
from experience_runtime.domain.values import refuse_constant, shown
from experience_runtime.domain.visitor_events import check_event_data, check_event_type
from experience_runtime.domain.visitors import Visitor, make_visitor
from experience_runtime.simulation.expected import Expectation, Part, ScriptedAnswer
from experience_runtime.simulation.story_errors import first_error


class StoryVisitor(Part):
    id: str
    timezone: str | None = None
    timezone_offset: StrictInt | None = None
    state: Mapping[str, Any] = Field(default_factory=dict)


class Event(Part):
    type: str
    data: Any = Field(default_factory=dict)


class _Step(Part):
    """When it happens: `at` an instant, or `after` a duration; neither: at the story's start.

    A duration counts from the story's start, one with a plus ("+1h") from the step before.
    """

    at: str | None = None
    after: str | StrictInt | None = None
    visitor: str | None = None

    @model_validator(mode="after")
    def _one_time(self) -> "_Step":
        if self.at is not None and self.after is not None:
            raise ValueError("a step has `at` or `after`, not both")
        return self


class RunStep(_Step):
    """Run the experience for the visitor; the fields below `data` are those of `PageFacts`.

    `new_page`: the visitor left the page before, and what only listened there ends.
    """

    do: Literal["run"]
    new_page: StrictBool = False
    data: Any = None
    events: tuple[Event, ...] = ()
    state: Mapping[str, Any] = Field(default_factory=dict)
    browser: Mapping[str, Any] | None = None
    cookies: Mapping[str, str] = Field(default_factory=dict)
    keep_state: StrictBool = False

    def facts(self, state: Mapping[str, Any]) -> PageFacts:
        """What the page tells, with the visitor's `state`. Raises the Refusal of what cannot be."""
        return read_page_facts(
            events=[each.model_dump() for each in self.events],
            state=dict(state),
            browser=None if self.browser is None else dict(self.browser),
            cookies=dict(self.cookies),
            keep_state=self.keep_state,
        )


class EmitStep(_Step):
    """An event of the page: listeners of the visitor's open runs hear it, and it may be a conversion."""

    do: Literal["emit"]
    type: str
    data: Any = Field(default_factory=dict)


class ConvertStep(_Step):
    do: Literal["convert"]
    visitor: str
    event: str | None = None


class CancelStep(_Step):
    do: Literal["cancel"]
    integration: str
    key: Any
    reason: str | None = None
    scope: str | None = None


Step = Annotated[RunStep | EmitStep | ConvertStep | CancelStep, Field(discriminator="do")]


class Story(Part):
    schema_: str | None = Field(default=None, alias="$schema")
    at: str | None = None
    horizon: str | StrictInt = Field(default="30d", alias="for")
    visitors: tuple[StoryVisitor, ...] = ()
    steps: tuple[Step, ...] = ()
    answers: Mapping[str, tuple[ScriptedAnswer, ...]] = Field(default_factory=dict)
    expect: tuple[Expectation, ...] = ()
    allow_others: StrictBool = False
    variation: str | None = None
    _is_written: bool = PrivateAttr(default=False)  # by a person, who is told the place of what is wrong
    _instants: tuple[datetime, tuple[datetime, ...]] | None = PrivateAttr(
        default=None
    )  # of the steps, for a beginning

    @contextmanager
    def _place(self, path: str) -> Iterator[None]:
        try:
            yield
        except Refusal as refusal:
            if not self._is_written:
                raise
            raise type(refusal)(f"{path}: {refusal.message}") from None

    def starts_at(self, otherwise: datetime) -> datetime:
        with self._place("at"):
            return otherwise if self.at is None else parse_start(self.at, now=otherwise)

    def horizon_ms(self, began_at: datetime) -> int:
        """How long to watch; left out, 30 days, and at least until the last instant that is expected."""
        with self._place("for"):
            given = parse_delay(self.horizon)
        expected = []
        for index, each in enumerate(self.expect):
            if each.due_at is not None:
                with self._place(f"expect[{index}].due_at"):
                    expected.append(parse_time(each.due_at, now=began_at).at)
        if "horizon" in self.model_fields_set:
            return given
        last = max(expected, default=began_at) - began_at + timedelta(minutes=1)
        return max(given, last // timedelta(milliseconds=1))

    def step_instants(self, began_at: datetime) -> list[datetime]:
        """When each step happens, in the order they are written in."""
        if self._instants is not None and self._instants[0] == began_at:
            return list(self._instants[1])
        found: list[datetime] = []
        for index, step in enumerate(self.steps):
            with self._place(f"steps[{index}].{'after' if step.at is None else 'at'}"):
                found.append(_instant(step, began_at, found[-1] if found else began_at))
        self._instants = began_at, tuple(found)
        return found

    def check_visitors(self) -> None:
        """Raise the Refusal of a zone that is none, or of an id that two have."""
        ids = [each.id for each in self.visitors]
        for index, each in enumerate(self.visitors):
            with self._place(f"visitors[{index}]"):
                make_visitor(each.id, timezone=each.timezone, timezone_offset=each.timezone_offset)
                if each.id in ids[:index]:
                    raise InvalidParameter(
                        f"{shown(each.id)} is a visitor already, at visitors[{ids.index(each.id)}]; "
                        "give each an id of its own"
                    )

    def check_steps(self) -> None:
        """Raise the Refusal of what a step tells and nobody can."""
        for index, step in enumerate(self.steps):
            with self._place(f"steps[{index}]"):
                if isinstance(step, RunStep):
                    if step.keep_state and not step.state:
                        raise MissingParameter(
                            "a step has keep_state and no state; give it what is to be kept"
                        )
                    if step.keep_state and step.visitor is None:
                        raise InvalidParameter("a step has keep_state and no visitor; name whose state it is")
                    step.facts(step.state)
                if isinstance(step, EmitStep):
                    check_event_type(step.type)
                    check_event_data(step.data)

    @property
    def others_fail(self) -> bool:
        """Whether an execution that nobody expects is a difference: once anything is expected."""
        return "expect" in self.model_fields_set and not self.allow_others


def _instant(step: _Step, began_at: datetime, before: datetime) -> datetime:
    if step.at is not None:
        return parse_time(step.at, now=began_at).at
    if isinstance(step.after, str) and step.after.lstrip().startswith("+"):
        return before + timedelta(milliseconds=parse_delay(step.after.lstrip()[1:].lstrip()))
    return began_at + timedelta(milliseconds=parse_delay(step.after or 0))


def load_story(path: Path) -> Story:
    """Read a story. Raises InvalidParameter that names the file, the place and the fix."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InvalidParameter(f"{path} cannot be read: {error.strerror}; name a story.json") from None
    except UnicodeDecodeError:
        raise InvalidParameter(f"{path} is not UTF-8; save the file as UTF-8") from None
    return read_story_text(text, where=str(path))


def read_story_text(text: str, *, where: str) -> Story:
    """Read the text of a story. Raises InvalidParameter; `where` names it."""
    try:
        content = json.loads(text, parse_constant=refuse_constant)
    except (ValueError, RecursionError) as error:
        raise InvalidParameter(f"{where} is not JSON: {json_fault(error)}") from None
    return parse_story(content, where=where)


def parse_story(content: object, *, where: str, is_written: bool = True) -> Story:
    """Read a story's JSON value. Raises InvalidParameter; `where` names it.

    `is_written`: by somebody who is told the places in it; else it was made of what a form says.
    """
    try:
        story = Story.model_validate(content)
    except ValidationError as error:
        raise InvalidParameter(f"{where}: {first_error(error, Story, content)}") from None
    story._is_written = is_written
    return story


def one_run(visitor: Visitor, data: Any, facts: PageFacts = NO_FACTS) -> Story:
    """The story of one run for one visitor."""
    told = {name: getattr(facts, name) for name in ("events", "state", "browser", "cookies", "keep_state")}
    known = (
        []
        if visitor.id is None
        else [{"id": visitor.id, "timezone": visitor.timezone, "timezone_offset": visitor.timezone_offset}]
    )
    return Story.model_validate(
        {"visitors": known, "steps": [{"do": "run", "visitor": visitor.id, "data": data, **told}]}
    )


def check_playable(story: Story, now: datetime) -> None:
    """Raise the Refusal of a story that runs nothing, goes on past the calendar, or tells what nobody can."""
    if not any(isinstance(step, RunStep) for step in story.steps):
        raise InvalidParameter('the story runs nothing; give it a step {"do": "run"}')
    story.check_visitors()
    story.check_steps()
    try:
        began_at = story.starts_at(now)
        began_at + timedelta(milliseconds=story.horizon_ms(began_at))
        story.step_instants(began_at)
    except OverflowError:
        raise InvalidParameter("the story goes on past the year 9999; shorten its for and after") from None
