"""Finding executions: lists and counts of what a filter means."""

import re
from collections.abc import Sequence
from datetime import datetime

from experience_runtime.domain.errors import InvalidParameter, UnknownExecution
from experience_runtime.domain.executions import (
    Execution,
    Filter,
    Sort,
    Status,
    cursor_after,
    execution_number,
)
from experience_runtime.domain.instants import to_ms
from experience_runtime.engine.stores import Page
from experience_runtime.store import rows
from experience_runtime.store.database import Database

_DUE_CURSOR = re.compile(r"(-?\d{1,15})\.(ex_\w+)", re.ASCII)


class Finding:
    """Reads lists and counts at one instant of the database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, filter: Filter, *, sort: Sort, cursor: str | None, limit: int) -> Page:
        """See `stores.Executions.find`."""
        # One more than asked tells whether there is a following page.
        bound = rows.conditions(filter) | {"limit": limit + 1}
        if sort is Sort.NEWEST:
            bound["before"] = rows.LARGEST if cursor is None else _number(cursor, cursor)
        else:
            bound |= {"integration": None, "integration_in_order": bound["integration"]}
            if cursor is not None:
                due, number = _read_due_cursor(cursor)
                since = due if bound["due_from"] is None else max(due, bound["due_from"])
                bound |= {"due_from": since, "after_due": due, "after_number": number}
        statement = "find" if sort is Sort.NEWEST else "find_by_due"
        found = [rows.execution(row) for row in self._database.look(lambda read: read(statement, bound))]
        page = found[:limit]
        return Page(
            executions=page, next=cursor_after(page[-1], sort) if page and len(found) > limit else None
        )

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
        found = self._database.look(lambda read: read("pending_by_quarter", bound))
        return [(integration, quarter, count) for integration, quarter, count in found]

    def count(self, filter: Filter, *, most: int | None) -> int:
        """See `stores.Executions.count`."""
        if most is not None:
            bound = rows.conditions(filter) | {"most": most}
            return int(self._database.look(lambda read: read("count_up_to", bound))[0][0])
        is_backlog = filter == Filter(statuses=filter.statuses, integration=filter.integration)
        if is_backlog and list(filter.statuses) == [Status.PENDING] and filter.integration is not None:
            of = {"integration": rows.text(filter.integration)}
            return int(self._database.look(lambda read: read("count_pending", of))[0][0])
        return int(self._database.look(lambda read: read("count", rows.conditions(filter)))[0][0])


def _read_due_cursor(cursor: str) -> tuple[int, int]:
    form = _DUE_CURSOR.fullmatch(cursor)
    if form is None:
        raise _no_cursor(cursor)
    return int(form[1]), _number(form[2], cursor)


def _number(id: str, cursor: str) -> int:
    try:
        return rows.bindable(execution_number(id))
    except UnknownExecution:
        raise _no_cursor(cursor) from None


def _no_cursor(cursor: str) -> InvalidParameter:
    return InvalidParameter(
        f"{cursor[:64]!r} is not a cursor of this order; pass the `next` of the page before, unchanged"
    )
