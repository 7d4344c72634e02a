"""A play carried out: the same engine as `simulate`, and what it did as the page shows it."""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from experience_runtime.app import App
from experience_runtime.clocks import monotonic
from experience_runtime.domain.durations import parse_delay
from experience_runtime.domain.errors import (
    Conflict,
    LimitWall,
    ScriptFault,
)
from experience_runtime.domain.executions import Change, Execution, Status
from experience_runtime.domain.experience import Experience, SourceText
from experience_runtime.domain.instants import iso, parse_time
from experience_runtime.domain.planning import visitor_zone
from experience_runtime.domain.visitors import make_visitor
from experience_runtime.domain.zones import Zone, iso_local, parse_zone
from experience_runtime.explain import why_planned
from experience_runtime.guest import Problem
from experience_runtime.prepare import fault_problem, prepare, source_of
from experience_runtime.sandbox.modules import Bundle
from experience_runtime.simulate import Simulated, simulate
from experience_runtime.web.experiences import experience_path
from experience_runtime.web.pages.picture import Picture, Track, of_story
from experience_runtime.web.pages.play import Play, read_story
from experience_runtime.web.pages.spoken import clock_of

LONGEST_SECONDS = 20.0
_AT_ONCE = threading.BoundedSemaphore(2)
_PATIENCE_SECONDS = 30.0
_EXCERPT_CHARS = 120
_SHOWN_TRACKS = 30
_PASTED = "pasted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Excerpt:
    """A line of the author's file, cut in two where the problem is."""

    number: int
    before: str
    after: str

    @property
    def caret(self) -> str:
        return " " * len(self.before) + "^"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A problem with its place, and the line it stands in."""

    problem: Problem
    excerpt: Excerpt | None

    @property
    def place(self) -> str:
        parts = [self.problem.file, self.problem.line, self.problem.column]
        return ":".join(str(part) for part in parts if part is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One thing that happened, or will if nothing else does."""

    at: datetime
    clock: str
    kind: str
    text: str
    more: str = ""
    why: Sequence[str] = ()
    is_ahead: bool = False

    @property
    def time(self) -> str:
        return iso(self.at)[11:]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayedOut:
    """What the page shows of a play at its moment."""

    faults: Sequence[Fault]
    outcome: str
    moment_at: datetime
    moment_clock: str
    next_ms: int | None
    entries: Sequence[Entry] = ()
    rows: Sequence[Mapping[str, Any]] = ()
    calls: Sequence[Mapping[str, Any]] = ()
    events: Sequence[Mapping[str, Any]] = ()
    picture: Picture | None = None
    expect: Sequence[Mapping[str, Any]] = ()
    end_ms: int = 0


def play_out(app: App, play: Play, *, now: datetime, heard: Callable[[datetime], None]) -> PlayedOut:
    """Carry a play out from its start to its end. Raises the Refusal of what cannot be read.

    `heard` is told the virtual time. Conflict while too many are carried out at once.
    """
    story = read_story(play.story())
    began_at = story.starts_at(now)
    moment_at = began_at + timedelta(milliseconds=play.moment)
    visitor = make_visitor(play.visitor or None, timezone=play.timezone.strip() or None)
    zone = visitor_zone(visitor, [])[0]
    path = _path_of(app, play)

    def ended_by(fault: ScriptFault, script: Bundle | None = None) -> PlayedOut:
        problem = fault_problem(fault)
        return PlayedOut(
            faults=[_fault(problem, _source(problem, play, path, script))],
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
            sandbox=app.sandbox,
            integrations=app.integrations,
            conversions=app.settings.conversions,
            now=began_at,
            anonymous=visitor,
            progress=progress,
        )
    except ScriptFault as fault:
        return ended_by(fault, script)
    finally:
        _AT_ONCE.release()
    return _shown(simulated, play, script, moment_at, zone, story_steps=_steps(play, began_at))


def _shown(
    simulated: Simulated,
    play: Play,
    script: Bundle,
    moment_at: datetime,
    zone: Zone,
    *,
    story_steps: Sequence[tuple[datetime, str]],
) -> PlayedOut:
    entries = [*_log_entries(simulated, zone, moment_at), *_change_entries(simulated, moment_at)]
    entries += [
        Entry(at=at, clock=clock_of(at, zone), kind="step", text=words, is_ahead=at > moment_at)
        for at, words in story_steps
    ]
    order = {"step": 0, "log": 1, "change": 2}
    entries.sort(key=lambda entry: (entry.at, order.get(entry.kind.partition(" ")[0], 2)))
    ahead = [entry.at for entry in entries if entry.at > moment_at]
    last_at = max([entry.at for entry in entries], default=moment_at)
    faults = [
        _fault(report.error, _source(report.error, play, None, script))
        for report in simulated.reports
        if report.error is not None
    ]
    outcomes = [report.outcome for report in simulated.reports]
    return PlayedOut(
        faults=faults,
        outcome=outcomes[0] if outcomes else "failed",
        moment_at=moment_at,
        moment_clock=clock_of(moment_at, zone),
        next_ms=_ms(min(ahead), simulated.began_at) if ahead else None,
        end_ms=_ms(max(last_at, moment_at), simulated.began_at),
        entries=entries,
        rows=[
            _row(simulated, *each, moment_at)
            for each in zip(simulated.executions, simulated.documents, strict=True)
        ],
        calls=[call for report in simulated.reports for call in report.calls],
        events=[event for report in simulated.reports for event in report.events],
        picture=_picture(simulated, moment_at) if simulated.executions else None,
        expect=[_expectation(each) for each in simulated.executions],
    )


