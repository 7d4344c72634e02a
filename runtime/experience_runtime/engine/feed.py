"""The feed: every state change of executions in one order, kept for those who read it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from experience_runtime.domain.executions import Execution
from experience_runtime.domain.state_changes import StateChange

KEPT = timedelta(days=1)
"""How long a change is kept that every webhook has been told of."""

READER_KEPT = timedelta(days=30)
"""How long a reader is remembered that does not ask any more: nothing it was not told of goes meanwhile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Some changes, in order, and the position after them: what is erased since is left out."""

    changes: Sequence[StateChange]
    position: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """An execution that tells of a change of another, whose number is `of`."""

    of: int
    execution: Execution


class Feed(Protocol):
    """Changes are kept while there is a reader: a webhook by its name, or a stream."""

    def begin(self, reader: str, *, now: datetime) -> int:
        """Let a reader begin here, or go on where it was; return its position. To be said again each hour."""
        ...

    def arrange(self) -> int:
        """Give what has come since its place in the order; return the last position there is."""
        ...

    def after(self, position: int, *, limit: int) -> Told:
        """The changes after a position."""
        ...

    def first(self) -> int | None:
        """The position of the oldest change that is kept; None where there is none."""
        ...

    def secret(self) -> str:
        """Under which positions are told to those who do not see every change; the same for all servers."""
        ...

    def position(self, reader: str) -> int | None:
        """Up to where a reader has read; None for one that is not known."""
        ...

    def move(self, reader: str, *, start: int, end: int, deliveries: Sequence[Delivery]) -> bool:
        """Take a reader from `start` to `end` and put these executions on disk, in one transaction.

        False, and nothing, where it is not at `start` any more. An execution that was erased meanwhile is
        told to nobody.
        """
        ...

    def prune(self, *, now: datetime, limit: int) -> int:
        """Remove readers and changes that were kept long enough; return how many changes."""
        ...
