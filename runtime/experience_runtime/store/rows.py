"""Rows: how an execution and a schedule lie in their tables, and how they are read back."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from operator import attrgetter
from typing import Any

from experience_runtime.domain.executions import (
    Attempt,
    Change,
    Execution,
    Filter,
    Status,
    id_part,
)
from experience_runtime.domain.instants import from_ms, to_ms
from experience_runtime.domain.schedules import CatchUp, Schedule

Values = dict[str, Any]

LARGEST = 2**63 - 1
"""The largest integer that a database holds; an id can spell two bits more."""


@dataclass(frozen=True, slots=True)
class Column:
    """One field of a row: how it is bound, and how it is read back. `stored` names what an insert writes
    where that is another column."""

    name: str
    write: Callable[[Any], Any] | None = None
    read: Callable[[Any], Any] | None = None
    stored: str | None = None


def values(execution: Execution) -> Values:
    """Everything an execution holds, as a statement binds it."""
    found = dict(zip(STORED, _OF_EXECUTION(execution), strict=True))
    for name, write in _WRITTEN:
        found[name] = write(found[name])
    return found


def execution(row: Sequence[Any]) -> Execution:
    """Read a row whose columns are EXECUTION."""
    fields = dict(zip(_NAMES, row, strict=True))
    for name, read in _READ:
        fields[name] = read(fields[name])
    return Execution(**fields)


def schedule_values(schedule: Schedule) -> Values:
    """Everything a schedule holds, as a statement binds it."""
    return bound(SCHEDULE, schedule)


def schedule(row: Sequence[Any]) -> Schedule:
    """Read a row whose columns are SCHEDULE."""
    return Schedule(**read(SCHEDULE, row))


def kept_schedule(text: str) -> Schedule:
    """Read what `schedule_values` gave, kept as JSON."""
    kept = json.loads(text)
    return schedule([kept.get(column.stored or column.name) for column in SCHEDULE])


def bound(table: Sequence[Column], row: object) -> Values:
    """What a statement binds of a row's object."""
    found = [(column, getattr(row, column.name)) for column in table]
    return {
        column.stored or column.name: value if column.write is None else column.write(value)
        for column, value in found
    }


def read(table: Sequence[Column], row: Sequence[Any]) -> Values:
    """The fields of a row's object, by name."""
    return {
        column.name: value if column.read is None else column.read(value)
        for column, value in zip(table, row, strict=True)
    }


def change(row: Sequence[Any]) -> Change:
    """Read a row of `history`."""
    at, from_status, to_status, reason, actor, payload_before = row
    return Change(
        at=from_ms(at),
        from_status=_status(from_status),
        to_status=_status(to_status),
        reason=reason,
        actor=actor,
        payload_before=payload_before,
    )


def birth(execution: Execution, changes: Sequence[Change]) -> Change:
    """The first change of an execution, told by its row: it was made in the state it left first."""
    born = next((change.from_status for change in changes), None) or execution.status
    return Change(at=execution.created_at, from_status=None, to_status=born, reason=None)


def attempt(row: Sequence[Any]) -> Attempt:
    """Read a row of `attempts`."""
    number, started_at, ended_at, outcome, http_status, error, answer, next_at, next_because = row
    return Attempt(
        attempt=number,
        started_at=from_ms(started_at),
        ended_at=optional_instant(ended_at),
        outcome=outcome,
        http_status=http_status,
        error=error,
        answer=answer,
        next_at=optional_instant(next_at),
        next_because=next_because,
    )


def conditions(filter: Filter) -> Values:
    """What `find` binds: null where a field does not filter."""
    states = [status.value for status in filter.statuses]
    ends = {
        **_ends("finished", filter.finished_from, filter.finished_until),
        **_ends("failed", filter.failed_from, filter.failed_until),
    }
    return {
        "status": states[0] if len(states) == 1 else None,
        "statuses": json.dumps(states) if len(states) > 1 else None,
        # what ended in a time is found by that, whatever its state
        "ended": 1 if states and set(states) <= _ENDED and not ends else None,
        "integration": optional_text(filter.integration),
        "visitor": optional_text(filter.visitor),
        "experience": optional_text(filter.experience),
        "schedule": optional_text(filter.schedule),
        "reason": optional_text(filter.reason),
        "created_from": optional_ms(filter.created_from),
        "created_until": optional_ms(filter.created_until),
        "due_from": optional_ms(filter.due_from),
        "due_until": optional_ms(filter.due_until),
        "of_experiences": 1 if filter.of_experiences else None,
        **ends,
        **_letters(f"{filter.text or ''}{filter.payload or ''}"),
        "payload_part": None if filter.payload is None else text(filter.payload).lower(),
        **({} if filter.text is None else _text(filter.text)),
    }


