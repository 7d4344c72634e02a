"""The SQLite store: the waiting room in one file, or in memory."""

from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar

import apsw

from experience_runtime.domain.errors import AlreadyScheduled, InvalidParameter, UnknownExecution
from experience_runtime.domain.executions import (
    Attempt,
    Change,
    Execution,
    Filter,
    IfExists,
    Settlement,
    Status,
    execution_id,
    execution_number,
)
from experience_runtime.domain.instants import from_ms, to_ms
from experience_runtime.domain.visitors import Visitor
from experience_runtime.ports import Added, Page
from experience_runtime.store import rows
from experience_runtime.store.group_commit import GroupCommit
from experience_runtime.store.sqlite_file import failure, open_database
from experience_runtime.store.statements import STATEMENTS

T = TypeVar("T")

_LARGEST = 2**63 - 1  # an id can spell two bits more than SQLite's integers hold


class SqliteStore:
    """`ports.Store` over one connection: commits in groups, `synchronous=FULL`."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._connection = open_database(path)
        self._commits = GroupCommit(self._connection)

    # --- schedule and cancel

    def add(self, execution: Execution, if_exists: IfExists) -> Added:
        return self._write(lambda: self._add(execution, if_exists))

    def cancel_key(
        self, *, key_digest: bytes, key_owner: str, reason: str | None, now: datetime
    ) -> list[str]:
        bound = {"key_digest": key_digest, "key_owner": rows.text(key_owner)}
        return self._write(lambda: self._cancel_all("cancel_key", bound, reason, now))

    def key_pending_elsewhere(self, *, key_digest: bytes, key_owner: str) -> bool:
        bound = {"key_digest": key_digest, "key_owner": rows.text(key_owner)}
        return self._read(lambda: bool(self._rows("key_pending_elsewhere", bound)))

    def cancel(self, number: int, *, reason: str | None, now: datetime) -> bool:
        bound = {"number": _bindable(number)}
        return bool(self._write(lambda: self._cancel_all("cancel", bound, reason, now)))

    def convert(self, visitor: str, *, event: str, now: datetime) -> list[str]:
        bound = {"visitor": rows.text(visitor), "event": rows.text(event), "now": to_ms(now)}

        def act() -> list[str]:
            self._rows("record_conversion", bound)
            self._rows("convert_running", bound)
            return self._cancel_all("convert", bound, "conversion", now)

        return self._write(act)

    def replay(self, number: int, *, reason: str | None, now: datetime) -> Execution | None:
        return self._write(lambda: self._replay(_bindable(number), reason, now))

    # --- deliver

    def claim_due(self, *, now: datetime, lease_until: datetime, limit: int) -> list[Execution]:
        bound = {"now": to_ms(now), "lease_until": to_ms(lease_until), "limit": limit}
        claimed = self._write(lambda: self._rows("claim_due", bound))
        return sorted(map(rows.execution, claimed), key=lambda e: (e.due_at, e.number))

    def postpone(self, number: int, attempt: int, *, due_at: datetime, now: datetime) -> bool:  # noqa: ARG002 - the port's
        bound = {"number": number, "attempt": attempt, "due_at": to_ms(due_at)}
        return self._write(lambda: bool(self._rows("postpone", bound)))

    def start(self, number: int, attempt: int, *, now: datetime, lease_until: datetime) -> bool:
        bound = {"number": number, "attempt": attempt, "now": to_ms(now), "lease_until": to_ms(lease_until)}

        def act() -> bool:
            if not self._rows("start", bound):
                return False
            self._rows("begin_attempt", bound)
            self._record(number, Status.PENDING, Status.RUNNING, None, now)
            return True

        return self._write(act)

    def renew(self, held: Collection[tuple[int, int]], *, lease_until: datetime) -> None:
        def act() -> None:
            for number, attempt in held:
                bound = {"number": number, "attempt": attempt, "lease_until": to_ms(lease_until)}
                self._rows("renew", bound)

        self._write(act)

    def settle(self, number: int, attempt: int, settlement: Settlement, *, now: datetime) -> Execution | None:
        return self._write(lambda: self._settle(number, attempt, settlement, now))

    def give_back(self, *, now: datetime, everything: bool = False) -> list[Execution]:
        statement = "leased" if everything else "lapsed"
        if not self._read(lambda: self._rows(statement, {"now": to_ms(now)})):
            return []  # the usual answer costs no transaction

        def act() -> list[Execution]:
            lapsed = self._rows(statement, {"now": to_ms(now)})
            given_back = (self._give_back(rows.execution(row), now) for row in lapsed)
            return [execution for execution in given_back if execution is not None]

        return self._write(act)

    def next_wake(self) -> datetime | None:
        def act() -> list[int]:
            found = self._rows("next_due", {}) + self._rows("next_lapse", {})
            return [instant for (instant,) in found if instant is not None]

        return min(map(from_ms, self._read(act)), default=None)

    # --- look

    def execution(self, number: int) -> Execution:
        found = self._read(lambda: self._rows("execution", {"number": _bindable(number)}))
        if not found:
            raise UnknownExecution(
                f"there is no execution {execution_id(number)} in {self.path!r}; "
                "`experience executions list` shows those there are"
            )
        return rows.execution(found[0])

    def history(self, number: int) -> list[Change]:
        bound = {"number": _bindable(number)}
        found, changed = self._read(lambda: (self._rows("execution", bound), self._rows("history", bound)))
        changes = [rows.change(row) for row in changed]
        return [rows.birth(rows.execution(row), changes) for row in found] + changes

    def attempts(self, number: int) -> list[Attempt]:
        found = self._read(lambda: self._rows("attempts", {"number": _bindable(number)}))
        return [rows.attempt(row) for row in found]

    def find(self, filter: Filter, *, cursor: str | None = None, limit: int = 50) -> Page:
        before = _LARGEST if cursor is None else _read_cursor(cursor)
        # One more than asked tells whether there is a following page.
        bound = rows.conditions(filter) | {"before": before, "limit": limit + 1}
        found = [rows.execution(row) for row in self._read(lambda: self._rows("find", bound))]
        page = found[:limit]
        return Page(executions=page, next=page[-1].id if page and len(found) > limit else None)

    # --- visitors and marks

    def visitor(self, visitor_id: str) -> Visitor | None:
        found = self._read(lambda: self._rows("visitor", {"id": rows.text(visitor_id)}))
        for id, timezone, timezone_offset in found:
            return Visitor(id=id, timezone=timezone, timezone_offset=timezone_offset)
        return None

    def remember_visitor(self, visitor: Visitor, *, now: datetime) -> None:
        if visitor.id is None:
            return
        bound = {
            "id": rows.text(visitor.id),
            "timezone": rows.optional_text(visitor.timezone),
            "timezone_offset": visitor.timezone_offset,
            "now": to_ms(now),
        }
        self._write(lambda: self._rows("remember_visitor", bound))

    def allow_execute(self, *, key_digest: bytes, key_owner: str, now: datetime, per_seconds: int) -> bool:
        bound = {
            "key_digest": key_digest,
            "key_owner": rows.text(key_owner),
            "now": to_ms(now),
            "free_at": to_ms(now) + per_seconds * 1000,
        }

        def act() -> bool:
            self._rows("drop_free_marks", bound)
            return self._changed("take_mark", bound) == 1

        return self._write(act)

    def close(self) -> None:
        self._read(self._connection.close)

    # --- inside a transaction

    def _add(self, execution: Execution, if_exists: IfExists) -> Added:
        replaced = None
        if execution.status is Status.PENDING and execution.key_digest is not None:
            bound = {"key_digest": execution.key_digest, "key_owner": rows.text(execution.key_owner)}
            if if_exists is IfExists.REPLACE:
                ids = self._cancel_all("cancel_key", bound, "replaced", execution.created_at)
                replaced = ids[0] if ids else None
            elif found := self._rows("pending_under_key", bound):
                existing = rows.execution(found[0])
                if if_exists is IfExists.KEEP:
                    return Added(execution=existing, is_new=False, replaced=None)
                raise _already_scheduled(existing)
        while self._changed("insert_execution", rows.values(execution)) == 0:
            execution = replace(execution, number=execution.number + 1)
        if execution.status is Status.RUNNING:
            begun = {"number": execution.number, "attempt": execution.attempt}
            self._rows("begin_attempt", begun | {"now": to_ms(execution.created_at)})
        return Added(execution=execution, is_new=True, replaced=replaced)

    def _cancel_all(self, statement: str, bound: rows.Values, reason: str | None, now: datetime) -> list[str]:
        numbers = [n for (n,) in self._rows(statement, bound | {"reason": rows.optional_text(reason)})]
        for number in numbers:
            self._record(number, Status.PENDING, Status.CANCELLED, reason, now)
        return [execution_id(number) for number in sorted(numbers)]

    def _replay(self, number: int, reason: str | None, now: datetime) -> Execution | None:
        found = [rows.execution(row) for row in self._rows("execution", {"number": number})]
        if not found or found[0].status not in (Status.FAILED, Status.SUCCEEDED):
            return None
        if other := self._pending_under_key_of(found[0]):
            raise _already_scheduled(other)
        bound = {"number": number, "reason": rows.optional_text(reason), "now": to_ms(now)}
        replayed = self._rows("replay", bound)
        self._record(number, found[0].status, Status.PENDING, reason, now)
        return rows.execution(replayed[0])

    def _settle(
        self, number: int, attempt: int, settlement: Settlement, now: datetime, *, outcome: str | None = None
    ) -> Execution | None:
        """running -> what the settlement says; a retry that must not wait again -> cancelled."""
        status, reason = settlement.status, settlement.reason
        changes = [(Status.RUNNING, status, reason)]
        if status is Status.PENDING and (obstacle := self._obstacle(number)):
            changes.append((status, Status.CANCELLED, obstacle))
            status, reason = Status.CANCELLED, obstacle
        bound = {
            "number": number,
            "attempt": attempt,
            "status": status.value,
            "reason": rows.optional_text(reason),
            "due_at": rows.optional_ms(settlement.due_at),
        }
        found = self._rows("settle", bound)
        if not found:
            return None
        ended = {
            "number": number,
            "attempt": attempt,
            "now": to_ms(now),
            "outcome": outcome
            or ("retry" if settlement.status is Status.PENDING else settlement.status.value),
            "http_status": settlement.http_status,
            "error": rows.optional_text(settlement.error),
            "answer": rows.optional_text(settlement.answer),
        }
        self._rows("end_attempt", ended)
        for from_status, to_status, why in changes:
            self._record(number, from_status, to_status, why, now)
        return rows.execution(found[0])

    def _give_back(self, execution: Execution, now: datetime) -> Execution | None:
        if execution.status is Status.PENDING:
            self._rows("unclaim", {"number": execution.number, "attempt": execution.attempt})
            return replace(execution, lease_until=None)
        lost = Settlement(
            status=Status.PENDING if execution.begun <= execution.retries else Status.FAILED,
            reason="lost",
            error="the process that ran this attempt went away before it ended",
        )
        return self._settle(execution.number, execution.attempt, lost, now, outcome="lost")

    def _obstacle(self, number: int) -> str | None:
        """Why a running execution must not wait again: what came while it ran."""
        for row in self._rows("execution", {"number": number}):
            execution = rows.execution(row)
            if self._pending_under_key_of(execution) is not None:
                return "replaced"
            if self._rows("converted_meanwhile", {"number": number}):
                return "conversion"
        return None

    def _pending_under_key_of(self, execution: Execution) -> Execution | None:
        if execution.key_digest is None:
            return None
        bound = {"key_digest": execution.key_digest, "key_owner": rows.text(execution.key_owner)}
        found = self._rows("pending_under_key", bound)
        return rows.execution(found[0]) if found else None

    def _record(
        self, number: int, from_status: Status, to_status: Status, reason: str | None, now: datetime
    ) -> None:
        bound = {
            "execution": number,
            "at": to_ms(now),
            "from_status": from_status.value,
            "to_status": to_status.value,
            "reason": rows.optional_text(reason),
        }
        self._rows("insert_history", bound)

    # --- the connection

    def _rows(self, statement: str, bound: rows.Values) -> list[tuple[Any, ...]]:
        return self._connection.execute(STATEMENTS[statement], bound).fetchall()

    def _changed(self, statement: str, bound: rows.Values) -> int:
        self._rows(statement, bound)
        return self._connection.changes()

    def _read(self, act: Callable[[], T]) -> T:
        try:
            return self._commits.read(act)
        except apsw.Error as error:
            raise failure(self.path, error) from error

    def _write(self, act: Callable[[], T]) -> T:
        try:
            return self._commits.write(act)
        except apsw.Error as error:
            raise failure(self.path, error) from error


def _bindable(number: int) -> int:
    """The number, or one that no execution has when SQLite could not hold it."""
    return number if 0 <= number <= _LARGEST else -1


def _read_cursor(cursor: str) -> int:
    try:
        return _bindable(execution_number(cursor))
    except UnknownExecution:
        raise InvalidParameter(
            f"{cursor[:64]!r} is not a cursor; pass the `next` of the page before, unchanged"
        ) from None


def _already_scheduled(existing: Execution) -> AlreadyScheduled:
    return AlreadyScheduled(
        f"{existing.integration} already has {existing.id} pending under the key {existing.key}; "
        "cancel it first, or schedule with ifExists 'replace' or 'keep'"
    )
