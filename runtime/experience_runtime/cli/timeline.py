"""The timeline of a simulation: what happened when, in UTC and where the visitor lives, and why."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import click

from experience_runtime.cli.common import styled, styled_lines, visible
from experience_runtime.cli.shown import show_problem
from experience_runtime.documents.why import why_planned
from experience_runtime.domain.app_events import shown_payload
from experience_runtime.domain.errors import NotConfigured
from experience_runtime.domain.executions import Change, Execution, Status
from experience_runtime.domain.instants import iso, parse_time
from experience_runtime.domain.planning import visitor_zone
from experience_runtime.domain.values import shown
from experience_runtime.domain.windows import DAYS
from experience_runtime.domain.zones import Zone, parse_zone
from experience_runtime.scripts.bundle import Bundle
from experience_runtime.simulation.simulated import Simulated

_COLOURS = {
    Status.SUCCEEDED: "green",
    Status.FAILED: "red",
    Status.CANCELLED: "yellow",
    Status.RUNNING: "cyan",
}
_SHOWN_PAYLOAD = 60
_SHOWN_METADATA = 100
_INDENT = " " * 8


@dataclass(frozen=True, slots=True)
class _Line:
    """One thing that happened; `why` stands below it."""

    at: datetime
    zone: Zone
    visitor: str
    text: str
    why: Sequence[str] = ()

    @property
    def place(self) -> str:
        """Local time where the visitor lives: `Fri 18:30 New York`."""
        local = self.zone.local(self.at)
        city = self.zone.name.rpartition("/")[2].replace("_", " ")
        return f"{DAYS[local.weekday()][:3].capitalize()} {local:%H:%M} {city}"


def show_timeline(simulated: Simulated, script: Bundle, *, to_stderr: bool) -> None:
    """Print every log line and state change in the order of virtual time, then how the story ended."""
    lines = sorted(_lines(simulated), key=lambda line: line.at)
    places = max((len(line.place) for line in lines), default=0)
    visitors = max((len(line.visitor) for line in lines), default=0)
    day = None
    for line in lines:
        if line.at.date() != day:
            day = line.at.date()
            click.echo(styled(f"{DAYS[day.weekday()].capitalize()} {day} (UTC)", bold=True), err=to_stderr)
        where = f"  {iso(line.at)[11:]}  {line.place:<{places}}  {line.visitor:<{visitors}}"
        click.echo(f"{styled(where, dim=True)}  {line.text}", err=to_stderr)
        for sentence in line.why:
            click.echo(styled(f"{_INDENT}{sentence}", dim=True), err=to_stderr)
    click.echo(_summary(simulated), err=to_stderr)
    for report in simulated.reports:
        if report.error is not None:
            source = "" if report.error.file is None else script.source(report.error.file)
            show_problem(report.error, source=source, to_stderr=True)
    for difference in simulated.differences:
        click.echo(styled_lines(difference, fg="red"), err=True)
    if simulated.met_expectations and not simulated.differences:
        met = f"the story ended as expected: {simulated.met_expectations} of {simulated.met_expectations}"
        click.echo(styled(met, fg="green"), err=to_stderr)


def _lines(simulated: Simulated) -> Iterator[_Line]:
    warned: set[tuple[str, str]] = set()  # a warning is news once, not at every call
    for report in simulated.reports:
        zone = visitor_zone(report.visitor, [])[0]
        for line in report.log:
            news = (line["logger"], line["message"])
            if line["level"] == "warn" and news in warned:
                continue
            warned.add(news)
            at = parse_time(line["at"], now=simulated.began_at).at
            yield _Line(at, zone, visible(report.visitor.id or "-"), _log_text(line))
    for execution, document in zip(simulated.executions, simulated.documents, strict=True):
        attempts = iter(document["attempts"])
        for change in simulated.histories[execution.id]:
            if change.to_status is Status.RUNNING and change.from_status is not None:
                continue  # the state that follows at the same instant says it all
            attempt = next(attempts, None) if change.from_status is Status.RUNNING else None
            is_new = change.from_status is None and change.to_status is Status.PENDING
            yield _Line(
                change.at,
                parse_zone(execution.zone),
                visible(execution.visitor or "-"),
                _change_text(execution, change, attempt, simulated.unconfigured),
                why_planned(execution) if is_new else (),
            )


def _log_text(line: Mapping[str, Any]) -> str:
    metadata = line["metadata"]
    more = "" if not metadata or set(metadata) == {"stack"} else " " + shown(metadata, _SHOWN_METADATA)
    colour = {"error": "red", "warn": "yellow"}.get(line["level"])
    return styled_lines(f"{line['level']}: {line['message']}{more}  ({line['logger']})", fg=colour)


def _change_text(
    execution: Execution, change: Change, attempt: Mapping[str, Any] | None, unconfigured: frozenset[str]
) -> str:
    payload = shown(json.loads(shown_payload(execution.integration, execution.payload)), _SHOWN_PAYLOAD)
    match change.to_status:
        case Status.PENDING if change.from_status is None:
            text = f"scheduled  {execution.integration} {payload}"
        case Status.RUNNING:
            text = f"executes   {execution.integration} {payload}"
        case Status.SUCCEEDED if execution.integration in unconfigured:
            text = f"would fail {execution.integration} {payload}"
            return styled(f"{text}, because: {NotConfigured.code}", fg="yellow")
        case Status.SUCCEEDED:
            text = f"delivered  {execution.integration} {payload}"
        case Status.PENDING:
            text = f"retries    {execution.integration}"
        case other:
            text = f"{other.value:<10} {execution.integration}"
    reasons = [change.reason, attempt and attempt["error"]]
    because = ": ".join(reason for reason in reasons if reason)
    return styled(text + (f", because: {because}" if because else ""), fg=_COLOURS.get(change.to_status))


def _summary(simulated: Simulated) -> str:
    counts: dict[Status, int] = {}
    for execution in simulated.executions:
        counts[execution.status] = counts.get(execution.status, 0) + 1
    unconfigured = sum(
        each.status is Status.SUCCEEDED and each.integration in simulated.unconfigured
        for each in simulated.executions
    )
    states = ", ".join(f"{count} {status.value}" for status, count in sorted(counts.items()))
    span = _span(simulated.watched_until - simulated.began_at)
    end = "where the story ends: more was to come" if simulated.is_cut else "until nothing was left"
    failing = f" ({unconfigured} would fail: not configured)" if unconfigured else ""
    return f"{states or 'no executions'}{failing}; watched {span} of virtual time, {end}"


def _span(watched: timedelta) -> str:
    days, hours, minutes = watched.days, watched.seconds // 3600, watched.seconds // 60 % 60
    parts = ((days, "d"), (hours, "h"), (minutes, "min"))
    return " ".join(f"{count} {unit}" for count, unit in parts if count) or "less than a minute"
