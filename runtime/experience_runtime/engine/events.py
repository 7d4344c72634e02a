"""What visitors did, and what was told of them. Each docstring is a contract."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from experience_runtime.domain.visitor_events import Conversion, VisitorEvent
from experience_runtime.domain.visitor_history import VisitorHistory


class Events(Protocol):
    """What visitors did."""

    def record(self, event: VisitorEvent) -> None:
        """Keep an event; of each visitor the newest 1,000 stay."""
        ...

    def of(self, visitor: str, *, limit: int) -> Sequence[VisitorEvent]:
        """The last events of a visitor, newest first."""
        ...

    def history(self, visitor: str, *, limit: int) -> VisitorHistory:
        """What is kept of the person who has this id; at most so many events."""
        ...

    def keep_state(self, visitor: str, state: Mapping[str, Any], *, now: datetime) -> None:
        """Keep what was told of a visitor, see `kept_state`; PayloadTooLarge, and then nothing is kept."""
        ...

    def state(self, visitor: str) -> Mapping[str, Any]:
        """What is kept of this id alone."""
        ...

    def conversions(self, visitor: str, *, limit: int) -> Sequence[Conversion]:
        """The last conversions of a visitor, newest first."""
        ...
