"""Pressure: whether a request that comes now would wait so long that it is better refused at once.

By the time that its turn came the one who asks would have given up, often enough, and be answered in vain.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from anyio import to_thread

LONGEST_WAIT_SECONDS = 0.5

_LEAST_WAITING = 20
_MOST_WAITING_AT_FIRST = 60  # a burst is let in before it is known how fast it is answered

_TICK_SECONDS = 0.1
_BEHIND_SECONDS = 0.5
_LEAST_CONNECTIONS = 50  # fewer do not keep the loop from its work: something else on the machine does


def _loop_time() -> float:
    return asyncio.get_running_loop().time()


def _threads() -> int:
    return int(to_thread.current_default_thread_limiter().total_tokens)


class Queue:
    """How many requests wait for their turn, and how many may: as many as are answered in that time."""

    def __init__(
        self, *, threads: Callable[[], int] = _threads, now: Callable[[], float] = _loop_time
    ) -> None:
        self._threads = threads
        self._now = now
        self._unanswered = 0
        self._answered: deque[float] = deque()  # when, of late
        self._busy_since: float | None = None

    def is_too_long(self) -> bool:
        """Whether one more would wait for longer than it may."""
        waiting = self._unanswered - self._threads()
        if waiting <= 0:
            self._busy_since = None
            return False
        now = self._now()
        if self._busy_since is None:
            self._busy_since = now
        if now - self._busy_since < LONGEST_WAIT_SECONDS:
            return waiting >= _MOST_WAITING_AT_FIRST
        self._forget(now)
        return waiting >= max(_LEAST_WAITING, len(self._answered))

    def came(self) -> "Turn":
        """Count one that was let in."""
        return Turn(self)

    def waits(self, count: int) -> None:
        """Count so many more that wait."""
        self._unanswered += count

    def answered(self) -> None:
        """Count one that was answered just now."""
        now = self._now()
        self._answered.append(now)
        self._forget(now)

    def _forget(self, now: float) -> None:
        while self._answered and self._answered[0] <= now - LONGEST_WAIT_SECONDS:
            self._answered.popleft()


class Turn:
    """One request of a queue: it waits from its start to its answer, but while its body is on its way."""

    def __init__(self, queue: Queue) -> None:
        self._queue = queue
        self._is_answered = False
        self._is_waiting = False
        self._wait(True)

    @contextmanager
    def arriving(self) -> Iterator[None]:
        """It waits for its sender: however many bodies come slowly, they are in nobody's way."""
        self._wait(False)
        try:
            yield
        finally:
            self._wait(not self._is_answered)

    def answered(self) -> None:
        """Its answer has begun; the rest of it may take as long as it likes."""
        if not self._is_answered:
            self._is_answered = True
            self._wait(False)
            self._queue.answered()

    def _wait(self, is_waiting: bool) -> None:
        self._queue.waits(is_waiting - self._is_waiting)
        self._is_waiting = is_waiting


CallLater = Callable[..., object]
"""`call_later` of a loop: seconds, what is called, its arguments."""


class Lag:
    """How far the event loop is behind: it has more to do than it gets done."""

    def __init__(self, *, now: Callable[[], float] = _loop_time) -> None:
        self._now = now
        self._due: float | None = None  # of the next tick
        self._seconds = 0.0  # how late the last one came

    def watch(self, connections: Callable[[], int], *, call_later: CallLater | None = None) -> None:
        """Look at it for as long as there are connections; does nothing when it is looked at already."""
        if self._due is None:
            later = call_later or asyncio.get_running_loop().call_later
            self._due = self._now() + _TICK_SECONDS
            later(_TICK_SECONDS, self._tick, connections)

    def is_behind(self, pressing: Callable[[], int]) -> bool:
        """Whether what comes waits long for its turn; `pressing`: how many connections want something."""
        if self._due is None or max(self._seconds, self._now() - self._due) <= _BEHIND_SECONDS:
            return False
        return pressing() >= _LEAST_CONNECTIONS

    def _tick(self, connections: Callable[[], int]) -> None:
        now = self._now()
        self._seconds = max(0.0, now - (self._due or now))
        self._due = None
        if connections():
            self.watch(connections)
