"""Rows: how an execution lies in a table, and how it is read back."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from experience_runtime.domain.errors import UnknownExecution
from experience_runtime.domain.executions import (
    Attempt,
    Change,
    Execution,
    Filter,
    Status,
    execution_number,
)
from experience_runtime.domain.instants import from_ms, to_ms

COLUMNS = (
    "number",
    "status",
    "attempt",
    "begun",
    "retries",
    "cancel_on_conversion",
    "created_at",
    "requested_at",
    "due_at",
    "lease_until",
    "integration",
    "experience",
    "visitor",
    "key",
    "key_digest",
    "key_owner",
    "asked",
    "zone",
    "zone_from",
    "window",
    "reason",
    "schedule",
    "payload",
)
"""The columns of `executions`, in the order every statement lists them and `execution` reads them."""

STORED = tuple("key_is_property" if column == "key_owner" else column for column in COLUMNS)
"""The columns that are written: the owner of a key is the row's visitor, unless it is the whole property."""

Values = dict[str, Any]


def values(execution: Execution) -> Values:
    """Everything an execution holds, as a statement binds it."""
    return {
        "number": execution.number,
        "status": execution.status.value,
        "attempt": execution.attempt,
        "begun": execution.begun,
        "retries": execution.retries,
        "cancel_on_conversion": int(execution.cancel_on_conversion),
        "created_at": to_ms(execution.created_at),
        "requested_at": to_ms(execution.requested_at),
        "due_at": to_ms(execution.due_at),
        "lease_until": optional_ms(execution.lease_until),
        "integration": text(execution.integration),
        "experience": optional_text(execution.experience),
        "visitor": optional_text(execution.visitor),
        "key": optional_text(execution.key),
        "key_digest": execution.key_digest,
        "key_is_property": int(execution.key_owner == ""),
        "asked": text(execution.asked),
        "zone": text(execution.zone),
        "zone_from": text(execution.zone_from),
        "window": optional_text(execution.window),
        "reason": optional_text(execution.reason),
        "schedule": optional_text(execution.schedule),
        "payload": text(execution.payload),
    }


def execution(row: Sequence[Any]) -> Execution:
    """Read a row whose columns are COLUMNS."""
    (
        number,
        status,
        attempt,
        begun,
        retries,
        cancel_on_conversion,
        created_at,
        requested_at,
        due_at,
        lease_until,
        integration,
        experience,
        visitor,
        key,
        key_digest,
        key_owner,
        asked,
        zone,
        zone_from,
        window,
        reason,
        schedule,
        payload,
    ) = row
    return Execution(
        number=number,
        status=Status(status),
        attempt=attempt,
        begun=begun,
        retries=retries,
        cancel_on_conversion=bool(cancel_on_conversion),
        created_at=from_ms(created_at),
        requested_at=from_ms(requested_at),
        due_at=from_ms(due_at),
        lease_until=optional_instant(lease_until),
        integration=integration,
        experience=experience,
        visitor=visitor,
        key=key,
        key_digest=key_digest,
        key_owner=key_owner,
        asked=asked,
        zone=zone,
        zone_from=zone_from,
        window=window,
        reason=reason,
        schedule=schedule,
        payload=payload,
    )


def change(row: Sequence[Any]) -> Change:
    """Read a row of `history`."""
    at, from_status, to_status, reason = row
    return Change(
        at=from_ms(at),
        from_status=Status(from_status),
        to_status=Status(to_status),
        reason=reason,
    )


def birth(execution: Execution, changes: Sequence[Change]) -> Change:
    """The first change of an execution, told by its row: it was made in the state it left first."""
    born = next((change.from_status for change in changes), None) or execution.status
    return Change(at=execution.created_at, from_status=None, to_status=born, reason=None)


def attempt(row: Sequence[Any]) -> Attempt:
    """Read a row of `attempts`."""
    number, started_at, ended_at, outcome, http_status, error, answer = row
    return Attempt(
        attempt=number,
        started_at=from_ms(started_at),
        ended_at=optional_instant(ended_at),
        outcome=outcome,
        http_status=http_status,
        error=error,
        answer=answer,
    )


def conditions(filter: Filter) -> Values:
    """What `find` binds: null where a field does not filter."""
    return {
        "statuses": json.dumps([status.value for status in filter.statuses]) if filter.statuses else None,
        "integration": optional_text(filter.integration),
        "visitor": optional_text(filter.visitor),
        "experience": optional_text(filter.experience),
        "schedule": optional_text(filter.schedule),
        "reason": optional_text(filter.reason),
        "created_from": optional_ms(filter.created_from),
        "created_until": optional_ms(filter.created_until),
        "due_from": optional_ms(filter.due_from),
        "due_until": optional_ms(filter.due_until),
        "text": optional_text(filter.text),
        "text_number": None if filter.text is None else _number(filter.text),
    }


def _number(id: str) -> int:
    try:
        return min(execution_number(id), 2**63 - 1)
    except UnknownExecution:
        return -1  # no execution's


def text(value: str) -> str:
    """The text itself, with `?` for lone surrogates and U+FFFD for NULs.

    UTF-8 cannot hold the first; half of SQLite's functions stop at the second.
    """
    if not value.isascii():
        value = value.encode("utf-8", "replace").decode("utf-8")
    return value.replace("\0", "�") if "\0" in value else value


def optional_text(value: str | None) -> str | None:
    return None if value is None else text(value)


def optional_ms(instant: datetime | None) -> int | None:
    return None if instant is None else to_ms(instant)


def optional_instant(milliseconds: int | None) -> datetime | None:
    return None if milliseconds is None else from_ms(milliseconds)
