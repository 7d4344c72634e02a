"""A clock that jumps: an hour back, a week forward. Windows hold, nothing comes twice, nothing is stuck."""

import random
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from experience_runtime.domain.executions import Execution, Filter, Status
from experience_runtime.domain.visitors import Visitor
from experience_runtime.engine.delivery import InlineDelivery
from experience_runtime.engine.dispatcher import Dispatcher
from experience_runtime.engine.ports import Delivery
from experience_runtime.engine.scheduler import Scheduler
from experience_runtime.engine.worker import Worker
from experience_runtime.integration import Context, IntegrationFailed
from experience_runtime.store.opening import SqliteStore, open_sqlite
from experience_runtime.store.sqlite.lock import FileLock

from tests.engine.conftest import DictIntegrations, ScriptedHttp

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)  # a Monday: an hour before, the window below is closed
WINDOW = {"day": "monday-friday", "time": "09:00-17:00", "timezone": "UTC"}
BACK = timedelta(hours=-1)
FORWARD = timedelta(weeks=1)
SOON = timedelta(minutes=10)


class JumpingClock:
    """A clock that stands still, waits at once as VirtualClock does, and can be put anywhere."""

    def __init__(self, start: datetime) -> None:
        self._now = start

    def now(self) -> datetime:
        return self._now

    def jump(self, by: timedelta) -> None:
        self._now += by

    def wait(self, until: datetime | None, wake: threading.Event, *, at_most: float) -> None:
        if until is None:
            wake.wait(at_most)
        elif not wake.is_set():
            self._now = max(self._now, until)


class HeldDelivery:
    """A `ports.Delivery` that keeps what it is handed until `go`: what is claimed and has not begun."""

    def __init__(self) -> None:
        self._held: list[Callable[[], None]] = []

    def submit(self, executions: Sequence[Execution], deliver: Callable[[Execution], None]) -> None:
        self._held += [lambda each=each: deliver(each) for each in executions]  # type: ignore[misc]

    def free(self) -> int:
        return 32

    def abandon(self, execution: Execution) -> None:
        raise AssertionError(execution)

    def stuck(self) -> Sequence[Execution]:
        return []

    def go(self) -> None:
        while self._held:
            self._held.pop(0)()

    def close(self) -> None:
        pass


