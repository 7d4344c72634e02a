"""A worker whose clock is wrong says so, and far off it delivers nothing."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from experience_runtime.clocks import SystemClock
from experience_runtime.domain.admission import Policies
from experience_runtime.engine.fleet import Fleet
from experience_runtime.store.opening import open_postgres, open_sqlite

from tests.support.executions import add, an_execution
from tests.support.postgres import shared


class Shifted:
    """The machine's clock, off by so much."""

    def __init__(self, by: timedelta) -> None:
        self._real = SystemClock()
        self.by = by

    def now(self) -> datetime:
        return self._real.now() + self.by

    def wait(self, until: datetime | None, wake: threading.Event, *, at_most: float) -> None:
        self._real.wait(None if until is None else until - self.by, wake, at_most=at_most)


@pytest.mark.parametrize("seconds", [300, -300])
def test_a_clock_is_measured_against_that_of_the_server(seconds: int) -> None:
    store = open_postgres(shared().database())

    skew = store.workers.clock_skew(Shifted(timedelta(seconds=seconds)).now)

    assert skew.total_seconds() == pytest.approx(-seconds, abs=60)
    assert abs(store.workers.clock_skew(SystemClock().now)) < timedelta(seconds=2)
    store.close()


def test_a_worker_far_off_says_so_and_delivers_nothing_until_its_clock_is_right(
    caplog: pytest.LogCaptureFixture,
) -> None:
    store = open_postgres(shared().database())
    clock = Shifted(timedelta(seconds=300))
    fleet = Fleet(
        workers=store.workers,
        clock=clock,
        version="1",
        concurrency=4,
        policies=Policies(),
        stops_for_skew=True,
    )

    fleet.report()
    assert not fleet.may_deliver
    assert "ahead of that of the database" in caplog.text
    assert "nothing is delivered here" in caplog.text
    clock.by = timedelta(0)
    fleet.report()

    assert fleet.may_deliver
    fleet.leave()
    store.close()


def test_on_a_file_a_row_from_the_future_tells_that_the_clock_is_behind() -> None:
    store = open_sqlite(":memory:")
    add(store, an_execution(1))
    created_at = store.execution(1).created_at

    assert store.workers.clock_skew(lambda: created_at - timedelta(seconds=90)) == timedelta(seconds=90)
    assert store.workers.clock_skew(lambda: datetime.now(UTC)) == timedelta(0)
    store.close()
