"""Executions and schedules as the JSON documents show them, everywhere the same."""

import json
import re
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from experience_runtime.documents.diagnosis import diagnosis
from experience_runtime.documents.why import why, why_execution
from experience_runtime.domain.access import Token
from experience_runtime.domain.audit import differing
from experience_runtime.domain.errors import InvalidWindow
from experience_runtime.domain.executions import Attempt, Change, Execution, execution_id
from experience_runtime.domain.instants import iso
from experience_runtime.domain.planning import Plan
from experience_runtime.domain.schedules import Schedule, ScheduleRun, Timing
from experience_runtime.domain.visitor_events import VisitorEvent
from experience_runtime.domain.visitors import Visitor
from experience_runtime.domain.zones import UTC, Zone, iso_local, parse_zone

Redact = Callable[[str], str]

Shown = Callable[[str, str], str]
"""The JSON text of a payload as people may see it, by the name of its integration."""


def as_it_is(_: str, payload: str) -> str:
    """Show all of a payload."""
    return payload


def execution_document(
    execution: Execution,
    attempts: Sequence[Attempt] | None = None,
    *,
    redact: Redact,
    shown: Shown,
) -> dict[str, Any]:
    """One execution of a run, as its author sees it; with `attempts` when they are given.

    `redact` is applied to whatever anybody wrote, after `shown` to its payload. Source:
    reference/executions#attempts.
    """
    document = {
        "id": execution.id,
        "integration": execution.integration,
        "key": None if execution.key is None else redacted_value(execution.key, redact),
        "payload": redacted_value(shown(execution.integration, execution.payload), redact),
        "requested_at": iso(execution.requested_at),
        "due_at": iso(execution.due_at),
        "due_local": iso_local(execution.due_at, _zone(execution.zone)),
        "zone": execution.zone,
        "zone_from": execution.zone_from,
        "why": [redact(sentence) for sentence in why_execution(execution)],
        "status": execution.status.value,
        "reason": _redacted(execution.reason, redact),
    }
    if attempts is not None:
        document["attempts"] = [attempt_document(attempt, redact=redact) for attempt in attempts]
    return document


def listed_execution_document(
    execution: Execution, *, held: str | None, redact: Redact, shown: Shown
) -> dict[str, Any]:
    """One stored execution: whom and what it belongs to beside; `held` is what else it waits for."""
    document = execution_document(execution, redact=redact, shown=shown)
    return document | {
        "why": [*document["why"], *([held] if held else [])],
        "visitor": execution.visitor,
        "experience": execution.experience,
        "release": execution.release,
        "schedule": execution.schedule,
        "window": _window_document(execution.window),
        "cancel_on_conversion": execution.cancel_on_conversion,
        "created_at": iso(execution.created_at),
        "held": held,
        "zone_rules": execution.zone_rules,
    }


def whole_execution_document(
    execution: Execution,
    attempts: Sequence[Attempt],
    history: Sequence[Change],
    *,
    held: str | None,
    redact: Redact,
    shown: Shown,
) -> dict[str, Any]:
    """One execution with everything that is known of it: the document of `executions show --json`."""
    listed = listed_execution_document(execution, held=held, redact=redact, shown=shown)
    return listed | {
        "diagnosis": diagnosis(
            execution, attempts, history, held=held, due_local=listed["due_local"], redact=redact
        ),
        "attempts": [whole_attempt_document(attempt, redact=redact) for attempt in attempts],
        "history": [
            change_document(change, redact=redact)
            | _before(execution.integration, change.payload_before, redact=redact, shown=shown)
            for change in history
        ],
    }


def _before(integration: str, payload: str | None, *, redact: Redact, shown: Shown) -> dict[str, Any]:
    value = None if payload is None else redacted_value(shown(integration, payload), redact)
    return {"payload_changed": payload is not None, "payload_before": value}


