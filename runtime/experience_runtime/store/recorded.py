"""What is recorded of visitors, and what was released, read and never written."""

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from experience_runtime.domain.errors import InvalidParameter
from experience_runtime.domain.instants import from_ms, to_ms
from experience_runtime.domain.recorded import RecordedEvent, RecordedVisitor
from experience_runtime.domain.releases import Change, Release
from experience_runtime.store import address
from experience_runtime.store.database import Rows
from experience_runtime.store.opening import open_postgres
from experience_runtime.store.releases import live_changes, read_release
from experience_runtime.store.sqlite.database import STATEMENTS
from experience_runtime.store.sqlite.file import open_to_look
from experience_runtime.store.statements import used

Person = tuple[str, ...]
"""Every id of one person."""


class Recorded:
    """What a database keeps of visitors and releases. `look` runs what it is given at one instant."""

    def __init__(self, look: Callable[[Callable[[Rows], Any]], Any], *, name: str) -> None:
        self._look = look
        self._name = name

    def live(self) -> Mapping[str, Change]:
        """By experience which of its releases runs; one of none was never released."""
        changes: Sequence[Change] = self._look(live_changes)
        return {change.experience: change for change in changes}

    def release(self, experience: str, number: int) -> Release:
        """A release with its files. Raises UnknownRelease."""
        found: Release = self._look(lambda rows: read_release(rows, experience, number, database=self._name))
        return found

    def persons(self, since: datetime) -> list[Person]:
        """Who did anything since then, in the order of their ids; the ids of one person together."""
        bound = {"since": to_ms(since)}
        seen, linked = self._look(
            lambda rows: (rows("recorded_visitors", bound), rows("recorded_persons", bound))
        )
        person_of = dict(linked)
        ids: dict[str, set[str]] = {}
        for visitor, person in [*linked, *((each, person_of.get(each, each)) for each, _ in seen)]:
            ids.setdefault(person, set()).add(visitor)
        return sorted(tuple(sorted(each)) for each in ids.values())

    def newest(self, since: datetime) -> tuple[datetime | None, int]:
        """When anybody last did something, and how many runs for a visitor there were since then."""
        ((at, runs),) = self._look(lambda rows: rows("recorded_newest", {"since": to_ms(since)}))
        return None if at is None else from_ms(at), runs

    def of(self, persons: Sequence[Person]) -> list[RecordedVisitor]:
        """All that is kept of these, the oldest first; the first id of each stands for all."""
        stands_for = {id: person[0] for person in persons for id in person}
        bound = {"ids": json.dumps([[id] for id in stands_for])}
        events: dict[str, list[RecordedEvent]] = {person[0]: [] for person in persons}
        conversions: dict[str, list[tuple[datetime, str]]] = {person[0]: [] for person in persons}
        zones: dict[str, tuple[str | None, int | None]] = {}
        told, bought, known = self._look(
            lambda rows: (
                rows("recorded_events", bound),
                rows("recorded_conversions", bound),
                rows("recorded_zones", bound),
            )
        )
        for id, at, event_type, data in told:
            events[stands_for[id]].append(RecordedEvent(at=from_ms(at), type=event_type, data=data))
        for id, at, event_type in bought:
            conversions[stands_for[id]].append((from_ms(at), event_type))
        for id, timezone, offset in known:
            if timezone is not None or offset is not None:
                zones[stands_for[id]] = (timezone, offset)
        return [
            RecordedVisitor(
                id=id,
                timezone=zones.get(id, (None, None))[0],
                timezone_offset=zones.get(id, (None, None))[1],
                events=events[id],
                conversions=conversions[id],
            )
            for id in events
        ]


@contextmanager
def open_recorded(database: str) -> Iterator[Recorded]:
    """Open the database of an address to read what is recorded; a file is neither made nor migrated."""
    if address.is_server(database):
        store = open_postgres(database)
        try:
            yield Recorded(store.database.look, name=store.database.name)
        finally:
            store.close()
        return
    path = address.file_of(database)
    if not os.path.exists(path):
        raise InvalidParameter(
            f"there is no database {path!r} yet, so nothing is recorded; "
            "name the one that `experience serve` uses with --database"
        )
    connection = open_to_look(path)

    def rows(name: str, bound: Any) -> list[tuple[Any, ...]]:
        return connection.execute(used(STATEMENTS[name], bound), bound).fetchall()

    def look(act: Callable[[Rows], Any]) -> Any:
        with connection:
            return act(rows)

    try:
        yield Recorded(look, name=path)
    finally:
        connection.close()
