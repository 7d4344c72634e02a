"""The visitors of a store: who is known, and which ids are one person's."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Generic, TypeVar

from experience_runtime.domain.errors import Conflict
from experience_runtime.domain.instants import to_ms
from experience_runtime.domain.values import shown
from experience_runtime.domain.visitors import Visitor
from experience_runtime.store import rows
from experience_runtime.store.audit import SqlAudit
from experience_runtime.store.database import Database

D = TypeVar("D", bound=Database)

MOST_IDS = 100
"""Of one person."""


class SqlVisitors(Generic[D]):
    """`stores.Visitors` in the store's own database."""

    database: D
    audit: SqlAudit

    def visitor(self, visitor_id: str) -> Visitor | None:
        found = self.database.read(lambda: self.database.execute("visitor", {"id": rows.text(visitor_id)}))
        for id, timezone, timezone_offset in found:
            return Visitor(id=id, timezone=timezone, timezone_offset=timezone_offset)
        return None

    def remember_visitor(self, visitor: Visitor, *, now: datetime) -> None:
        self.remember_visitors([visitor], now=now)

    def remember_visitors(self, visitors: Sequence[Visitor], *, now: datetime) -> None:
        known = [each for each in visitors if each.id is not None]
        if known:
            self.database.write(lambda: self._remember_each(known, now))

    def _remember_each(self, visitors: Sequence[Visitor], now: datetime) -> None:
        for each in visitors:
            self._remember(each, now)

    def _remember(self, visitor: Visitor, now: datetime) -> None:
        bound = {
            "id": rows.optional_text(visitor.id),
            "timezone": rows.optional_text(visitor.timezone),
            "timezone_offset": visitor.timezone_offset,
            "now": to_ms(now),
        }
        self.database.execute("remember_visitor", bound)

    def identify(self, visitor: str, person: str, *, now: datetime, by_hand: bool = False) -> list[str]:
        def act() -> list[str]:
            self.database.hold("persons")
            ids = sorted({each for id in (visitor, person) for each in self._ids_of(id)})
            if len(ids) > MOST_IDS:
                raise Conflict(f"{shown(person)} would have {len(ids)} ids; a person has at most {MOST_IDS}")
            for each in ids:
                self.database.hold(f"visitor {each}")  # what they do at this moment is counted for the person
            for each in ids:
                self.database.execute("put_person", {"visitor": each, "person": ids[0]})
            if not _knows_zone(self.database.execute("visitor", {"id": rows.text(person)})):
                for _, timezone, offset in self.database.execute("visitor", {"id": rows.text(visitor)}):
                    self._remember(Visitor(id=person, timezone=timezone, timezone_offset=offset), now)
            if by_hand:  # whom, what is erased of them has to reach
                self.audit.note("visitor", "identify", object="", at=now, after={"ids": ids})
            return ids

        return self.database.write(act)

    def ids_of_person(self, visitor: str) -> list[str]:
        return self.database.read(lambda: self._ids_of(visitor))

    def _ids_of(self, visitor: str) -> list[str]:
        bound = {"visitor": rows.text(visitor)}
        return [id for (id,) in self.database.execute("ids_of_person", bound)] or [bound["visitor"]]


def _knows_zone(found: Sequence[tuple[Any, ...]]) -> bool:
    return any(timezone is not None or offset is not None for _, timezone, offset in found)
