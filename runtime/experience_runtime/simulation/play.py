"""Play: the one way to a simulation, for the command line, the API and the playground."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from experience_runtime.clocks import monotonic
from experience_runtime.documents.documents import Redact
from experience_runtime.domain.clients import Client
from experience_runtime.domain.errors import InvalidParameter, LimitWall
from experience_runtime.domain.instants import iso, parse_start
from experience_runtime.domain.page_facts import NO_FACTS, PageFacts
from experience_runtime.domain.visitors import Visitor
from experience_runtime.engine.claims import in_hand
from experience_runtime.engine.ports import Integrations
from experience_runtime.running.guest import Sandbox, Script
from experience_runtime.simulation.simulate import simulate
from experience_runtime.simulation.simulated import Simulated
from experience_runtime.simulation.story import Story, check_playable, one_run

NOBODY = Visitor(id=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayRequest:
    """What is to be played: a story, or one run for `visitor` with `data` and what `facts` tell.

    `somebody` is who a story's step without a visitor is for: nobody known, perhaps in a known zone. `at` and
    `horizon` stand above the story's own; a story without `at` begins at `now`.
    """

    now: datetime
    visitor: Visitor = NOBODY
    data: Any = None
    facts: PageFacts = NO_FACTS
    story: Story | None = None
    somebody: Visitor = NOBODY
    at: str | None = None
    horizon: str | int | None = None

    def told(self) -> Story:
        """The story that is played. Raises the Refusal of what cannot be."""
        if self.story is None:
            story = one_run(self.visitor, self.data, self.facts)
        elif self.visitor != NOBODY or self.data is not None or self.facts != NO_FACTS:
            raise InvalidParameter(
                "a story names its own visitors; leave visitor, timezone, data, state, keep_state, events, "
                "browser and cookies out"
            )
        else:
            story = self.story
        changes: dict[str, Any] = {}
        if self.at is not None:
            changes["at"] = iso(parse_start(self.at, now=self.now))
        if self.horizon is not None:
            changes["horizon"] = self.horizon
        story = story.model_copy(update=changes) if changes else story
        check_playable(story, self.now)
        return story


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """What the settings give to every play alike."""

    sandbox: Sandbox
    integrations: Integrations
    conversions: Sequence[str]
    client: Client
    redact: Redact


def play(
    request: PlayRequest,
    script: Script,
    stage: Stage,
    *,
    seconds: float | None = None,
    progress: Callable[[datetime], None] | None = None,
) -> Simulated:
    """Play it to its end and return what happened.

    `seconds` of real time are enough (LimitWall); None: it may take as long as it needs. `progress` hears the
    virtual time. Raises the Refusal of a story that cannot be played, and the ScriptFault of the files.
    """
    story = request.told()
    ends_at = None if seconds is None else monotonic() + seconds

    def hear(at: datetime) -> None:
        if progress is not None:
            progress(at)
        if ends_at is not None and monotonic() > ends_at:
            raise LimitWall(
                f"the simulation took longer than {seconds:g} s of real time; it had come to {iso(at)}: "
                "shorten the story, or use `experience simulate`, which has no such limit"
            )

    with in_hand(None):
        return simulate(
            script,
            story,
            sandbox=stage.sandbox,
            integrations=stage.integrations,
            conversions=stage.conversions,
            now=request.now,
            anonymous=request.visitor if request.story is None else request.somebody,
            progress=hear,
            client=stage.client,
            redact=stage.redact,
        )
