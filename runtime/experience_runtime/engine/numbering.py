"""Numbering: the numbers of executions, given out in the order they are made in."""

import random
import threading
from datetime import UTC, datetime

from experience_runtime.domain.instants import to_ms


class ExecutionNumbers:
    """Gives out execution numbers: 42 bits of milliseconds since 2020 and 21 that start at random.

    Strictly increasing, so that newer means greater; two processes seldom meet, and the store resolves it.
    """

    def __init__(self, source: random.Random) -> None:
        self._lock = threading.Lock()
        self._source = source
        self._last = -1

    def next(self, now: datetime) -> int:
        with self._lock:
            fresh = to_ms(now) - _FIRST_MS << 21
            # Drawn from the lower half: the numbers that follow within the millisecond stay inside it.
            start = fresh | self._source.getrandbits(20)
            self._last = start if fresh > self._last else self._last + 1
            return self._last


def first_number_of(at: datetime) -> int:
    """The smallest number that is given out at this instant; 0 before there were any."""
    return max(0, to_ms(at) - _FIRST_MS << 21)


_FIRST_MS = to_ms(datetime(2020, 1, 1, tzinfo=UTC))