def _ends(what: str, since: datetime | None, until: datetime | None) -> Values:
    if since is None and until is None:
        return {}
    return {
        f"{what}_from": -LARGEST if since is None else to_ms(since),
        f"{what}_until": LARGEST if until is None else to_ms(until),
    }


def _letters(searched: str) -> Values:
    """The letters outside ASCII of what is searched, as capitals and as small ones, in one order."""
    pairs = {(each.upper(), each.lower()) for each in text(searched) if not each.isascii()}
    single = sorted(pair for pair in pairs if len(pair[0]) == len(pair[1]) == 1 and pair[0] != pair[1])
    return {
        "capitals": "".join(capital for capital, _ in single),
        "small": "".join(small for _, small in single),
    }


def _text(part: str) -> Values:
    """What is searched, in lower case; a part of an id is compared with the bits of the number."""
    number, length = id_part(part) or (0, 0)
    return {
        "text": text(part).lower(),
        "id_part": number if number <= LARGEST else -1,  # no execution's: a whole id can spell two bits more
        "id_mask": min((1 << 5 * length) - 1, LARGEST),
        "id_room": 13 - length,
    }


_ENDED = frozenset(status.value for status in (Status.SUCCEEDED, Status.FAILED, Status.CANCELLED))


def bindable(number: int) -> int:
    """The number, or one that no execution has when a database could not hold it."""
    return number if 0 <= number <= LARGEST else -1


@cache
def _status(word: str) -> Status:
    return Status(word)  # a look-up of the enumeration's own takes ten times as long


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


EXECUTION = (
    Column("number"),
    Column("status", str, _status),
    Column("attempt"),
    Column("begun"),
    Column("retries"),
    Column("cancel_on_conversion", int, bool),
    Column("created_at", to_ms, from_ms),
    Column("requested_at", to_ms, from_ms),
    Column("due_at", to_ms, from_ms),
    Column("lease_until", optional_ms, optional_instant),
    Column("integration", text),
    Column("experience", optional_text),
    Column("release"),
    Column("visitor", optional_text),
    Column("key", optional_text),
    Column("key_digest"),
    # the owner of a key is the row's visitor, unless it is the whole property
    Column("key_owner", lambda owner: int(owner == ""), stored="key_is_property"),
    Column("asked", text),
    Column("zone", text),
    Column("zone_from", text),
    Column("zone_rules"),
    Column("site", optional_text),
    Column("window", optional_text),
    Column("reason", optional_text),
    Column("schedule", optional_text),
    Column("pace_key", text),
    Column("held_at", optional_ms, optional_instant),
    Column("payload", text),
)
"""The columns of `executions`, in the order every statement lists them and `execution` reads them."""

STORED = tuple(column.stored or column.name for column in EXECUTION)
"""The columns of `executions` that are written."""

# no table is read and written as often: what its columns say is looked up once
_NAMES = tuple(column.name for column in EXECUTION)
_OF_EXECUTION = attrgetter(*_NAMES)
_WRITTEN = [(stored, column.write) for stored, column in zip(STORED, EXECUTION, strict=True) if column.write]
_READ = [(column.name, column.read) for column in EXECUTION if column.read]

SCHEDULE = (
    Column("name"),
    Column("integration", text),
    Column("recurrence"),
    Column("zone"),
    Column("window"),
    Column("skip"),
    Column("catch_up", str, CatchUp),
    Column("created_at", to_ms, from_ms),
    Column("updated_at", to_ms, from_ms),
    Column("next_at", optional_ms, optional_instant),
    Column("paused_at", optional_ms, optional_instant),
    Column("last"),
    Column("version"),
    Column("payload", text),
)
"""The columns of `schedules`, in the order every statement lists them and `schedule` reads them."""
