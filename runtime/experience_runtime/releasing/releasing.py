"""Releasing: an experience's files are checked and their stories played; only then are they kept, and run."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Any

from experience_runtime.documents.releases import releases_document
from experience_runtime.domain.audit import actor_text
from experience_runtime.domain.errors import (
    ExperienceError,
    InvalidParameter,
    NotReleasable,
    RateLimited,
    ScriptFault,
    UnknownRelease,
)
from experience_runtime.domain.releases import (
    Change,
    Files,
    Release,
    check_experience_name,
    check_files,
    parse_share,
)
from experience_runtime.domain.values import read_note, shown
from experience_runtime.engine.claims import made_when_asked_at
from experience_runtime.running.guest import Problem
from experience_runtime.runtime import Runtime
from experience_runtime.scripts.bundle import Bundle
from experience_runtime.scripts.folders import is_story
from experience_runtime.scripts.loading import VARIATION, fault_problem, load_files
from experience_runtime.simulation.play import PlayRequest
from experience_runtime.simulation.simulated import Simulated
from experience_runtime.simulation.story import read_story_text

_MOST_TOLD = 10

Play = Callable[[PlayRequest, Bundle], Simulated]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A release that somebody wants. `share` as people write it; `expected`: see `Releases`."""

    experience: str
    files: dict[str, str]
    actor: str
    note: str = ""
    share: str | None = None
    expected: int | None = None


def release(runtime: Runtime, wanted: Wanted, *, play: Play | None = None) -> tuple[Release, Change]:
    """Check the files and play their stories, then keep them and let them run.

    `play`: how a story is played; left out, without bounds. Raises NotReleasable with everything that is
    wrong, and the Refusal of what cannot be kept; nothing is stored then.
    """
    name, note = check_experience_name(wanted.experience), read_note(wanted.note)
    share, files = parse_share(wanted.share), check_files(wanted.files)
    wrong: list[str] = []
    if made_when_asked_at() is None:  # else it is only told again
        wrong = list(_faults(runtime, name, files)) or list(_failed_stories(runtime, name, files, play))
    if wrong:
        told = wrong[:_MOST_TOLD]
        if len(wrong) > len(told):
            told.append(f"and {len(wrong) - len(told)} more")
        raise NotReleasable(
            f"{name} is not released, and nothing was stored: {'; '.join(told)}. Correct it first"
        )
    made = made_by(runtime, name, wanted.actor)
    kept = Release(
        experience=name,
        number=0,
        at=made.at,
        actor=made.actor,
        note=note,
        digest=files.digest,
        size=files.size,
        files=files.texts,
    )
    done = runtime.store.releases.put(kept, made=made, share=share, expected=wanted.expected)
    runtime.live.forget()
    return done


class Act(StrEnum):
    """What may be done with releases that are kept."""

    ACTIVATE = "activate"
    ROLLBACK = "rollback"
    DEACTIVATE = "deactivate"


def change(
    runtime: Runtime,
    experience: str,
    act: Act,
    *,
    actor: str,
    expected: int | None,
    number: int | None = None,
    share: str | None = None,
) -> Change:
    """Change what runs; `expected`: see `Releases`. `number` and `share` are for `activate`."""
    parts, releases = parse_share(share), runtime.store.releases
    made = made_by(runtime, experience, actor)
    match act:
        case Act.ROLLBACK:
            done = releases.roll_back(made=made, expected=expected)
        case Act.DEACTIVATE:
            done = releases.deactivate(made=made, expected=expected)
        case Act.ACTIVATE:
            if number is None:
                raise InvalidParameter(
                    "a release is activated by its number; name one of those that are kept"
                )
            done = releases.activate(number, made=made, share=parts, expected=expected)
    runtime.live.forget()
    return done


def live_of(runtime: Runtime, experience: str) -> Change:
    """What runs of an experience, read now; UnknownRelease when it was never released."""
    for each in runtime.store.releases.changes(experience, limit=1):
        return each
    raise UnknownRelease(
        f"nothing was released as {shown(experience)}; `experience release PATH --name NAME` does it"
    )


def list_releases(
    runtime: Runtime, experience: str, *, before: int | None = None, limit: int = 50
) -> dict[str, Any]:
    """The document of an experience's releases, newest first. Raises UnknownRelease when there is none."""
    live = live_of(runtime, experience)
    found = runtime.store.releases.releases(experience, before=before, limit=limit + 1)
    return releases_document(live, found, limit=limit)


def made_by(runtime: Runtime, experience: str, actor: str) -> Change:
    """Who changes an experience now; the rest the store decides."""
    return Change(
        experience=experience,
        version=0,
        at=runtime.clock.now(),
        actor=actor_text(actor),
        action="",
        active=None,
    )


def _faults(runtime: Runtime, name: str, files: Files) -> Iterator[str]:
    """What the check finds in any of the variations, each once."""
    variations = [each for each in files.texts if VARIATION.fullmatch(each)]
    told: dict[str, None] = {}
    for variation in (None, *variations):  # None: with what chooses among them
        checked = runtime.check(partial(_script, files, name, variation))
        told |= dict.fromkeys(_line(problem) for problem in checked.problems)
    yield from told


def _failed_stories(runtime: Runtime, name: str, files: Files, play: Play | None) -> Iterator[str]:
    for story in sorted(filter(is_story, files.texts)):
        try:
            told = read_story_text(files.texts[story], where=story)
            request = PlayRequest(now=runtime.clock.now(), story=told)
            request.told()  # what is wrong with it is said before anything is read
            script = _script(files, name, told.variation)
            simulated = (play or runtime.play)(request, script)
        except RateLimited:  # others play stories here too: nothing is wrong with this one
            raise
        except ScriptFault as fault:
            yield f"{story}: {_line(fault_problem(fault))}"
        except ExperienceError as error:
            yield f"{story}: {error.code}: {error.message}"
        else:
            yield from (f"{story}: {' '.join(each.split())}" for each in simulated.differences)
            for report in simulated.failures:
                if report.error is not None:
                    yield f"{story}: {_line(report.error)}"


def _script(files: Files, name: str, variation: str | None) -> Bundle:
    return Bundle(load_files(files.texts, name=name, variation=variation))


def _line(problem: Problem) -> str:
    place = ":".join(str(each) for each in (problem.file, problem.line, problem.column) if each is not None)
    return f"{place}: {problem.code}: {problem.message}".removeprefix(": ")
