"""What many workers need of the world beside what one needs. Each docstring is a contract, as in `ports`."""

import threading
from collections.abc import Callable, Sequence
from typing import Protocol

from experience_runtime.domain.executions import Execution
from experience_runtime.domain.presence import Presence

HandOver = Callable[[Sequence[Execution]], None]


class Presences(Protocol):
    """Which workers report themselves."""

    def beat(self, presence: Presence) -> Sequence[Presence]:
        """Keep a worker's report, and forget those of more than a day ago; return all there are."""
        ...

    def leave(self, id: str) -> None:
        """Forget a worker; nothing when it is not known."""
        ...

    def all(self) -> Sequence[Presence]:
        """All of them, the longest running first."""
        ...


class Relay(Protocol):
    """Carries claimed executions to a process that serves their integration, this one or another.

    What it carries may come twice, late, or not at all: the lease brings it back.
    """

    def start(self, wake: threading.Event) -> None:
        """Take what comes from now on; `wake` is set when something has."""
        ...

    def hand_over(self, claimed: Sequence[Execution]) -> None:
        """Put them on their way, inside the transaction that claims them."""
        ...

    def arrived(self, most: int) -> Sequence[tuple[int, int]]:
        """Take (number, attempt) that have come to this process, so many at most."""
        ...

    def close(self) -> Sequence[tuple[int, int]]:
        """Take nothing more; return what has come and was not taken."""
        ...
