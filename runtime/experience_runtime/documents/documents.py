"""Executions and schedules as the JSON documents show them, everywhere the same."""

import json
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from experience_runtime.documents.why import why, why_execution
from experience_runtime.domain.access import Token
from experience_runtime.domain.app_events import shown_payload
from experience_runtime.domain.errors import InvalidWindow
from experience_runtime.domain.executions import Attempt, Change, Execution, execution_id
from experience_runtime.domain.instants import iso
from experience_runtime.domain.planning import Plan
from experience_runtime.domain.schedules import Schedule, ScheduleRun
from experience_runtime.domain.zones import UTC, Zone, iso_local, parse_zone

Redact = Callable[[str], str]


def execution_document(
    execution: Execution,
    attempts: Sequence[Attempt] | None = None,
    *,
    held: str | None = None,
    redact: Redact = str,
) -> dict[str, Any]:
    """One execution; with `attempts` when they are given.

    `held` tells what else it waits for than its time. `redact` is applied to what anybody wrote: the
    history of others is shown without the queries of addresses, an author's own run as it is; the url of an
    event has no query anywhere. Source: reference/executions#attempts.
    """
    document = {
        "id": execution.id,
        "integration": execution.integration,
        "key": None if execution.key is None else redacted_value(execution.key, redact),
        "payload": redacted_value(shown_payload(execution.integration, execution.payload), redact),
        "requested_at": iso(execution.requested_at),
        "due_at": iso(execution.due_at),
        "due_local": iso_local(execution.due_at, _zone(execution.zone)),
        "zone": execution.zone,
        "zone_from": execution.zone_from,
        "why": [redact(sentence) for sentence in (*why_execution(execution), *([held] if held else []))],
        "status": execution.status.value,
        "reason": None if execution.reason is None else redact(execution.reason),
    }
    if attempts is not None:
        document["attempts"] = [attempt_document(attempt) for attempt in attempts]
    return document


def redacted_value(text: str, redact: Redact) -> Any:
    """The value of a JSON text, every text and number in it redacted.

    The text itself cannot be: a secret may be a number, or stand in it escaped.
    """
    top = [json.loads(text)]
    waiting: list[Any] = [top]  # no recursion: it may be deep
    while waiting:
        holder = waiting.pop()
        if isinstance(holder, dict):
            entries = [(_shown(name, redact), value) for name, value in holder.items()]
            holder.clear()
        else:
            entries = list(enumerate(holder))
        for place, value in entries:
            holder[place] = _shown(value, redact)
            if isinstance(value, dict | list):
                waiting.append(value)
    return top[0]


def _shown(value: Any, redact: Redact) -> Any:
    if value is None or isinstance(value, bool | dict | list):
        return value
    text = str(value)
    shown = redact(text)
    return value if shown == text else shown


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


def attempt_document(attempt: Attempt) -> dict[str, Any]:
    return {
        "at": iso(attempt.started_at),
        "outcome": attempt.outcome,
        "status": attempt.http_status,
        "error": attempt.error,
    }


def whole_attempt_document(attempt: Attempt) -> dict[str, Any]:
    """One attempt with its end and the excerpt of its answer, for one execution's own page."""
    ended_at = None if attempt.ended_at is None else iso(attempt.ended_at)
    return attempt_document(attempt) | {"ended_at": ended_at, "answer": attempt.answer}


def whole_execution_document(
    execution: Execution,
    attempts: Sequence[Attempt],
    history: Sequence[Change],
    *,
    held: str | None = None,
    redact: Redact = str,
) -> dict[str, Any]:
    """One execution with everything that is known of it: the document of `executions show --json`."""
    document = execution_document(execution, held=held, redact=redact)
    document["schedule"] = execution.schedule
    document["attempts"] = [whole_attempt_document(attempt) for attempt in attempts]
    document["history"] = [change_document(change, redact=redact) for change in history]
    return document


def schedule_document(schedule: Schedule, *, redact: Redact = str) -> dict[str, Any]:
    """One recurring schedule; its `recurrence` is the object of options that makes it. `redact` as above."""
    window = None if schedule.window is None else schedule.window.partition(" ")
    return {
        "name": schedule.name,
        "integration": schedule.integration,
        "recurrence": json.loads(schedule.recurrence),
        "timezone": schedule.zone,
        "window": None if window is None else {"day": window[0], "time": window[2]},
        "payload": redacted_value(schedule.payload, redact),
        "skip": json.loads(schedule.skip),
        "catch_up": schedule.catch_up.value,
        "paused_at": None if schedule.paused_at is None else iso(schedule.paused_at),
        "next_at": None if schedule.next_at is None else iso(schedule.next_at),
        "last": None if schedule.last is None else execution_id(schedule.last),
        "created_at": iso(schedule.created_at),
        "updated_at": iso(schedule.updated_at),
        "version": schedule.version,
    }


def instants_document(instants: Sequence[datetime], zone: str) -> list[dict[str, str]]:
    """Instants in UTC, and as the clock of this zone shows them."""
    rules = _zone(zone)
    return [{"at": iso(at), "local": iso_local(at, rules)} for at in instants]


def run_document(run: ScheduleRun) -> dict[str, Any]:
    """What became of an instant of a schedule, or of `count` of them from `at` on."""
    return {
        "at": iso(run.at),
        "outcome": run.outcome.value,
        "execution": None if run.execution is None else execution_id(run.execution),
        "reason": run.reason,
        "count": run.count,
    }


def change_document(change: Change, *, redact: Redact = str) -> dict[str, Any]:
    return {
        "at": iso(change.at),
        "from": None if change.from_status is None else change.from_status.value,
        "to": change.to_status.value,
        "reason": None if change.reason is None else redact(change.reason),
    }


def token_document(token: Token) -> dict[str, Any]:
    """What may be shown of a token."""
    return {
        "name": token.name,
        "scopes": list(token.scopes),
        "origins": list(token.origins),
        "created_at": iso(token.created_at),
    }
