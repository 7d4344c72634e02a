"""Recorded: what one visitor did, as it was kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedEvent:
    """One event; `data` is a JSON text."""

    at: datetime
    type: str
    data: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedVisitor:
    """All that is kept of a visitor, under each of their ids, in the order of time.

    `conversions`: when each was recorded, and its event's name; an event that is one stands in `events` too.
    """

    id: str
    timezone: str | None = None
    timezone_offset: int | None = None
    events: Sequence[RecordedEvent] = ()
    conversions: Sequence[tuple[datetime, str]] = ()
