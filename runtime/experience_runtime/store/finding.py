"""Finding executions: lists and counts of what a filter means."""

from collections.abc import Sequence
from datetime import datetime

from experience_runtime.domain.errors import InvalidParameter
from experience_runtime.domain.executions import Execution, Filter, Sort
from experience_runtime.domain.instants import to_ms
from experience_runtime.domain.places import Page, Place
from experience_runtime.store import rows
from experience_runtime.store.database import Database, Rows
from experience_runtime.store.walking import Walk


class Finding:
    """Reads lists and counts at one instant of the database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, filter: Filter, *, sort: Sort, cursor: str | None, limit: int, most: int | None) -> Page:
        """See `stores.Executions.find`."""
        place = None if cursor is None else Place.read(cursor, sort)
        if place is not None and place.past and filter.text is None:
            raise InvalidParameter(
                f"{cursor!r} is the cursor of a search; pass the text that was searched, too"
            )

        def page(read: Rows) -> Page:
            walk = Walk(read, filter, limit=limit, most=most)
            if sort is Sort.NEWEST:
                return walk.newest(place)
            return walk.by_due(None if place is None or place.due is None else (place.due, place.number))

        return self._database.look(page)

    def same_key(self, execution: Execution, *, limit: int, of_experiences: bool) -> Sequence[Execution]:
        """See `stores.Executions.same_key`."""
        if execution.key_digest is None or not execution.key_owner:
            return []
        bound = {
            "visitor": rows.text(execution.key_owner),
            "key_digest": execution.key_digest,
            "number": execution.number,
            "of_experiences": 1 if of_experiences else None,
            "limit": limit,
        }
        return [rows.execution(row) for row in self._database.look(lambda read: read("same_key", bound))]

    def pending_by_quarter(self, *, start: datetime, end: datetime) -> Sequence[tuple[str, int, int]]:
        """See `stores.Executions.pending_by_quarter`."""
        bound = {"due_from": to_ms(start), "due_until": to_ms(end)}

        def counted(read: Rows) -> list[tuple[str, int, int]]:
            names = {name for name, _ in read("waiting", {})} | {
                name for (name,) in read("leased_integrations", {})
            }
            return [
                (name, quarter, count)
                for name in sorted(names)
                for quarter, count in read("pending_by_quarter", bound | {"integration": name})
            ]

        return self._database.look(counted)

    def count(self, filter: Filter) -> int:
        """See `stores.Executions.count`."""
        return self._database.look(lambda read: Walk(read, filter, limit=1, most=None).whole_count())

    def count_up_to(self, filter: Filter, most: int, *, walks: int) -> tuple[int, bool]:
        """See `stores.Executions.count_up_to`."""
        return self._database.look(lambda read: Walk(read, filter, limit=most, most=walks).count())
