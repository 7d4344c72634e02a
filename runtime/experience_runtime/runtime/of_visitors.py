"""What is told of visitors: who they are, what they do, and what they convert."""

from abc import ABC, abstractmethod
from datetime import datetime
from typing import TYPE_CHECKING, Any

from experience_runtime.clocks import SystemClock
from experience_runtime.domain.visitor_events import (
    VisitorEvent,
    check_event_data,
    check_event_type,
    happened_at,
)
from experience_runtime.domain.visitors import Visitor, check_visitor_id, make_visitor
from experience_runtime.engine import told
from experience_runtime.engine.scheduler import Scheduler

if TYPE_CHECKING:
    from experience_runtime.store.sql import SqlStore


class OfVisitors(ABC):
    """The part of a runtime that hears of visitors."""

    clock: SystemClock

    @property
    @abstractmethod
    def store(self) -> "SqlStore[Any]": ...

    @property
    @abstractmethod
    def scheduler(self) -> Scheduler: ...

    def visitor(
        self, visitor_id: str | None, *, timezone: str | None = None, timezone_offset: int | None = None
    ) -> Visitor:
        """The visitor of a run: what is given here, then what was last known. What is given is kept.

        Without an id the run is anonymous.
        """
        given = make_visitor(visitor_id, timezone=timezone, timezone_offset=timezone_offset)
        if visitor_id is None:
            return given
        if timezone is not None or timezone_offset is not None:
            self.remember(given)
            return given
        return self.store.visitor(visitor_id) or given

    def remember(self, visitor: Visitor) -> None:
        """See `told.remember`."""
        told.remember(self.store, visitor, now=self.clock.now())

    def convert(self, visitor_id: str, *, event: str | None = None, at: datetime | None = None) -> list[str]:
        """See `told.convert`."""
        return told.convert(self.store, self.scheduler, check_visitor_id(visitor_id), event=event, at=at)

    def identify(self, visitor_id: str, person: str) -> list[str]:
        """See `told.identify`."""
        ids = check_visitor_id(visitor_id), check_visitor_id(person)
        return told.identify(self.store, *ids, now=self.clock.now())

    def receive(
        self, visitor_id: str, event_type: str, data: Any, *, age_ms: object = None
    ) -> list[str] | None:
        """See `told.receive`; `age_ms`: how long ago it happened, where its sender says so."""
        now = self.clock.now()
        at = happened_at(age_ms, now=now)
        event = VisitorEvent(
            visitor=check_visitor_id(visitor_id),
            type=check_event_type(event_type),
            data=check_event_data(data),
            at=at or now,
            received_at=now,
        )
        return told.receive(self.store, self.scheduler, event, stated_at=at)
