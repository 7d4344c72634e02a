"""Suite: stories played one after the other in one process, and what came of each."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from experience_runtime.clocks import monotonic
from experience_runtime.domain.errors import ExperienceError, ScriptFault
from experience_runtime.proving.finding import experience_of
from experience_runtime.running.guest import Problem
from experience_runtime.running.report import problem_document
from experience_runtime.runtime import Runtime
from experience_runtime.scripts.loading import fault_problem, prepare
from experience_runtime.simulation.play import PlayRequest
from experience_runtime.simulation.simulated import Simulated
from experience_runtime.simulation.story import load_story


@dataclass(frozen=True, slots=True, kw_only=True)
class Proved:
    """What came of one story: it passed, something else happened, or it could not be played at all."""

    story: Path
    seconds: float
    experience: Path | None = None
    met: int = 0
    differences: Sequence[str] = ()
    problems: Sequence[Problem] = ()
    refused: str | None = None
    simulated: Simulated | None = None

    @property
    def passed(self) -> bool:
        return not self.differences and not self.problems and self.refused is None

    def lines(self) -> list[str]:
        """Why it failed, for people; empty when it passed."""
        told = [] if self.refused is None else self.refused.split("\n")
        for problem in self.problems:
            place = ":".join(str(each) for each in (problem.file, problem.line, problem.column) if each)
            told.append(f"{place}: {problem.code}: {problem.message}".removeprefix(": "))
        return [*told, *(line for difference in self.differences for line in difference.split("\n"))]

    def document(self) -> dict[str, Any]:
        return {
            "story": str(self.story),
            "experience": None if self.experience is None else str(self.experience),
            "ok": self.passed,
            "seconds": round(self.seconds, 3),
            "met": self.met,
            "differences": list(self.differences),
            "problems": [problem_document(problem) for problem in self.problems],
            "refused": self.refused,
        }


def prove(runtime: Runtime, story: Path) -> Proved:
    """Play one story; what is wrong with it, or with its experience, is its result."""
    began = monotonic()
    experience = None

    def after(**what: Any) -> Proved:
        return Proved(story=story, experience=experience, seconds=monotonic() - began, **what)

    try:
        experience = experience_of(story)
        told = load_story(story)
        request = PlayRequest(now=runtime.clock.now(), story=told)
        request.told()  # what is wrong with it is said before anything is read
        simulated = runtime.play(request, prepare(experience, variation=told.variation))
    except ScriptFault as fault:
        return after(problems=[fault_problem(fault)])
    except ExperienceError as error:
        return after(refused=runtime.settings.redact(f"{error.code}: {error.message}"))
    return after(
        met=simulated.met_expectations,
        differences=simulated.differences,
        problems=[report.error for report in simulated.failures if report.error is not None],
        simulated=simulated,
    )


def proved_document(results: Sequence[Proved], seconds: float) -> dict[str, Any]:
    """The document of `test --json`."""
    passed = sum(each.passed for each in results)
    return {
        "ok": passed == len(results),
        "passed": passed,
        "failed": len(results) - passed,
        "seconds": round(seconds, 3),
        "stories": [each.document() for each in results],
    }


def matches(story: Path, words: str) -> bool:
    """Whether -k means this story: every word occurs in its path, whatever the capitals."""
    return all(word in story.as_posix().lower() for word in words.lower().split())
