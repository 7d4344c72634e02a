"""Pruning: what is over and was kept long enough goes, in small batches."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from experience_runtime.domain.instants import iso, to_ms
from experience_runtime.domain.retention import RELEASES_KEPT, Kind, Pruned
from experience_runtime.domain.schedules import RESTORABLE
from experience_runtime.engine.numbering import first_number_of
from experience_runtime.store import rows
from experience_runtime.store.audit import SqlAudit
from experience_runtime.store.database import Database


class SqlPruning:
    """`keeping.Pruning` in the store's own database."""

    def __init__(self, database: Database, audit: SqlAudit) -> None:
        self._database = database
        self._audit = audit

    def step(
        self, kind: Kind, *, before: datetime, now: datetime, limit: int, pause: timedelta, rest: timedelta
    ) -> Pruned | None:
        def act() -> Pruned | None:
            self._database.execute("begin_pruning", {"kind": kind})
            found = self._database.execute("take_pruning", {"kind": kind, "now": to_ms(now)})
            if not found:
                return None
            pruned, cursor = self._batch(kind, found[0][0], before=before, limit=limit)
            if pruned.is_over:
                self._forget_removed_schedules(now)
            next_at = now + (rest if pruned.is_over else pause)
            noted = {"kind": kind, "cursor": cursor, "next_at": to_ms(next_at), "removed": pruned.removed}
            self._database.execute("note_pruning", noted)
            return pruned

        pruned = self._database.write(act)
        if pruned is not None:
            self._database.shrink()
        return pruned

    def _forget_removed_schedules(self, now: datetime) -> None:
        """Those that can be restored no more, with their runs."""
        after = {"after": to_ms(now - RESTORABLE)}
        for statement in ("drop_runs_of_removed", "drop_removed_schedules"):
            self._database.execute(statement, after)

    def remove(self, kind: Kind, *, before: datetime, now: datetime, limit: int) -> int:
        removed, cursor, is_over = 0, 0, False

        def act(removed: int, cursor: int) -> tuple[Pruned, int]:
            pruned, after = self._batch(kind, cursor, before=before, limit=limit)
            if pruned.is_over:
                told = {"removed": removed + pruned.removed, "older_than": iso(before)}
                self._audit.note("data", "purge", object=kind, at=now, after=told)
            return pruned, after

        while not is_over:
            pruned, cursor = self._database.write(partial(act, removed, cursor))
            removed, is_over = removed + pruned.removed, pruned.is_over
        self._database.shrink(whole=True)
        return removed

    def count(self, kind: Kind, *, before: datetime) -> int:
        statement = {
            "runs": "count_old_runs",
            "events": "count_old_events",
            "answers": "count_old_replies",
            "audit": "count_old_audit",
            "releases": "count_old_releases",
        }.get(kind, "count_ended_executions")
        bound = {"status": kind, "below": first_number_of(before), **_old_releases(before)}
        return int(self._database.look(lambda read: read(statement, bound))[0][0])

    def size(self) -> int:
        return int(self._database.look(lambda read: read("database_size", {}))[0][0])

    def removed(self) -> Mapping[str, int]:
        return dict(self._database.look(lambda read: read("pruned", {})))

    def _batch(self, kind: Kind, cursor: int, *, before: datetime, limit: int) -> tuple[Pruned, int]:
        """Remove what is old among the next rows after a cursor; what it was, and the next cursor."""
        match kind:
            case "runs":
                found = self._database.execute(
                    "old_runs", {"before": first_number_of(before), "limit": limit}
                )
                self._drop(("drop_runs",), [number for (number,) in found])
                return Pruned(removed=len(found), is_over=len(found) < limit), 0
            case "answers":
                bound = {"before": to_ms(before), "limit": limit}
                removed = self._database.execute_counted("drop_replies", bound)
                return Pruned(removed=removed, is_over=removed < limit), 0
            case "events":
                return self._events(cursor, before=before, limit=limit)
            case "audit":
                old = _oldest(self._database.execute("prunable_audit", {"limit": limit}), before)
                self._drop(("drop_audit",), old)
                return Pruned(removed=len(old), is_over=len(old) < limit), 0
            case "releases":
                self._database.hold("releases")  # none of them begins to run meanwhile
                unused = self._database.execute("old_releases", _old_releases(before) | {"limit": limit})
                for experience, number in unused:
                    release = {"experience": experience, "number": number}
                    self._database.execute_counted("drop_release", release)
                return Pruned(removed=len(unused), is_over=len(unused) < limit), 0
            case _:
                return self._executions(kind, cursor, before=before, limit=limit)

    def _executions(self, kind: Kind, cursor: int, *, before: datetime, limit: int) -> tuple[Pruned, int]:
        bound: rows.Values = {
            "status": kind,
            "cursor": cursor,
            "below": first_number_of(before),
            "limit": limit,
        }
        found = self._database.execute("ended_executions", bound)
        old = [number for number, ended_at in found if ended_at is None or ended_at < to_ms(before)]
        self._drop(("erase_history", "erase_attempts", "erase_execution_links", "erase_executions"), old)
        return _after(found, old, limit)

    def _events(self, cursor: int, *, before: datetime, limit: int) -> tuple[Pruned, int]:
        bound = {"before": to_ms(before), "limit": limit}
        removed = self._database.execute_counted("drop_old_exposures", bound)
        if removed == limit:  # before the conversions after them: a rate is of the same time
            return Pruned(removed=removed, is_over=False), cursor
        pruned, next_cursor = self._happened(cursor, before=before, limit=limit)
        return Pruned(removed=pruned.removed + removed, is_over=pruned.is_over), next_cursor

    def _happened(self, cursor: int, *, before: datetime, limit: int) -> tuple[Pruned, int]:
        # a cursor below zero: the conversions' turn, after the events
        if cursor >= 0:
            found = self._database.execute("prunable_events", {"cursor": cursor, "limit": limit})
            old = _oldest(found, before)
            self._drop(("drop_events",), old)
            is_over = len(old) < limit  # what came later is no older
            return Pruned(removed=len(old), is_over=False), -1 if is_over else old[-1]
        found = self._database.execute("prunable_conversions", {"cursor": -cursor - 1, "limit": limit})
        passed = _oldest(found, before)
        kept = {number for number, _, is_needed in found if is_needed}
        old = [number for number in passed if number not in kept]
        self._drop(("drop_conversions",), old)
        is_over = len(passed) < limit
        return Pruned(removed=len(old), is_over=is_over), 0 if is_over else -passed[-1] - 1

    def _drop(self, statements: Sequence[str], numbers: Sequence[int]) -> None:
        for statement in statements if numbers else ():
            self._database.execute(statement, {"numbers": json.dumps(numbers)})


def _old_releases(before: datetime) -> rows.Values:
    return {"before": to_ms(before), "kept": RELEASES_KEPT}


def _oldest(found: Sequence[tuple[Any, ...]], before: datetime) -> list[int]:
    """The numbers of the rows at the beginning that came before an instant: rows stand as they came."""
    numbers = []
    for number, came_at, *_ in found:
        if came_at >= to_ms(before):
            break
        numbers.append(number)
    return numbers


def _after(found: Sequence[tuple[Any, ...]], old: Sequence[int], limit: int) -> tuple[Pruned, int]:
    is_over = len(found) < limit
    return Pruned(removed=len(old), is_over=is_over), 0 if is_over else found[-1][0]