def redacted_value(text: str, redact: Redact) -> Any:
    """The value of a JSON text, every text and number in it redacted.

    The text itself cannot be: a secret may be a number, or stand in it escaped.
    """
    top = [json.loads(text)]
    # where nothing is spelled otherwise in the text than in its values, most hold nothing to take out
    if _SPELLED_OTHERWISE.search(text) is None and redact(text) == text:
        return top[0]
    pieces = list(_pieces(top))
    said = _redacted_each(pieces, redact)
    if said == pieces:
        return top[0]
    shown = dict(zip(pieces, said, strict=True))
    waiting: list[Any] = [top]  # no recursion: it may be deep
    while waiting:
        holder = waiting.pop()
        entries: list[tuple[Any, Any]]
        if isinstance(holder, dict):
            entries = [(shown[name], value) for name, value in holder.items()]
            holder.clear()
        else:
            entries = list(enumerate(holder))
        for place, value in entries:
            holder[place] = value
            if isinstance(value, dict | list):
                waiting.append(value)
            elif _is_told(value) and shown[str(value)] != str(value):
                holder[place] = shown[str(value)]
    return top[0]


_SPELLED_OTHERWISE = re.compile(r"\\|[0-9][.eE]")
"""An escape, or a number that is perhaps not written as it is in the text."""

_BETWEEN = "\n\x1e\n"  # no address goes over the end of a line, and no secret holds this


def _redacted_each(pieces: list[str], redact: Redact) -> list[str]:
    """Each text redacted; in one go, since most hold nothing to take out."""
    whole = _BETWEEN.join(pieces)
    if whole.count(_BETWEEN) == max(0, len(pieces) - 1):
        told = redact(whole)
        if told == whole:
            return pieces
        parts = told.split(_BETWEEN)
        if len(parts) == len(pieces):
            return parts
    return [redact(piece) for piece in pieces]


def _pieces(top: list[Any]) -> dict[str, None]:
    """Every text in a value, each once: names, strings, and numbers as they are written."""
    found: dict[str, None] = {}
    waiting: list[Any] = [top]
    while waiting:
        holder = waiting.pop()
        for value in holder.values() if isinstance(holder, dict) else holder:
            if isinstance(value, dict | list):
                waiting.append(value)
            elif _is_told(value):
                found[str(value)] = None
        if isinstance(holder, dict):
            found.update(dict.fromkeys(holder))
    return found


def _is_told(value: Any) -> bool:
    return value is not None and not isinstance(value, bool | dict | list)


def _redacted(text: str | None, redact: Redact) -> str | None:
    return None if text is None else redact(text)


def _window_document(window: str | None) -> dict[str, str] | None:
    if window is None:
        return None
    day, _, time = window.partition(" ")
    return {"day": day, "time": time}


def _zone(name: str) -> Zone:
    try:
        return parse_zone(name)
    except InvalidWindow:  # this machine's list of zones lacks it: one row must not spoil a list
        return UTC


def plan_document(planned: Plan, *, created_at: datetime) -> dict[str, Any]:
    """When a request of then would run, and why: the document of `explain --json`."""
    return {
        "requested_at": iso(planned.requested_at),
        "due_at": iso(planned.due_at),
        "due_local": iso_local(planned.due_at, planned.zone),
        "zone": planned.zone.name,
        "zone_from": planned.zone_from,
        "why": why(
            created_at=created_at,
            requested_at=planned.requested_at,
            due_at=planned.due_at,
            asked=planned.asked,
            window=planned.window,
            zone=planned.zone,
            zone_from=planned.zone_from,
        ),
    }


def attempt_document(attempt: Attempt, *, redact: Redact) -> dict[str, Any]:
    return {
        "at": iso(attempt.started_at),
        "outcome": attempt.outcome,
        "status": attempt.http_status,
        "error": _redacted(attempt.error, redact),
    }


