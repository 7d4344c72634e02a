"""The feed of a SQL store: state changes in one order, and how far each reader has come."""

import json
from collections.abc import Callable, Sequence
from datetime import datetime

from experience_runtime.domain.access import new_secret
from experience_runtime.domain.executions import Change, Execution, Status
from experience_runtime.domain.instants import from_ms, to_ms
from experience_runtime.domain.state_changes import StateChange
from experience_runtime.engine.feed import KEPT, READER_KEPT, Delivery, Told
from experience_runtime.store import rows
from experience_runtime.store.database import Database

_AT_ONCE = 1_000


class SqlFeed:
    """`feed.Feed` in the store's own database."""

    def __init__(
        self, database: Database, insert_all: Callable[[Sequence[Execution]], Sequence[Execution]]
    ) -> None:
        self._database = database
        self._insert_all = insert_all

    def begin(self, reader: str, *, now: datetime) -> int:
        def act() -> int:
            for name in ("", rows.text(reader)):
                found = self._database.execute("begin_reader", {"name": name, "now": to_ms(now)})
            return int(found[0][0])

        return self._database.write_aside(act)

    def arrange(self) -> int:
        while self._database.read(lambda: self._database.execute("fresh_changes", {})):
            if self._database.write_aside(self._place) == 0:
                break  # another process is at it
        return self.position("") or 0

    def _place(self) -> int:
        found = self._database.execute("hold_feed_end", {})
        if not found:
            return 0
        ((end,),) = found
        count = self._database.execute_counted("place_changes", {"end": end, "limit": _AT_ONCE})
        self._database.execute("note_feed_end", {"end": end + count})
        return count

    def after(self, position: int, *, limit: int) -> Told:
        def act() -> Told:
            found = self._database.execute("changes_after", {"position": position, "limit": limit})
            numbers = {"numbers": json.dumps(sorted({row[1] for row in found}))}
            if not found:
                return Told(changes=(), position=position)
            of, tries = self._database.execute_together(
                [("executions_by_number", numbers), ("attempts_of_each", numbers)]
            )
            executions = {each.number: each for each in map(rows.execution, of)}
            attempts = {number: rows.attempt(row) for number, *row in tries}  # the last of each stays
            changes = [
                StateChange(
                    position=place,
                    change=Change(
                        at=from_ms(at),
                        from_status=None if from_status is None else Status(from_status),
                        to_status=Status(to_status),
                        reason=reason,
                        actor=actor,
                    ),
                    execution=executions[number],
                    attempt=attempts.get(number),
                )
                for place, number, at, from_status, to_status, reason, actor in found
                if number in executions
            ]
            return Told(changes=changes, position=found[-1][0])

        return self._database.read(act)

    def first(self) -> int | None:
        ((first,),) = self._database.read(lambda: self._database.execute("first_change", {}))
        return None if first is None else int(first)

    def secret(self) -> str:
        def known() -> str | None:
            found = self._database.execute("feed_secret", {})
            return str(found[0][0]) if found else None

        def make() -> str:
            self._database.execute("make_feed_secret", {"secret": new_secret()})
            return known() or ""

        return self._database.read(known) or self._database.write_aside(make)

    def position(self, reader: str) -> int | None:
        bound = {"name": rows.text(reader)}
        found = self._database.read(lambda: self._database.execute("reader_position", bound))
        return int(found[0][0]) if found else None

    def move(self, reader: str, *, start: int, end: int, deliveries: Sequence[Delivery]) -> bool:
        bound = {"name": rows.text(reader), "start": start, "end": end}
        visitors = sorted({each.execution.visitor for each in deliveries if each.execution.visitor})

        def act() -> bool:
            if self._database.execute_counted("move_reader", bound) == 0:
                return False
            for visitor in visitors:  # nobody is erased between this look and the telling
                self._database.hold(f"visitor {rows.text(visitor)}")
            numbers = {"numbers": json.dumps(sorted({each.of for each in deliveries}))}
            there = {number for (number,) in self._database.execute("numbers_there", numbers)}
            self._insert_all([each.execution for each in deliveries if each.of in there])
            return True

        return self._database.write(act) if deliveries else self._database.write_aside(act)

    def prune(self, *, now: datetime, limit: int) -> int:
        def act() -> int:
            self._database.execute("forget_readers", {"before": to_ms(now - READER_KEPT)})
            bound = {"before": to_ms(now - KEPT), "limit": limit}
            found = [number for (number,) in self._database.execute("prunable_changes", bound)]
            if found:
                self._database.execute("drop_changes", {"numbers": json.dumps(found)})
            return len(found)

        if self.position("") is None:
            return 0  # nobody has ever read
        return self._database.write_aside(act)
