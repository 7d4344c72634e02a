"""Schedules on SQL: rows that fire executions, in the transaction that moves them on."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from experience_runtime.documents.documents import Shown, schedule_differences, schedule_document
from experience_runtime.domain.audit import differing
from experience_runtime.domain.errors import Conflict, UnknownSchedule
from experience_runtime.domain.executions import Execution, execution_id
from experience_runtime.domain.instants import from_ms, to_ms
from experience_runtime.domain.schedules import RESTORABLE, Firing, Outcome, Schedule, ScheduleRun
from experience_runtime.domain.values import shown
from experience_runtime.measured import hearer
from experience_runtime.store import rows
from experience_runtime.store.audit import SqlAudit
from experience_runtime.store.database import Database
from experience_runtime.store.journal import Journal

KEPT_RUNS = 1000


class SqlSchedules:
    """`recurring.Schedules` over the database of a SqlStore, whose `insert` puts an execution there."""

    def __init__(
        self,
        database: Database,
        journal: Journal,
        audit: SqlAudit,
        insert: Callable[[Execution], Execution],
        shown: Shown,
    ) -> None:
        """`shown` is applied to the payloads that the audit keeps."""
        self._shown = shown
        self._database = database
        self._journal = journal
        self._audit = audit
        self._insert = insert

    def put(self, schedule: Schedule, *, replacing: Schedule | None) -> bool:
        bound = rows.schedule_values(schedule)
        statement = "insert_schedule"
        if replacing is not None:
            statement = "replace_schedule"
            bound |= {
                "expected_version": replacing.version,
                "expected_next_at": rows.optional_ms(replacing.next_at),
            }

        before: Mapping[str, Any] | None = None
        if replacing is None:
            _, after = differing({}, self._told(schedule))
        else:
            before, after = map(_set, schedule_differences(replacing, schedule, shown=self._shown))

        def act() -> bool:
            if self._database.execute_counted(statement, bound) == 0:
                return False
            if replacing is None and self._database.execute_counted("forget_removed_schedule", bound):
                self._database.execute("remove_runs", bound)  # of another schedule of this name
            self._audit.note(
                "schedule",
                _action(replacing, schedule),
                object=schedule.name,
                at=schedule.updated_at,
                before=before,
                after=after,
            )
            return True

        return self._journal.write(f"change of the schedule {schedule.name}", act)

    def schedule(self, name: str) -> Schedule:
        bound = {"name": rows.text(name)}
        found = self._database.read(lambda: self._database.execute("schedule", bound))
        if not found:
            raise self._unknown(name)
        return rows.schedule(found[0])

    def schedules(self) -> list[Schedule]:
        return [
            rows.schedule(row) for row in self._database.read(lambda: self._database.execute("schedules", {}))
        ]

    def remove(self, name: str, *, now: datetime) -> None:
        bound = {"name": rows.text(name)}

        def act() -> None:
            found = self._database.execute("schedule", bound)
            if self._database.execute_counted("remove_schedule", bound) == 0:
                raise self._unknown(name)
            schedule = rows.schedule(found[0])
            after = {"after": to_ms(now - RESTORABLE)}
            self._database.execute("drop_runs_of_removed", after)
            self._database.execute("drop_removed_schedules", after)
            kept = {"now": to_ms(now), "schedule": json.dumps(rows.schedule_values(schedule))}
            self._database.execute("keep_removed_schedule", bound | kept)
            self._audit.note("schedule", "remove", object=name, at=now, before=self._told(schedule))

        self._journal.write(f"removal of the schedule {name}", act)

    def removed(self, *, now: datetime) -> list[tuple[Schedule, datetime]]:
        bound = {"after": to_ms(now - RESTORABLE)}
        found = self._database.read(lambda: self._database.execute("removed_schedules", bound))
        return [(rows.kept_schedule(text), from_ms(removed_at)) for text, removed_at in found]

    def restore(self, name: str, change: Callable[[Schedule], Schedule], *, now: datetime) -> Schedule:
        bound = {"name": rows.text(name), "after": to_ms(now - RESTORABLE)}

        def act() -> Schedule:
            found = self._database.execute("removed_schedule", bound)
            if not found:
                raise UnknownSchedule(
                    f"no schedule {shown(name)} was removed from {self._database.name!r} within a day; "
                    "`experience audit list --kind schedule --action remove` shows what each one was"
                )
            schedule = change(rows.kept_schedule(found[0][0]))
            if self._database.execute_counted("insert_schedule", rows.schedule_values(schedule)) == 0:
                raise Conflict(f"there is a schedule {name} again; remove that one first, or leave it")
            self._database.execute("forget_removed_schedule", bound)
            self._audit.note("schedule", "restore", object=name, at=now, after=self._told(schedule))
            return schedule

        return self._journal.write(
            f"restoring of the schedule {name}",
            act,
            as_json=lambda _: None,
            from_json=lambda _: rows.schedule(self._database.execute("schedule", bound)[0]),
        )

    def runs(self, name: str, *, limit: int) -> list[ScheduleRun]:
        bound = {"name": rows.text(name), "limit": limit}
        return [
            _run(row) for row in self._database.read(lambda: self._database.execute("schedule_runs", bound))
        ]

    def due(self, *, now: datetime, limit: int) -> list[Schedule]:
        bound = {"now": to_ms(now), "limit": limit}
        return [
            rows.schedule(row)
            for row in self._database.read(lambda: self._database.execute("due_schedules", bound))
        ]

    def next_at(self) -> datetime | None:
        found = self._database.read(lambda: self._database.execute("next_schedule", {}))
        return from_ms(found[0][0]) if found else None

    def fire(self, firings: Sequence[Firing], *, now: datetime) -> list[ScheduleRun | None]:
        moved: list[Firing] = []

        def act() -> list[ScheduleRun | None]:
            moved.clear()
            return [self._fire(firing, now, moved) for firing in firings]

        runs = self._database.write(act)
        for record in (*(each.record for each in moved), *runs):
            if record is not None:
                hearer().fired(record.outcome.value, record.count)
        return runs

    def fire_now(self, name: str, execution: Execution, *, now: datetime) -> Execution:
        def act() -> Execution:
            found = self._database.execute("last_fired", {"name": name})
            if not found:
                raise self._unknown(name)
            if (number := self._not_over(name)) is not None:
                raise Conflict(
                    f"{execution_id(number)} of the schedule {name} is not over, and runs never overlap; "
                    "wait for it, or cancel it first"
                )
            inserted = self._insert_last(name, execution, now)
            self._audit.note("schedule", "run", object=name, at=now, after={"execution": inserted.id})
            return inserted

        return self._journal.write(
            "run",
            act,
            as_json=lambda execution: execution.number,
            from_json=self._journal.execution_from_json,
        )

    # --- inside a transaction

    def _fire(self, firing: Firing, now: datetime, moved_on: list[Firing]) -> ScheduleRun | None:
        schedule, execution = firing.schedule, firing.execution
        bound = {
            "name": schedule.name,
            "version": schedule.version,
            "expected_next_at": rows.optional_ms(schedule.next_at),
            "next_at": rows.optional_ms(firing.next_at),
            "look_at": rows.optional_ms(firing.look_at),
        }
        moved = self._database.execute("move_schedule_on", bound)
        if not moved:
            return None
        moved_on.append(firing)
        if firing.record is not None:
            self._record(schedule.name, firing.record)
        if execution is None:
            return None
        if (number := self._not_over(schedule.name)) is not None:
            skipped = ScheduleRun(
                at=execution.requested_at,
                outcome=Outcome.SKIPPED,
                recorded_at=now,
                execution=number,
                reason=f"{execution_id(number)} was not over",
            )
            return self._record(schedule.name, skipped)
        inserted = self._insert_last(schedule.name, execution, now)
        return _fired(inserted, now)

    def _insert_last(self, name: str, execution: Execution, now: datetime) -> Execution:
        inserted = self._insert(execution)
        self._database.execute("fired_last", {"name": name, "number": inserted.number})
        self._record(name, _fired(inserted, now))
        return inserted

    def _not_over(self, name: str) -> int | None:
        """The number of an execution of this schedule that waits or runs, if one does."""
        return next((number for (number,) in self._database.execute("not_over", {"name": name})), None)

    def _record(self, name: str, run: ScheduleRun) -> ScheduleRun:
        bound = {
            "name": name,
            "at": to_ms(run.at),
            "outcome": run.outcome.value,
            "recorded_at": to_ms(run.recorded_at),
            "execution": run.execution,
            "reason": rows.optional_text(run.reason),
            "count": run.count,
        }
        self._database.execute("record_run", bound)
        self._database.execute("drop_old_runs", {"name": name, "kept": KEPT_RUNS})
        return run

    def _told(self, schedule: Schedule) -> dict[str, Any]:
        return _set(schedule_document(schedule, redact=str, shown=self._shown))

    def _unknown(self, name: str) -> UnknownSchedule:
        return UnknownSchedule(
            f"there is no schedule {shown(name)} in {self._database.name!r}; "
            "`experience schedules list` shows those there are"
        )


_OWN = ("name", "last", "created_at", "updated_at", "version")
"""What a schedule's document says that nobody sets."""


def _set(document: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name not in _OWN}


def _action(before: Schedule | None, after: Schedule) -> str:
    if before is None or (before.paused_at is None) == (after.paused_at is None):
        return "set"
    return "resume" if after.paused_at is None else "pause"


def _fired(execution: Execution, now: datetime) -> ScheduleRun:
    return ScheduleRun(
        at=execution.requested_at,
        outcome=Outcome.FIRED,
        recorded_at=now,
        execution=execution.number,
        reason=execution.asked,
    )


def _run(row: Sequence[Any]) -> ScheduleRun:
    at, outcome, recorded_at, execution, reason, count = row
    return ScheduleRun(
        at=from_ms(at),
        outcome=Outcome(outcome),
        recorded_at=from_ms(recorded_at),
        execution=execution,
        reason=reason,
        count=count,
    )
