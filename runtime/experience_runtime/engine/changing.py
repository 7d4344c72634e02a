"""What a person changes of executions, one by one or several in one transaction."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from experience_runtime.domain.executions import Execution, NewPayload


class Changing(Protocol):
    """The part of a store that changes executions for a person. Each docstring is a contract."""

    def cancel(self, number: int, *, reason: str | None, now: datetime) -> bool:
        """Cancel one pending execution; False when it is not pending (or unknown)."""
        ...

    def cancel_each(self, numbers: Sequence[int], *, reason: str | None, now: datetime) -> list[str]:
        """Cancel those that are pending, in one transaction; return their ids."""
        ...

    def replay(
        self, number: int, *, reason: str | None, now: datetime, changed: NewPayload | None = None
    ) -> Execution | None:
        """failed | succeeded -> pending, due now, with all its retries before it; the attempts are kept.

        With `changed`, another payload takes the place of its own, which the history keeps.

        None when it is in another state (or unknown); AlreadyScheduled while its key is pending again;
        Conflict when it asked to be cancelled by a conversion, and one was recorded since it was made.
        """
        ...

    def restore(self, number: int, *, reason: str | None, now: datetime) -> Execution | None:
        """cancelled -> pending, at its instant and with the retries it had left.

        None when it is in another state (or unknown); AlreadyScheduled while its key is pending; Conflict
        when its instant is past, when a conversion cancelled it, or when one since then would have.
        """
        ...

    def move(self, number: int, *, due_at: datetime, reason: str | None, now: datetime) -> Execution | None:
        """pending -> pending, asked for and due at this instant; a claim that has not begun loses it.

        None when it is in another state (or unknown).
        """
        ...

    def restore_each(self, numbers: Sequence[int], *, reason: str | None, now: datetime) -> list[str]:
        """Restore those that may be, in one transaction, and pass over the others; return their ids."""
        ...

    def move_each(
        self, moves: Sequence[tuple[int, datetime]], *, reason: str | None, now: datetime
    ) -> list[str]:
        """Move those that are pending each to its instant, in one transaction; return their ids."""
        ...

    def replay_each(self, numbers: Sequence[int], *, reason: str | None, now: datetime) -> list[str]:
        """Replay those that may be, in one transaction, and pass over the others; return their ids."""
        ...