def whole_attempt_document(attempt: Attempt, *, redact: Redact) -> dict[str, Any]:
    """One attempt with its end and the excerpt of its answer, for one execution's own page."""
    return attempt_document(attempt, redact=redact) | {
        "ended_at": None if attempt.ended_at is None else iso(attempt.ended_at),
        "answer": _redacted(attempt.answer, redact),
        "next_at": None if attempt.next_at is None else iso(attempt.next_at),
        "next_because": attempt.next_because,
    }


def schedule_document(schedule: Schedule, *, redact: Redact, shown: Shown) -> dict[str, Any]:
    """One recurring schedule; its `recurrence` is the object of options that makes it."""
    return {
        "name": schedule.name,
        "integration": schedule.integration,
        "recurrence": json.loads(schedule.recurrence),
        "timezone": schedule.zone,
        "window": _window_document(schedule.window),
        "payload": redacted_value(shown(schedule.integration, schedule.payload), redact),
        "skip": json.loads(schedule.skip),
        "catch_up": schedule.catch_up.value,
        "paused_at": None if schedule.paused_at is None else iso(schedule.paused_at),
        "next_at": None if schedule.next_at is None else iso(schedule.next_at),
        "last": None if schedule.last is None else execution_id(schedule.last),
        "created_at": iso(schedule.created_at),
        "updated_at": iso(schedule.updated_at),
        "version": schedule.version,
    }


def schedule_differences(
    before: Schedule, after: Schedule, *, shown: Shown
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Of the documents of two, the members that are not the same, also where that is not shown.

    Whoever tells of them takes the secrets out.
    """

    def documents(shown: Shown) -> list[dict[str, Any]]:
        return [schedule_document(each, redact=str, shown=shown) for each in (before, after)]

    names, _ = differing(*documents(as_it_is))
    theirs, ours = documents(shown)
    return {name: theirs[name] for name in names}, {name: ours[name] for name in names}


def instants_document(instants: Sequence[datetime], zone: str) -> list[dict[str, str]]:
    """Instants in UTC, and as the clock of this zone shows them."""
    rules = _zone(zone)
    return [{"at": iso(at), "local": iso_local(at, rules)} for at in instants]


def run_document(run: ScheduleRun, *, redact: Redact) -> dict[str, Any]:
    """What became of an instant of a schedule, or of `count` of them from `at` on."""
    return {
        "at": iso(run.at),
        "outcome": run.outcome.value,
        "execution": None if run.execution is None else execution_id(run.execution),
        "reason": _redacted(run.reason, redact),
        "count": run.count,
    }


def change_document(change: Change, *, redact: Redact) -> dict[str, Any]:
    return {
        "at": iso(change.at),
        "from": None if change.from_status is None else change.from_status.value,
        "to": change.to_status.value,
        "reason": _redacted(change.reason, redact),
        "actor": change.actor,
    }


def preview_document(timing: Timing, instants: Sequence[datetime]) -> dict[str, Any]:
    """When a schedule that is not saved would run."""
    return {
        "recurrence": timing.recurrence.document,
        "timezone": timing.zone.name,
        "next": instants_document(instants, timing.zone.name),
    }


def visitor_document(visitor: Visitor) -> dict[str, Any]:
    return {"id": visitor.id, "timezone": visitor.timezone, "timezone_offset": visitor.timezone_offset}


def visitor_event_document(event: VisitorEvent, *, redact: Redact) -> dict[str, Any]:
    return {
        "at": iso(event.at),
        "received_at": iso(event.received_at),
        "type": redact(event.type),
        "data": redacted_value(event.data, redact),
    }


def token_document(token: Token) -> dict[str, Any]:
    """What may be shown of a token."""
    return {
        "name": token.name,
        "scopes": list(token.scopes),
        "origins": list(token.origins),
        "note": token.note,
        "created_at": iso(token.created_at),
        "expires_at": None if token.expires_at is None else iso(token.expires_at),
        "used_at": None if token.used_at is None else iso(token.used_at),
    }
