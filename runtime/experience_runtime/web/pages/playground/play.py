"""A play carried out by the same engine as `simulate`, within bounds of its own."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from experience_runtime.clocks import monotonic
from experience_runtime.domain.durations import parse_delay
from experience_runtime.domain.errors import (
    Conflict,
    InvalidParameter,
    LimitWall,
    ScriptFault,
)
from experience_runtime.domain.experience import Experience, SourceText
from experience_runtime.domain.instants import iso
from experience_runtime.domain.planning import visitor_zone
from experience_runtime.domain.visitors import make_visitor
from experience_runtime.running.guest import Problem
from experience_runtime.runtime import Runtime
from experience_runtime.scripts.bundle import Bundle
from experience_runtime.scripts.loading import fault_problem, prepare, source_of
from experience_runtime.simulation.simulate import simulate
from experience_runtime.simulation.story import check_playable
from experience_runtime.web.experiences import experience_path
from experience_runtime.web.pages.playground.form import Play, read_story
from experience_runtime.web.pages.playground.view import PlayedOut, fault_of, played_view
from experience_runtime.web.pages.wording import clock_of

LONGEST_SECONDS = 20.0
_AT_ONCE = threading.BoundedSemaphore(2)
_PATIENCE_SECONDS = 30.0
_PASTED = "pasted"


def play_out(runtime: Runtime, play: Play, *, now: datetime, heard: Callable[[datetime], None]) -> PlayedOut:
    """Carry a play out from its start to its end. Raises the Refusal of what cannot be read.

    `heard` is told the virtual time. Conflict while too many are carried out at once.
    """
    story = read_story(play.story())
    check_playable(story, now)
    began_at = story.starts_at(now)
    moment_at = began_at + timedelta(milliseconds=play.moment)
    visitor = make_visitor(play.visitor or None, timezone=play.timezone.strip() or None)
    zone = visitor_zone(visitor, [])[0]
    path = _path_of(runtime, play)

    def ended_by(fault: ScriptFault, script: Bundle | None = None) -> PlayedOut:
        problem = fault_problem(fault)
        return PlayedOut(
            faults=[fault_of(problem, _source(problem, play, path, script))],
            outcome="failed",
            moment_at=moment_at,
            moment_clock=clock_of(moment_at, zone),
            next_ms=None,
        )

    try:
        script = _script(play, path)
    except ScriptFault as fault:
        return ended_by(fault)
    ends_at = monotonic() + LONGEST_SECONDS

    def progress(at: datetime) -> None:
        heard(at)
        if monotonic() > ends_at:
            raise LimitWall(
                f"the simulation took longer than {LONGEST_SECONDS:g} s of real time; it had come to "
                f"{iso(at)}, and `experience simulate` has no such limit"
            )

    if not _AT_ONCE.acquire(timeout=_PATIENCE_SECONDS):
        raise Conflict("others simulate at the same time, and none has ended yet; try again in a moment")
    try:
        simulated = simulate(
            script,
            story,
            sandbox=runtime.sandbox,
            integrations=runtime.integrations,
            conversions=runtime.settings.conversions,
            now=began_at,
            anonymous=visitor,
            progress=progress,
        )
    except ScriptFault as fault:
        return ended_by(fault, script)
    except OverflowError:  # a zone's clock may be out of the calendar where UTC is not
        raise InvalidParameter(
            f'the moment it starts, "{iso(began_at)}", is at the edge of the calendar; '
            "choose one nearer to now"
        ) from None
    finally:
        _AT_ONCE.release()
    return played_view(simulated, script, moment_at, zone, play.happenings(began_at))


def _path_of(runtime: Runtime, play: Play) -> Path | None:
    if not play.experience:
        return None
    return experience_path(runtime.settings.served, play.experience, released_only=False)


def _script(play: Play, path: Path | None) -> Bundle:
    if path is not None:
        return prepare(path, repair=play.repair)
    lines = {
        name: text.replace("\r\n", "\n").replace("\r", "\n")
        for name, text in (("variation.js", play.source), ("triggers.js", play.triggers))
    }
    experience = Experience(
        name=_PASTED,
        path=Path(_PASTED),
        variation=SourceText("variation.js", lines["variation.js"]),
        triggers=SourceText("triggers.js", lines["triggers.js"]) if lines["triggers.js"].strip() else None,
    )
    return Bundle(experience, repair=play.repair)


def _source(problem: Problem, play: Play, path: Path | None, script: Bundle | None) -> str:
    if path is not None or script is not None:
        return source_of(problem, path or Path(_PASTED), script)
    text = play.triggers if problem.file == "triggers.js" else play.source
    return text.replace("\r\n", "\n").replace("\r", "\n")


def read_forward(text: str) -> int:
    """How far time moves forward, in milliseconds. Raises InvalidDelay."""
    return parse_delay(text.strip())
