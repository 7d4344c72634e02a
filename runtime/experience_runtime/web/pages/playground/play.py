"""A play carried out: the same simulation as `experience simulate` and POST /v1/simulate."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from experience_runtime.domain.durations import parse_delay
from experience_runtime.domain.errors import ScriptFault
from experience_runtime.domain.experience import Experience, SourceText
from experience_runtime.domain.planning import visitor_zone
from experience_runtime.domain.visitors import Visitor, make_visitor
from experience_runtime.running.guest import Problem
from experience_runtime.runtime import Runtime
from experience_runtime.scripts.bundle import Bundle
from experience_runtime.scripts.loading import fault_problem, source_of
from experience_runtime.simulation.play import NOBODY, PlayRequest
from experience_runtime.simulation.story import Story
from experience_runtime.web.experiences import Found, find_experience
from experience_runtime.web.pages.playground.form import Play, read_story
from experience_runtime.web.pages.playground.view import PlayedOut, after_text, fault_of, played_view
from experience_runtime.web.pages.wording import clock_of
from experience_runtime.web.simulations import Simulations

_PASTED = "pasted"


def play_out(
    runtime: Runtime, simulations: Simulations, play: Play, *, progress: Callable[[datetime], None]
) -> PlayedOut:
    """Carry a play out from its start to its end. Raises the Refusal of what cannot be read.

    `progress` hears the virtual time.
    """
    story = read_story(play.story(), is_told=bool(play.told.strip()))
    visitor = _first(play, story)
    # without a visitor, there is a zone all the same
    request = PlayRequest(now=runtime.clock.now(), story=story, somebody=replace(visitor, id=None))
    began_at = request.told().starts_at(request.now)
    moment_at = began_at + timedelta(milliseconds=play.moment)
    zone = visitor_zone(visitor, [])[0]
    found = _found(runtime, play)

    def ended_by(fault: ScriptFault, script: Bundle | None = None) -> PlayedOut:
        problem = fault_problem(fault)
        return PlayedOut(
            faults=[fault_of(problem, _source(problem, play, found, script))],
            outcome="failed",
            moment_at=moment_at,
            moment_clock=clock_of(moment_at, zone),
            moment_text=after_text(moment_at - began_at),
            next_ms=None,
        )

    try:
        script = _script(play, found, story)
    except ScriptFault as fault:
        return ended_by(fault)
    try:
        simulated = simulations.play(request, script, progress=progress)
    except ScriptFault as fault:
        return ended_by(fault, script)
    return played_view(simulated, script, moment_at, zone, story)


def _found(runtime: Runtime, play: Play) -> Found | None:
    return find_experience(runtime, play.experience, released_only=False) if play.experience else None


def _first(play: Play, story: Story) -> Visitor:
    """Whose clock the page shows."""
    if not play.told.strip():
        return make_visitor(play.visitor or None, timezone=play.timezone.strip() or None)
    first = next(iter(story.visitors), None)
    if first is None:
        return NOBODY
    return make_visitor(first.id, timezone=first.timezone, timezone_offset=first.timezone_offset)


def _script(play: Play, found: Found | None, story: Story) -> Bundle:
    if found is not None:
        return found.prepare(variation=story.variation, repair=play.repair)
    lines = {
        name: text.replace("\r\n", "\n").replace("\r", "\n")
        for name, text in (("variation.js", play.source), ("triggers.js", play.triggers))
    }
    experience = Experience(
        name=_PASTED,
        variation=SourceText("variation.js", lines["variation.js"]),
        triggers=SourceText("triggers.js", lines["triggers.js"]) if lines["triggers.js"].strip() else None,
    )
    return Bundle(experience, repair=play.repair)


def _source(problem: Problem, play: Play, found: Found | None, script: Bundle | None) -> str:
    if found is not None and found.release is not None:
        return found.release.files.get(problem.file or "", "")
    if found is not None or script is not None:
        return source_of(problem, (found and found.path) or Path(_PASTED), script)
    text = play.triggers if problem.file == "triggers.js" else play.source
    return text.replace("\r\n", "\n").replace("\r", "\n")


def read_forward(text: str) -> int:
    """How far time moves forward, in milliseconds. Raises InvalidDelay."""
    return parse_delay(text.strip())
