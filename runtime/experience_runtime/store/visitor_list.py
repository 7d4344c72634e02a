"""The visitors there are, as people look for them: seen lately, or with an id that begins with a text."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from experience_runtime.domain.instants import from_ms
from experience_runtime.engine.visitor_list import Seen
from experience_runtime.store import rows
from experience_runtime.store.database import Database, Rows

_LAST = ("visitors_of_last_runs", "visitors_of_last_executions", "visitors_of_last_events")
_LAST_OF_EXPERIENCES = ("visitors_of_last_runs", "visitors_of_last_executions")
_BEGINNING = ("known_beginning", "persons_beginning", "runs_beginning", "executions_beginning")
_BEGINNING_OF_EXPERIENCES = ("runs_beginning",)
_LARGEST = "\U0010ffff"


class SqlVisitorList:
    """`visitor_list.VisitorList` in the store's own database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def lately(self, *, looked_at: int, of_experiences: bool) -> Mapping[str, datetime]:
        """See `visitor_list.VisitorList.lately`."""
        bound = {"looked_at": looked_at, "of_experiences": 1 if of_experiences else None}

        def act(read: Rows) -> dict[str, int]:
            latest: dict[str, int] = {}
            for statement in _LAST_OF_EXPERIENCES if of_experiences else _LAST:
                for visitor, at in read(statement, bound):
                    latest[visitor] = max(at, latest.get(visitor, at))
            return latest

        return {visitor: from_ms(at) for visitor, at in self._database.look(act).items()}

    def beginning(self, texts: Sequence[str], *, limit: int, of_experiences: bool) -> Sequence[str]:
        """See `visitor_list.VisitorList.beginning`."""

        def act(read: Rows) -> list[str]:
            found: dict[str, None] = {}
            for text in texts:
                beginning = rows.text(text)
                bound = {"beginning": beginning, "behind": beginning + _LARGEST, "limit": limit}
                for statement in _BEGINNING_OF_EXPERIENCES if of_experiences else _BEGINNING:
                    found |= dict.fromkeys(visitor for (visitor,) in read(statement, bound))
            return list(found)

        return self._database.look(act)

    def seen(self, ids: Sequence[str]) -> Sequence[Seen]:
        """See `visitor_list.VisitorList.seen`."""
        return self._database.look(lambda read: [_seen(read, id) for id in ids])


def _seen(read: Rows, id: str) -> Seen:
    known = list(read("visitor_seen", {"id": rows.text(id)}))
    person = [each for (each,) in read("ids_of_person", {"visitor": rows.text(id)})]
    timezone, timezone_offset, seen_at = known[0] if known else (None, None, None)
    return Seen(
        id=id,
        ids=tuple(person or [id]),
        timezone=timezone,
        timezone_offset=timezone_offset,
        seen_at=rows.optional_instant(seen_at),
    )
