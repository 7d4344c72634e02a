"""Executions as the JSON documents show them, everywhere the same. Source: design 6."""

import json
from collections.abc import Sequence
from typing import Any

from experience_runtime.domain.errors import InvalidWindow
from experience_runtime.domain.executions import Attempt, Change, Execution
from experience_runtime.domain.instants import iso
from experience_runtime.domain.zones import UTC, Zone, iso_local, parse_zone
from experience_runtime.explain import why_execution


def execution_document(execution: Execution, attempts: Sequence[Attempt] | None = None) -> dict[str, Any]:
    """One execution; with `attempts` only when they are given."""
    document = {
        "id": execution.id,
        "integration": execution.integration,
        "key": None if execution.key is None else json.loads(execution.key),
        "payload": json.loads(execution.payload),
        "requested_at": iso(execution.requested_at),
        "due_at": iso(execution.due_at),
        "due_local": iso_local(execution.due_at, _zone(execution)),
        "zone": execution.zone,
        "zone_from": execution.zone_from,
        "why": why_execution(execution),
        "status": execution.status.value,
        "reason": execution.reason,
    }
    if attempts is not None:
        document["attempts"] = [attempt_document(attempt) for attempt in attempts]
    return document


def _zone(execution: Execution) -> Zone:
    try:
        return parse_zone(execution.zone)
    except InvalidWindow:  # this machine's list of zones lacks it: one row must not spoil a list
        return UTC


def attempt_document(attempt: Attempt) -> dict[str, Any]:
    return {
        "at": iso(attempt.started_at),
        "outcome": attempt.outcome,
        "status": attempt.http_status,
        "error": attempt.error,
    }


def change_document(change: Change) -> dict[str, Any]:
    return {
        "at": iso(change.at),
        "from": None if change.from_status is None else change.from_status.value,
        "to": change.to_status.value,
        "reason": change.reason,
    }
