"""The timeline of a simulation, for people: what happened when, in UTC and where the visitor lives, and why."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import click

from experience_runtime.cli.common import styled, visible
from experience_runtime.cli.shown import show_problem
from experience_runtime.domain.executions import Change, Execution, Status
from experience_runtime.domain.instants import iso, parse_time
from experience_runtime.domain.values import shown
from experience_runtime.domain.visitors import Visitor
from experience_runtime.domain.zones import Zone, fixed_zone, iana_zone, parse_zone
from experience_runtime.sandbox.modules import Bundle
from experience_runtime.simulate import Simulated

_COLOURS = {
    Status.SUCCEEDED: "green",
    Status.FAILED: "red",
    Status.CANCELLED: "yellow",
    Status.RUNNING: "cyan",
}
_SHOWN_PAYLOAD = 60
_INDENT = " " * 8


@dataclass(frozen=True, slots=True)
class _Line:
    """One thing that happened; `why` stands below it."""

    at: datetime
    zone: Zone
    visitor: str
    text: str
    why: Sequence[str] = ()


def show_timeline(simulated: Simulated, script: Bundle, *, to_stderr: bool) -> None:
    """Print every log line and state change in the order of virtual time, then how the story ended."""
    day = None
    for line in sorted(_lines(simulated), key=lambda line: line.at):
        if line.at.date() != day:
            day = line.at.date()
            click.echo(styled(f"{day:%A} {day.day} {day:%B %Y} (UTC)", bold=True), err=to_stderr)
        local = f"{line.zone.local(line.at):%a %H:%M} {_place(line.zone)}"
        where = styled(f"  {iso(line.at)[11:]}  {visible(local):<20} {visible(line.visitor):<8}", dim=True)
        click.echo(f"{where} {line.text}", err=to_stderr)
        for sentence in line.why:
            click.echo(styled(f"{_INDENT}{sentence}", dim=True), err=to_stderr)
    click.echo(_summary(simulated), err=to_stderr)
    for report in simulated.reports:
        if report.error is not None:
            source = "" if report.error.file is None else script.source(report.error.file)
            show_problem(report.error, source=source, to_stderr=True)
    for difference in simulated.differences:
        click.echo(styled(difference, fg="red"), err=True)
    if simulated.met_expectations and not simulated.differences:
        met = f"all {simulated.met_expectations} expectations of the story are met"
        click.echo(styled(met, fg="green"), err=to_stderr)


def _lines(simulated: Simulated) -> Iterator[_Line]:
    for report in simulated.reports:
        zone = _zone(report.visitor)
        for line in report.log:
            at = parse_time(line["at"], now=simulated.began_at).at
            colour = {"error": "red", "warn": "yellow"}.get(line["level"])
            text = styled(f"{line['level']}: {line['message']}  ({line['logger']})", fg=colour)
            yield _Line(at, zone, report.visitor.id or "-", text)
    for execution, document in zip(simulated.executions, simulated.documents, strict=True):
        for change in simulated.histories[execution.id]:
            if change.to_status is Status.RUNNING and change.from_status is not None:
                continue  # the state that follows at the same instant says it all
            why = document["why"] if change.from_status is None and change.to_status is Status.PENDING else ()
            yield _Line(
                change.at,
                parse_zone(execution.zone),
                execution.visitor or "-",
                _change_text(execution, change),
                [sentence for sentence in why if not sentence.startswith(("cancelled", "failed"))],
            )


def _change_text(execution: Execution, change: Change) -> str:
    payload = shown(json.loads(execution.payload), _SHOWN_PAYLOAD)
    match change.to_status:
        case Status.PENDING if change.from_status is None:
            text = f"scheduled  {execution.integration} {payload}"
        case Status.RUNNING:
            text = f"executes   {execution.integration} {payload}"
        case Status.SUCCEEDED:
            text = f"delivered  {execution.integration} {payload}"
        case Status.PENDING:
            text = f"retries    {execution.integration}"
        case other:
            text = f"{other.value:<10} {execution.integration}"
    because = f", because: {change.reason}" if change.reason else ""
    return styled(text + because, fg=_COLOURS.get(change.to_status))


def _summary(simulated: Simulated) -> str:
    counts: dict[Status, int] = {}
    for execution in simulated.executions:
        counts[execution.status] = counts.get(execution.status, 0) + 1
    states = ", ".join(f"{count} {status.value}" for status, count in sorted(counts.items()))
    return f"{states or 'no executions'}; watched {_span(simulated.ended_at - simulated.began_at)} of virtual time"


def _span(watched: timedelta) -> str:
    days, hours, minutes = watched.days, watched.seconds // 3600, watched.seconds // 60 % 60
    parts = ((days, "d"), (hours, "h"), (minutes, "min"))
    return " ".join(f"{count} {unit}" for count, unit in parts if count) or "less than a minute"


def _zone(visitor: Visitor) -> Zone:
    if visitor.timezone is not None:
        return iana_zone(visitor.timezone)
    return fixed_zone(visitor.timezone_offset or 0)


def _place(zone: Zone) -> str:
    return zone.name.rpartition("/")[2].replace("_", " ")
