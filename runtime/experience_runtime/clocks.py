"""Clocks: the only place that reads the time."""

import threading
import time
from datetime import UTC, datetime, timedelta


def monotonic() -> float:
    """Seconds on a clock that only goes forward, for deadlines of resources; never for instants."""
    return time.monotonic()


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return _whole_ms(datetime.now(UTC))

    def wait(self, until: datetime | None, wake: threading.Event, *, at_most: float) -> None:
        """Return at `until`, when `wake` is set, or after `at_most` seconds, whichever is first."""
        seconds = at_most
        if until is not None:
            seconds = min(seconds, (until - datetime.now(UTC)).total_seconds())
        if seconds > 0:
            wake.wait(seconds)


class VirtualClock:
    """A clock that stands still until it is told, or waited on. Safe to share between threads."""

    def __init__(self, start: datetime) -> None:
        self._lock = threading.Lock()
        self._now = _whole_ms(start.astimezone(UTC))

    def now(self) -> datetime:
        with self._lock:
            return self._now

    def advance_to(self, instant: datetime) -> None:
        """Move to this instant; an earlier one changes nothing, time never goes back."""
        with self._lock:
            self._now = max(self._now, _whole_ms(instant.astimezone(UTC)))

    def wait(self, until: datetime | None, wake: threading.Event, *, at_most: float) -> None:
        """Move to `until` at once, however far it is, unless `wake` is set already.

        With nothing to move to, wait for `wake` in real time: only another thread can bring news.
        """
        if until is None:
            wake.wait(at_most)
        elif not wake.is_set():
            self.advance_to(until)


def _whole_ms(instant: datetime) -> datetime:
    return instant - timedelta(microseconds=instant.microsecond % 1000)
