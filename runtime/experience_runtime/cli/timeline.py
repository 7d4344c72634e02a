"""The timeline of a simulation: what happened when, in UTC and where the visitor lives, and why."""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import click

from experience_runtime.cli.shown import show_problem
from experience_runtime.cli.terminal import indented, styled, styled_lines, visible, wrapped
from experience_runtime.documents.why import why_planned
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
_SAID = {
    "not_triggered": "not triggered: its triggers said no",
    "pending": "pending: its triggers never called back",
}


@dataclass(frozen=True, slots=True)
class _Line:
    """One thing that happened, in the order of causes at one instant; `why` stands below it."""

    at: datetime
    zone: Zone
    visitor: str
    text: str
    colour: str | None = None
    why: Sequence[str] = ()
    order: tuple[float, ...] = (math.inf,)

    @property
    def place(self) -> str:
        """Local time where the visitor lives: `Fri 18:30 New York`."""
        local = self.zone.local(self.at)
        city = self.zone.name.rpartition("/")[2].replace("_", " ")
        return f"{DAYS[local.weekday()][:3].capitalize()} {local:%H:%M} {city}"


def show_timeline(simulated: Simulated, script: Bundle, *, verbose: bool = False) -> None:
    """Print every log line and state change in the order of virtual time, then how the story ended."""
    lines = sorted(_lines(simulated, verbose), key=lambda line: (line.at, line.order))
    places = max((len(line.place) for line in lines), default=0)
    visitors = max((len(line.visitor) for line in lines), default=0)
    day = None
    for line in lines:
        if line.at.date() != day:
            day = line.at.date()
            click.echo(styled(f"{DAYS[day.weekday()].capitalize()} {day} (UTC)", bold=True))
        where = f"  {iso(line.at)[11:]}  {line.place:<{places}}  {line.visitor:<{visitors}}"
        first, _, rest = line.text.partition("\n")
        parts = wrapped(visible(first), indent=_INDENT, used=len(where) + 2)
        text = "\n".join([*parts, *([indented(rest)] if rest else [])])
        click.echo(f"{styled(where, dim=True)}  {click.style(text, fg=line.colour)}")
        for sentence in line.why:
            for part in wrapped(_INDENT + visible(sentence), indent=_INDENT + "  "):
                click.echo(styled(part, dim=True))
    for report in simulated.reports:
        if report.outcome in _SAID:
            click.echo(styled(f"{report.visitor.id or '-'}: {_SAID[report.outcome]}", fg="yellow"))
    for part in wrapped(_summary(simulated), indent=_INDENT):
        click.echo(part)
    for report in simulated.reports:
        if report.error is not None:
            source = "" if report.error.file is None else script.source(report.error.file)
            show_problem(report.error, source=source, to_stderr=True)
    for difference in simulated.differences:
        click.echo(styled_lines(difference, fg="red"), err=True)
    if simulated.met_expectations and not simulated.differences:
        met = f"the story ended as expected: {simulated.met_expectations} of {simulated.met_expectations}"
        click.echo(styled(met, fg="green"))


def _lines(simulated: Simulated, verbose: bool) -> Iterator[_Line]:
    warned: set[tuple[str, str]] = set()  # a warning is news once, not at every call
    made: dict[str, tuple[float, ...]] = {}
    for number, report in enumerate(simulated.reports):
        made |= {id: (number, before - 0.5) for id, before in report.lines_before.items()}
        zone = visitor_zone(report.visitor, [])[0]
        for index, line in enumerate(report.log):
            news = (line["logger"], line["message"])
            if line["level"] == "warn" and news in warned:
                continue
            warned.add(news)
            at = parse_time(line["at"], now=simulated.began_at).at
            colour = {"error": "red", "warn": "yellow"}.get(line["level"])
            yield _Line(
                at,
                zone,
                visible(report.visitor.id or "-"),
                _log_text(line, verbose),
                colour,
                order=(number, index),
            )
    for execution, document in zip(simulated.executions, simulated.documents, strict=True):
        attempts, payload = iter(document["attempts"]), shown(document["payload"], _SHOWN_PAYLOAD)
        for change in simulated.histories[execution.id]:
            if change.to_status is Status.RUNNING and change.from_status is not None:
                continue  # the state that follows at the same instant says it all
            attempt = next(attempts, None) if change.from_status is Status.RUNNING else None
            is_new = change.from_status is None and change.to_status is Status.PENDING
            would_fail = (
                change.to_status is Status.SUCCEEDED and execution.integration in simulated.unconfigured
            )
            yield _Line(
                change.at,
                parse_zone(execution.zone),
                visible(execution.visitor or "-"),
                _change_text(execution, change, attempt, payload=payload, would_fail=would_fail),
                "yellow" if would_fail else _COLOURS.get(change.to_status),
                why_planned(execution) if is_new else (),
                made.get(execution.id, (math.inf,)) if change.from_status is None else (math.inf,),
            )


def _log_text(line: Mapping[str, Any], verbose: bool) -> str:
    metadata = line["metadata"]
    more = ""
    if metadata and set(metadata) != {"stack"}:
        whole = json.dumps(metadata, ensure_ascii=False)
        more = " " + (whole if verbose else shown(metadata, _SHOWN_METADATA))
    return f"{line['level']}: {line['message']}{more}  ({line['logger']})"


def _change_text(
    execution: Execution,
    change: Change,
    attempt: Mapping[str, Any] | None,
    *,
    payload: str,
    would_fail: bool,
) -> str:
    if would_fail:
        return f"would fail {execution.integration} {payload}, because: {NotConfigured.code}"
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
    reasons = [change.reason, attempt and attempt["error"]]
    because = ": ".join(reason for reason in reasons if reason)
    return text + (f", because: {because}" if because else "")


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