def _ms(at: datetime, began_at: datetime) -> int:
    return round((at - began_at).total_seconds() * 1000)


def _steps(play: Play, began_at: datetime) -> list[tuple[datetime, str]]:
    who = f" for {play.visitor}" if play.visitor else ""
    return [
        (began_at, f"the experience runs{who}"),
        *((began_at + timedelta(milliseconds=step.after), step.words) for step in play.steps),
    ]


def _log_entries(simulated: Simulated, zone: Zone, moment_at: datetime) -> Iterator[Entry]:
    for report in simulated.reports:
        for line in report.log:
            at = parse_time(line["at"], now=simulated.began_at).at
            metadata = line["metadata"]
            stack = metadata.get("stack", "") if isinstance(metadata, dict) else ""
            yield Entry(
                at=at,
                clock=clock_of(at, zone),
                kind=f"log {line['level']}",
                text=line["message"],
                more=str(stack) if stack else "" if not metadata else _json(metadata),
                is_ahead=at > moment_at,
            )


def _json(value: Any) -> str:
    from experience_runtime.web.pages.spoken import short

    return short(value)


def _change_entries(simulated: Simulated, moment_at: datetime) -> Iterator[Entry]:
    for execution, document in zip(simulated.executions, simulated.documents, strict=True):
        attempts = iter(document["attempts"])
        for change in _told(simulated.histories[execution.id]):
            attempt = next(attempts, None) if change.from_status is Status.RUNNING else None
            is_new = change.from_status is None and change.to_status is Status.PENDING
            reasons = [change.reason, attempt and attempt["error"]]
            yield Entry(
                at=change.at,
                clock=clock_of(change.at, parse_zone(execution.zone)),
                kind=f"change {change.to_status.value}",
                text=f"{_verb(change)} {execution.integration}",
                more=": ".join(reason for reason in reasons if reason),
                why=why_planned(execution) if is_new else (),
                is_ahead=change.at > moment_at,
            )


def _told(changes: Sequence[Change]) -> list[Change]:
    """Without the start of an attempt: what follows at the same instant says it all."""
    return [each for each in changes if each.to_status is not Status.RUNNING or each.from_status is None]


def _verb(change: Change) -> str:
    match change.to_status:
        case Status.PENDING if change.from_status is None:
            return "scheduled"
        case Status.PENDING:
            return "tries again"
        case Status.RUNNING:
            return "executes"
        case Status.SUCCEEDED:
            return "delivered"
        case other:
            return other.value


def _row(
    simulated: Simulated, execution: Execution, document: Mapping[str, Any], moment_at: datetime
) -> dict[str, Any]:
    changes = _told(simulated.histories[execution.id])
    past = [each for each in changes if each.at <= moment_at]
    coming = [each for each in changes if each.at > moment_at]
    zone = parse_zone(execution.zone)
    following = coming[0] if coming else None
    due_at = following.at if past and following is not None else execution.due_at
    return {
        "id": execution.id,
        "status": past[-1].to_status.value if past else "",
        "final": execution.status.value if coming else "",
        "integration": execution.integration,
        "payload": document["payload"],
        "key": document["key"],
        "due_at": iso(due_at),
        "due_local": iso_local(due_at, zone),
        "zone": execution.zone,
        "reason": past[-1].reason if past else None,
        "why": why_planned(execution),
    }


def _picture(simulated: Simulated, moment_at: datetime) -> Picture:
    tracks = [
        Track(
            label=f"{each.integration}{f' · {each.key[:40]}' if each.key else ''}",
            turns=[(change.at, change.to_status.value) for change in _told(simulated.histories[each.id])],
        )
        for each in simulated.executions[:_SHOWN_TRACKS]
    ]
    ended_at = max(turn[0] for track in tracks for turn in track.turns)
    return of_story(tracks, began_at=simulated.began_at, ended_at=ended_at, moment=moment_at)


def _expectation(execution: Execution) -> dict[str, Any]:
    import json

    fields: dict[str, Any] = {
        "visitor": execution.visitor,
        "integration": execution.integration,
        "key": None if execution.key is None else json.loads(execution.key),
        "status": execution.status.value,
        "due_at": iso(execution.due_at),
        "reason": execution.reason,
    }
    return {name: value for name, value in fields.items() if value is not None}


def _path_of(app: App, play: Play) -> Path | None:
    if not play.experience:
        return None
    return experience_path(app.settings.served, play.experience, released_only=False)


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


def _fault(problem: Problem, source: str) -> Fault:
    lines = source.split("\n")
    if problem.line is None or not 1 <= problem.line <= len(lines) or not source:
        return Fault(problem=problem, excerpt=None)
    line = lines[problem.line - 1].replace("\t", " ")
    at = min((problem.column or 1) - 1, len(line))
    start = max(0, at - _EXCERPT_CHARS // 2) if len(line) > _EXCERPT_CHARS else 0
    return Fault(
        problem=problem,
        excerpt=Excerpt(number=problem.line, before=line[start:at], after=line[at : start + _EXCERPT_CHARS]),
    )


def read_forward(text: str) -> int:
    """How far time moves forward, in milliseconds. Raises InvalidDelay."""
    return parse_delay(text.strip())
