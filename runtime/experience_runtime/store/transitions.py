"""Transitions: the state changes of executions, each with its row of history; inside a transaction."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from experience_runtime.domain.errors import AlreadyScheduled, Conflict
from experience_runtime.domain.executions import (
    TRANSITIONS,
    Execution,
    NewPayload,
    Settlement,
    Settling,
    Status,
    execution_id,
)
from experience_runtime.domain.instants import iso, to_ms
from experience_runtime.domain.zones import rules_version
from experience_runtime.engine.stores import RetryAt
from experience_runtime.store import rows
from experience_runtime.store.database import Database


class Transitions:
    """Changes rows of `executions`; only inside `Database.write`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def start_all(
        self, claimed: Mapping[tuple[int, int], datetime], lease_until: datetime
    ) -> set[tuple[int, int]]:
        """pending -> running for each that still may; three statements, however many they are."""
        held = json.dumps(list(claimed))
        bound = {"held": held, "lease_until": to_ms(lease_until)}
        started = {(number, attempt) for number, attempt in self._database.execute("start", bound)}
        begun = {"begun": json.dumps([[*key, to_ms(claimed[key])] for key in started])}
        self._database.execute("begin_attempts", begun)
        self._database.execute("record_starts", begun)
        return started

    def settle_all(self, settlings: Sequence[Settling]) -> list[Execution | None]:
        """running -> what each settlement says; None for one that had moved on. In the order given."""
        for each in settlings:
            _check(Status.RUNNING, each.settlement.status)
        ends = [each for each in settlings if each.settlement.status is not Status.PENDING]
        ended = self._end_all(ends) if ends else {}
        return [
            ended.pop((each.number, each.attempt), None)
            if each.settlement.status is not Status.PENDING
            else self.settle(each.number, each.attempt, each.settlement, each.now)
            for each in settlings
        ]

    def _end_all(self, settlings: Sequence[Settling]) -> dict[tuple[int, int], Execution]:
        """running -> succeeded | failed, in three statements for all of them."""
        wanted = {(each.number, each.attempt): _ended(each) for each in reversed(settlings)}
        found = self._database.execute("settle_ended", {"ended": json.dumps(list(wanted.values()))})
        settled = {(each.number, each.attempt): each for each in map(rows.execution, found)}
        ended = json.dumps([wanted[key] for key in settled])
        self._database.execute("end_attempts", {"ended": ended})
        self._database.execute("record_ends", {"ended": ended})
        return settled

    def cancel_all(
        self,
        statement: str,
        bound: rows.Values,
        reason: str | None,
        now: datetime,
        *,
        actor: str | None = None,
    ) -> list[str]:
        found = self._database.execute(statement, bound | {"reason": rows.optional_text(reason)})
        return self.record_cancelled(found, reason, now, actor=actor)

    def record_cancelled(
        self, found: Sequence[tuple[int]], reason: str | None, now: datetime, *, actor: str | None = None
    ) -> list[str]:
        """Record what a statement has cancelled; return the ids. `actor`: who did it by hand."""
        numbers = [number for (number,) in found]
        for number in numbers:
            self._record(number, Status.PENDING, Status.CANCELLED, reason, now, actor=actor)
        return [execution_id(number) for number in sorted(numbers)]

    def replay(
        self,
        number: int,
        reason: str | None,
        now: datetime,
        *,
        actor: str | None = None,
        changed: NewPayload | None = None,
    ) -> Execution | None:
        found = self._hold_to_wait_again(number, (Status.FAILED, Status.SUCCEEDED))
        return found and self._wait_again("replay", found, reason, now, actor, changed)

    def restore(
        self, number: int, reason: str | None, now: datetime, *, actor: str | None = None
    ) -> Execution | None:
        found = self._hold_to_wait_again(number, (Status.CANCELLED,))
        if found and found.due_at <= now:
            raise Conflict(
                f"{found.id} was due at {iso(found.due_at)}, which is past; "
                "schedule it anew if it is still meant"
            )
        return found and self._wait_again("restore", found, reason, now, actor)

    def _hold_to_wait_again(self, number: int, expected: Sequence[Status]) -> Execution | None:
        """Hold key, person and row of what is to be pending again; None when it is in another state."""
        ids: Sequence[str] = ()
        for row in self._database.execute("execution", {"number": number}):
            self.hold_key(rows.execution(row))
            ids = self.hold_person(rows.execution(row).visitor or "")
        found = [rows.execution(row) for row in self._database.execute("hold_execution", {"number": number})]
        if not found or found[0].status not in expected:
            return None
        if other := self._pending_under_key_of(found[0]):
            raise already_scheduled(other)
        if self._is_cancelled_by_conversion(found[0]) or any(
            self._database.execute("converted_since", {"number": number, "visitor": rows.text(visitor)})
            for visitor in ids
        ):
            raise Conflict(
                f"{found[0].id} was to be cancelled by a conversion, and {found[0].visitor} has converted "
                "since it was scheduled; schedule it anew if it is still meant"
            )
        return found[0]

    def _is_cancelled_by_conversion(self, found: Execution) -> bool:
        """Also when the machine's clock was put back, and the conversion seems the earlier of the two."""
        if found.status is not Status.CANCELLED or not found.cancel_on_conversion:
            return False
        return found.reason == "conversion" or bool(
            self._database.execute("converted_meanwhile", {"number": found.number})
        )

    def _wait_again(
        self,
        statement: str,
        found: Execution,
        reason: str | None,
        now: datetime,
        actor: str | None,
        new: NewPayload | None = None,
    ) -> Execution | None:
        bound = {"number": found.number, "reason": rows.optional_text(reason), "now": to_ms(now)}
        if statement == "replay":
            bound |= {
                "payload": None if new is None else new.payload,
                "pace_key": None if new is None else rows.text(new.pace_key),
            }
        changed = self._database.execute(statement, bound)
        if not changed:
            return None
        before = None if new is None else found.payload
        self._record(
            found.number, found.status, Status.PENDING, reason, now, actor=actor, payload_before=before
        )
        return rows.execution(changed[0])

    def move(
        self, number: int, due_at: datetime, reason: str | None, now: datetime, *, actor: str | None = None
    ) -> Execution | None:
        """pending -> pending, due at another instant; a claim that has not begun loses it."""
        found = [rows.execution(row) for row in self._database.execute("hold_execution", {"number": number})]
        if not found or found[0].status is not Status.PENDING:
            return None
        bound = {"number": number, "due_at": to_ms(due_at), "zone_rules": rules_version()}
        moved = self._database.execute("move", bound)
        because = f": {reason}" if reason else ""
        why = f"moved from {iso(found[0].due_at)} to {iso(due_at)}{because}"
        self._record(number, Status.PENDING, Status.PENDING, why, now, actor=actor)
        return rows.execution(moved[0])

    def settle(
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
            "is_held": int(settlement.held),
            "now": to_ms(now),
        }
        found = self._database.execute("settle", bound)
        if not found:
            return None
        ended = {
            "number": number,
            "attempt": attempt,
            "now": to_ms(now),
            "outcome": outcome or settlement.outcome,
            "http_status": settlement.http_status,
            "error": rows.optional_text(settlement.error),
            "answer": rows.optional_text(settlement.answer),
            "next_at": rows.optional_ms(settlement.due_at) if status is Status.PENDING else None,
            "next_because": rows.optional_text(settlement.because) if status is Status.PENDING else None,
        }
        self._database.execute("end_attempt", ended)
        for from_status, to_status, why in changes:
            self._record(number, from_status, to_status, why, now)
        return rows.execution(found[0])

    def give_back(
        self, execution: Execution, now: datetime, retry_at: RetryAt | None = None
    ) -> Execution | None:
        if execution.status is Status.PENDING:
            self._database.execute("unclaim", {"number": execution.number, "attempt": execution.attempt})
            return replace(execution, lease_until=None)
        is_over = execution.begun > execution.retries
        times = "once" if execution.begun == 1 else f"{execution.begun} times"
        lost = Settlement(
            status=Status.FAILED if is_over else Status.PENDING,
            reason="lost",
            due_at=None if is_over or retry_at is None else retry_at(execution),
            error="the process that ran this attempt went away before it ended, and no answer was kept: "
            f"it may have been delivered. It has been in flight {times}",
        )
        return self.settle(execution.number, execution.attempt, lost, now, outcome="lost")

    def _gives_way(self, execution: Execution) -> bool:
        """Whether another execution waits under this one's key, or a newer one runs."""
        if execution.key_digest is None:
            return False
        bound = {"key_digest": execution.key_digest, "key_owner": rows.text(execution.key_owner)}
        newer = bound | {"number": execution.number}
        return bool(
            self._database.execute("pending_under_key", bound)
            or self._database.execute("newer_running", newer)
        )

    def hold_key(self, execution: Execution) -> None:
        """Let nobody else decide about this key meanwhile; before any row of it is locked."""
        if execution.key_digest is not None:
            self._database.hold(f"key {execution.key_digest.hex()} {execution.key_owner}")

    def hold_person(self, visitor: str) -> Sequence[str]:
        """Let no conversion of this person come meanwhile; after the key, before any row. Return the ids."""
        found = [id for (id,) in self._database.execute("ids_of_person", {"visitor": rows.text(visitor)})]
        ids = found or [rows.text(visitor)]
        for each in ids:  # in one order, so that no two wait for each other
            self._database.hold(f"visitor {each}")
        return ids

    def _obstacle(self, number: int) -> str | None:
        """Why a running execution must not wait again: what came while it ran."""
        for row in self._database.execute("execution", {"number": number}):
            self.hold_key(rows.execution(row))
        # with its row held, no conversion comes between this look and the settling
        for row in self._database.execute("hold_execution", {"number": number}):
            execution = rows.execution(row)
            if self._gives_way(execution):
                return "replaced"
            if self._database.execute("converted_meanwhile", {"number": number}):
                return "conversion"
        return None

    def _pending_under_key_of(self, execution: Execution) -> Execution | None:
        if execution.key_digest is None:
            return None
        bound = {"key_digest": execution.key_digest, "key_owner": rows.text(execution.key_owner)}
        found = self._database.execute("pending_under_key", bound)
        return rows.execution(found[0]) if found else None

    def _record(
        self,
        number: int,
        from_status: Status,
        to_status: Status,
        reason: str | None,
        now: datetime,
        *,
        actor: str | None = None,
        payload_before: str | None = None,
    ) -> None:
        _check(from_status, to_status)
        bound = {
            "execution": number,
            "at": to_ms(now),
            "from_status": from_status.value,
            "to_status": to_status.value,
            "reason": rows.optional_text(reason),
            "actor": rows.optional_text(actor),
            "payload_before": payload_before,
        }
        self._database.execute("insert_history", bound)


def _check(from_status: Status, to_status: Status) -> None:
    """Raise ValueError for a change that is none, before it is on disk: the caller has a defect."""
    if to_status not in TRANSITIONS[from_status]:
        raise ValueError(f"no execution goes from {from_status} to {to_status}; see TRANSITIONS")


def _ended(settling: Settling) -> list[Any]:
    """What the statements of an end read, by place."""
    settlement = settling.settlement
    return [
        settling.number,
        settling.attempt,
        settlement.status.value,
        rows.optional_text(settlement.reason),
        to_ms(settling.now),
        settlement.http_status,
        rows.optional_text(settlement.error),
        rows.optional_text(settlement.answer),
    ]


def already_scheduled(existing: Execution) -> AlreadyScheduled:
    return AlreadyScheduled(
        f"{existing.integration} already has {existing.id} pending under the key {existing.key}; "
        "cancel it first, or schedule with ifExists 'replace' or 'keep'"
    )