class Jumping:
    """A store, a dispatcher and one execution; `called_at` is what the clock said at each call."""

    def __init__(self, store: SqliteStore) -> None:
        self.store = store
        self.clock = JumpingClock(NOW)
        self.called_at: list[datetime] = []
        self.during: Callable[[], None] = lambda: None
        self.failures = 0
        self.integrations = DictIntegrations()
        self.integrations.put("webhook", self._call)
        self.delivery = HeldDelivery()
        self.dispatcher = self.dispatcher_on(self.delivery)

    def dispatcher_on(self, delivery: Delivery) -> Dispatcher:
        return Dispatcher(
            store=self.store,
            clock=self.clock,
            integrations=self.integrations,
            http=ScriptedHttp(),
            delivery=delivery,
            random=random.Random(1),
        )

    def schedule(self, delay: timedelta, window: object) -> Execution:
        scheduler = Scheduler(
            store=self.store, clock=self.clock, integrations=self.integrations, conversions=()
        )
        options = {"delay": delay // timedelta(milliseconds=1), "window": window}
        options = {name: value for name, value in options.items() if value is not None}
        return scheduler.schedule("webhook", "x", options, visitor=Visitor(id="ada")).execution

    def look_on(self, minutes: int = 5) -> None:
        """Let the worker's loop turn while what it handed over is not done."""
        for _ in range(minutes):
            self.dispatcher.run_due()
            self.clock.jump(timedelta(minutes=1))

    def finish(self) -> None:
        """Deliver until nothing waits."""
        for _ in range(50):
            self.dispatcher.run_due()
            self.delivery.go()
            if (wakes_at := self.dispatcher.next_wake()) is None:
                return
            self.clock.jump(max(wakes_at - self.clock.now(), timedelta(0)))
        raise AssertionError("it is stuck")

    def _call(self, _payload: Any, _context: Context[Any]) -> Any:
        self.called_at.append(self.clock.now())
        self.during()
        if len(self.called_at) <= self.failures:
            raise IntegrationFailed("the other side is down", may_pass=True, status=503, retry_after=600)


@pytest.fixture
def jumping(tmp_path: Path) -> Any:
    store = open_sqlite(str(tmp_path / "experience.db"))
    yield Jumping(store)
    store.close()


def _waits(jumping: Jumping, by: timedelta, window: object) -> Execution:
    execution = jumping.schedule(SOON, window)
    jumping.look_on()
    jumping.clock.jump(by)
    return execution


def _is_claimed(jumping: Jumping, by: timedelta, window: object) -> Execution:
    execution = jumping.schedule(timedelta(0), window)
    jumping.dispatcher.run_due()
    jumping.clock.jump(by)
    jumping.look_on()
    return execution


def _runs(jumping: Jumping, by: timedelta, window: object) -> Execution:
    def during() -> None:
        jumping.clock.jump(by)
        jumping.look_on()

    jumping.during = during
    execution = jumping.schedule(timedelta(0), window)
    jumping.dispatcher.run_due()
    jumping.delivery.go()
    jumping.during = lambda: None
    return execution


def _is_in_retry(jumping: Jumping, by: timedelta, window: object) -> Execution:
    jumping.failures = 1
    execution = jumping.schedule(timedelta(0), window)
    jumping.dispatcher.run_due()
    jumping.delivery.go()
    jumping.clock.jump(by)
    return execution


@pytest.mark.parametrize("window", [None, WINDOW])
@pytest.mark.parametrize("by", [BACK, FORWARD])
@pytest.mark.parametrize(
    ("situation", "outcomes"),
    [
        (_waits, ["succeeded"]),
        (_is_claimed, ["succeeded"]),
        (_runs, ["succeeded"]),
        (_is_in_retry, ["held", "succeeded"]),
    ],
)
def test_what_is_due_comes_once_in_its_window_whatever_the_clock_did(
    jumping: Jumping,
    situation: Callable[[Jumping, timedelta, object], Execution],
    outcomes: list[str],
    by: timedelta,
    window: object,
) -> None:
    execution = situation(jumping, by, window)

    jumping.finish()

    found = jumping.store.execution(execution.number)
    assert found.status is Status.SUCCEEDED
    ended = [attempt.outcome for attempt in jumping.store.attempts(found.number)]
    # what was claimed before the jump, and begins outside its window after it, is given back without a call
    assert [outcome for outcome in ended if outcome != "held" or situation is _is_in_retry] == outcomes
    assert len(jumping.called_at) == len(outcomes)
    if window is not None:
        assert all(9 <= at.hour < 17 and at.weekday() < 5 for at in jumping.called_at)
    if situation is _waits:
        assert jumping.called_at[-1] == max(found.due_at, NOW + by + SOON / 2)
    if situation is _is_in_retry:  # the receiver asked for ten minutes
        assert jumping.called_at[-1] == max(NOW + SOON, NOW + by)
    # stuck would be later than the jump itself explains: leases of an hour ahead are not waited for
    assert jumping.clock.now() - NOW <= max(by, timedelta(0)) + timedelta(minutes=20)


@pytest.mark.parametrize("by", [BACK, FORWARD])
def test_a_call_that_begins_after_the_jump_and_takes_long_is_made_once(
    jumping: Jumping, by: timedelta
) -> None:
    jumping.schedule(timedelta(0), None)
    jumping.dispatcher.run_due()
    jumping.clock.jump(by)
    jumping.schedule(timedelta(0), None)
    jumping.during = jumping.look_on

    jumping.finish()

    assert len(jumping.called_at) == 2
    assert jumping.store.count(Filter(statuses=[Status.SUCCEEDED])) == 2


@pytest.mark.parametrize("by", [BACK, FORWARD])
@pytest.mark.parametrize(("has_begun", "outcomes"), [(False, ["succeeded"]), (True, ["lost", "succeeded"])])
def test_what_a_killed_worker_left_is_taken_over_at_once_whatever_the_clock_did(
    jumping: Jumping, tmp_path: Path, by: timedelta, has_begun: bool, outcomes: list[str]
) -> None:
    execution = jumping.schedule(timedelta(0), None)
    lease_until = NOW + timedelta(seconds=120)
    (claimed,) = jumping.store.claim_due(now=NOW, lease_until=lease_until, limit=1)
    if has_begun:
        jumping.store.start_all([(claimed.number, claimed.attempt)], now=NOW, lease_until=lease_until)
    jumping.clock.jump(by)
    began_at = jumping.clock.now()
    dispatcher = jumping.dispatcher_on(InlineDelivery())
    worker = Worker(dispatcher, jumping.store, jumping.clock, lock=FileLock(str(tmp_path / "experience.db")))

    # The hour until its time comes again is the clock's: what was due at 9:30 is due at 9:30.
    jumping.clock.jump(max(NOW - began_at, timedelta(0)))
    worker.run(threading.Event(), until_idle=True)
    waits = max(jumping.store.execution(execution.number).due_at - jumping.clock.now(), timedelta(0))
    jumping.clock.jump(waits)  # an attempt that was lost waits as one that failed
    dispatcher.run_due()

    assert jumping.store.execution(execution.number).status is Status.SUCCEEDED
    assert [attempt.outcome for attempt in jumping.store.attempts(execution.number)] == outcomes
    assert waits <= timedelta(seconds=15 if has_begun else 0)
    assert jumping.called_at == [max(NOW, began_at) + waits]


@pytest.mark.parametrize("by", [BACK, FORWARD])
def test_an_execute_whose_process_went_away_ends_as_lost_whatever_the_clock_did(
    jumping: Jumping, by: timedelta
) -> None:
    scheduler = Scheduler(
        store=jumping.store, clock=jumping.clock, integrations=jumping.integrations, conversions=()
    )
    execution = scheduler.begin_execute("webhook", "x", key=None, visitor=None, experience=None)
    jumping.clock.jump(by)

    jumping.finish()

    found = jumping.store.execution(execution.number)
    assert (found.status, found.reason) == (Status.FAILED, "lost")
    assert jumping.called_at == []
