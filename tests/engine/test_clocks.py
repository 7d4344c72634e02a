"""Whole milliseconds, and a virtual time that never goes back."""

import threading
from datetime import UTC, datetime, timedelta, timezone

from experience_runtime.clocks import SystemClock, VirtualClock, monotonic

START = datetime(2026, 3, 2, 12, 0, 0, 123_456, tzinfo=UTC)


def test_instants_are_aware_utc_in_whole_milliseconds() -> None:
    for now in (SystemClock().now(), VirtualClock(START).now()):
        assert now.tzinfo is UTC
        assert now.microsecond % 1000 == 0
    assert VirtualClock(START).now() == START.replace(microsecond=123_000)
    assert VirtualClock(START.astimezone(timezone(timedelta(hours=5)))).now().tzinfo is UTC


def test_virtual_time_never_goes_back() -> None:
    clock = VirtualClock(START)

    clock.advance_to(START + timedelta(days=30))
    clock.advance_to(START)

    assert clock.now() == (START + timedelta(days=30)).replace(microsecond=123_000)


def test_waiting_moves_virtual_time_at_once_unless_woken() -> None:
    clock, wake = VirtualClock(START), threading.Event()

    clock.wait(START + timedelta(days=1), wake, at_most=0.2)
    reached = clock.now()
    wake.set()
    clock.wait(START + timedelta(days=2), wake, at_most=0.2)
    clock.wait(None, wake, at_most=60)

    assert reached == clock.now() == (START + timedelta(days=1)).replace(microsecond=123_000)


def test_the_system_clock_returns_at_once_when_woken_or_late() -> None:
    clock, wake = SystemClock(), threading.Event()
    began = monotonic()

    clock.wait(clock.now() - timedelta(days=1), wake, at_most=60)
    clock.wait(clock.now(), wake, at_most=60)
    clock.wait(clock.now() + timedelta(days=1), wake, at_most=0.001)
    wake.set()
    clock.wait(None, wake, at_most=60)

    assert monotonic() - began < 30
