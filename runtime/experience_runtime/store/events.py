"""The events of a store: what visitors did."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from experience_runtime.domain.instants import from_ms, to_ms
from experience_runtime.domain.page_facts import kept_state
from experience_runtime.domain.visitor_events import KEPT_EVENTS, Conversion, VisitorEvent
from experience_runtime.domain.visitor_history import VisitorHistory
from experience_runtime.store import rows
from experience_runtime.store.database import Database
from experience_runtime.store.journal import Journal


class SqlEvents:
    """`ports.Events` in the store's own database."""

    def __init__(self, database: Database, journal: Journal) -> None:
        self._database = database
        self._journal = journal

    def record(self, event: VisitorEvent) -> None:
        bound = {
            "at": to_ms(event.at),
            "visitor": rows.text(event.visitor),
            "type": rows.text(event.type),
            "data": rows.text(event.data),
            "received_at": rows.optional_ms(event.received_at),
        }

        def act() -> None:
            self._database.execute("record_event", bound)
            self._database.execute("drop_old_events", {"visitor": bound["visitor"], "kept": KEPT_EVENTS})

        self._journal.write("event", act)

    def of(self, visitor: str, *, limit: int) -> Sequence[VisitorEvent]:
        bound = {"visitor": rows.text(visitor), "limit": limit}
        found = self._database.read(lambda: self._database.execute("events_of", bound))
        return [
            VisitorEvent(visitor=visitor, type=type, data=data, at=from_ms(at), received_at=from_ms(received))
            for at, type, data, received in found
        ]

    def history(self, visitor: str, *, limit: int) -> VisitorHistory:
        own = {"visitor": rows.text(visitor)}

        def read() -> list[list[tuple[Any, ...]]]:
            return self._database.execute_together(
                [
                    ("events_of_person", own | {"limit": limit}),
                    ("moments_of_person", own | {"limit": KEPT_EVENTS}),
                    ("conversions_of_person", own | {"limit": KEPT_EVENTS}),
                    ("states_of_person", own),
                ]
            )

        events, moments, conversions, states = self._database.read(read)
        return VisitorHistory(
            events=[
                VisitorEvent(visitor=id, type=type, data=data, at=from_ms(at), received_at=from_ms(received))
                for id, at, type, data, received in reversed(events)
            ],
            moments=[(from_ms(at), type) for at, type in moments],
            conversions=[from_ms(at) for (at,) in conversions],
            state={name: value for (state,) in states for name, value in json.loads(state).items()},
        )

    def keep_state(self, visitor: str, state: Mapping[str, Any], *, now: datetime) -> None:
        own = {"visitor": rows.text(visitor)}

        def act() -> None:
            # the row is there and held before it is read: of two at once, the second adds to the first's
            self._database.execute("begin_state", own | {"now": to_ms(now)})
            ((kept,),) = self._database.execute("hold_state", own)
            written = json.dumps(kept_state(json.loads(kept), state))
            self._database.execute("put_state", own | {"state": rows.text(written), "now": to_ms(now)})

        self._database.write(act)

    def state(self, visitor: str) -> Mapping[str, Any]:
        own = {"visitor": rows.text(visitor)}
        found = self._database.read(lambda: self._database.execute("state_of", own))
        return {name: value for (state,) in found for name, value in json.loads(state).items()}

    def conversions(self, visitor: str, *, limit: int) -> Sequence[Conversion]:
        bound = {"visitor": rows.text(visitor), "limit": limit}
        found = self._database.read(lambda: self._database.execute("conversions_of", bound))
        return [
            Conversion(event=event, at=from_ms(at), received_at=from_ms(received))
            for at, event, received in found
        ]
