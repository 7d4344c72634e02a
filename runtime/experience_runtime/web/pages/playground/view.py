"""A play as the page shows it: what happened, what will if nothing else does, and why."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from experience_runtime.documents.why import why_planned
from experience_runtime.domain.executions import Change, Execution, Status
from experience_runtime.domain.instants import iso, parse_time
from experience_runtime.domain.spans import span_text
from experience_runtime.domain.zones import Zone, iso_local, parse_zone
from experience_runtime.running.guest import Problem
from experience_runtime.running.report import Report
from experience_runtime.scripts.bundle import Bundle
from experience_runtime.simulation.simulated import Simulated
from experience_runtime.simulation.story import Story
from experience_runtime.web.pages.playground.form import happenings, visitors_of
from experience_runtime.web.pages.timeline import Picture, Track, of_story
from experience_runtime.web.pages.wording import clock_of, short

_EXCERPT_CHARS = 120
_SHOWN_TRACKS = 30
_MOST_NOTES = 10
MOST_SHOWN = 300
"""Of entries, executions, calls and events each; a page is no place for more."""


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
    visitor: str | None = None
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
    moment_text: str
    next_ms: int | None
    entries: Sequence[Entry] = ()
    rows: Sequence[Mapping[str, Any]] = ()
    calls: Sequence[Mapping[str, Any]] = ()
    events: Sequence[Mapping[str, Any]] = ()
    picture: Picture | None = None
    expect: Sequence[Mapping[str, Any]] = ()
    expected: int | None = None  # how much the story expects; None: nothing, and whatever happens is right
    met: int = 0
    differences: Sequence[str] = ()
    notes: Sequence[str] = ()
    visitors: Sequence[str] = ()
    end_ms: int = 0
    is_cut: bool = False


def played_view(
    simulated: Simulated,
    script: Bundle,
    moment_at: datetime,
    zone: Zone,
    story: Story,
) -> PlayedOut:
    """Show a simulation of a story at a moment of it."""
    entries = [*_log_entries(simulated, zone, moment_at), *_change_entries(simulated, moment_at)]
    entries += [
        Entry(at=at, clock=clock_of(at, zone), kind="step", text=words, is_ahead=at > moment_at)
        for at, words in happenings(story, simulated.began_at)
    ]
    order = {"step": 0, "log": 1, "change": 2}
    entries.sort(key=lambda entry: (entry.at, order.get(entry.kind.partition(" ")[0], 2)))
    ahead = [entry.at for entry in entries if entry.at > moment_at]
    last_at = max([entry.at for entry in entries], default=moment_at)
    faults = [
        fault_of(report.error, script.source(report.error.file or ""))
        for report in simulated.reports
        if report.error is not None
    ]
    outcomes = [report.outcome for report in simulated.reports]
    calls = [{**call, "visitor": each.visitor.id} for each in simulated.reports for call in each.calls]
    events = [
        {"said": event, "visitor": each.visitor.id} for each in simulated.reports for event in each.events
    ]
    executions = zip(simulated.executions, simulated.documents, strict=True)
    return PlayedOut(
        faults=faults,
        outcome=outcomes[0] if outcomes else "failed",
        moment_at=moment_at,
        moment_clock=clock_of(moment_at, zone),
        moment_text=after_text(moment_at - simulated.began_at),
        next_ms=_ms(min(ahead), simulated.began_at) if ahead else None,
        end_ms=_ms(max(last_at, moment_at), simulated.began_at),
        entries=entries[:MOST_SHOWN],
        rows=[_row(simulated, *each, moment_at) for each in islice(executions, MOST_SHOWN)],
        calls=calls[:MOST_SHOWN],
        events=events[:MOST_SHOWN],
        notes=_notes(simulated.reports),
        visitors=visitors_of(story),
        expected=len(story.expect) if "expect" in story.model_fields_set else None,
        met=simulated.met_expectations,
        differences=simulated.differences,
        picture=_picture(simulated, moment_at) if simulated.executions else None,
        expect=[_expectation(each) for each in simulated.executions],
        is_cut=max(len(entries), len(simulated.executions), len(calls), len(events)) > MOST_SHOWN,
    )


def after_text(span: timedelta) -> str:
    """How long after the start: `+2 h`."""
    return "+" + span_text(span.total_seconds())


def _ms(at: datetime, began_at: datetime) -> int:
    return round((at - began_at).total_seconds() * 1000)


def _notes(reports: Sequence[Report]) -> list[str]:
    """Why a variation did not run, and for which events its triggers listen."""
    told = []
    for report in reports:
        who = f" for {report.visitor.id}" if report.visitor.id else ""
        if report.outcome == "not_triggered":
            told.append(f"The triggers said no{who}, so the variation did not run.")
        if report.outcome == "pending":
            awaited = ", ".join(dict.fromkeys(report.waits)) or "no event of the page"
            told.append(f"Pending{who}: the triggers never called back. They listen for: {awaited}.")
    return list(dict.fromkeys(told))[:_MOST_NOTES]


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
                more=str(stack) if stack else "" if not metadata else short(metadata),
                visitor=report.visitor.id,
                is_ahead=at > moment_at,
            )


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
                visitor=execution.visitor,
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
        "visitor": execution.visitor,
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
    several = len({each.visitor for each in simulated.executions}) > 1
    tracks = [
        Track(
            label=" · ".join(
                part
                for part in (each.integration, each.key and each.key[:40], several and each.visitor)
                if part
            ),
            turns=[(change.at, change.to_status.value) for change in _told(simulated.histories[each.id])],
        )
        for each in simulated.executions[:_SHOWN_TRACKS]
    ]
    ended_at = max(turn[0] for track in tracks for turn in track.turns)
    return of_story(tracks, began_at=simulated.began_at, ended_at=ended_at, moment=moment_at)


def _expectation(execution: Execution) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "visitor": execution.visitor,
        "integration": execution.integration,
        "key": None if execution.key is None else json.loads(execution.key),
        "status": execution.status.value,
        "due_at": iso(execution.due_at),
        "reason": execution.reason,
    }
    return {name: value for name, value in fields.items() if value is not None}


def fault_of(problem: Problem, source: str) -> Fault:
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
