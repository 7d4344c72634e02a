"""The loop: it delivers, survives, stops, and is alone."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from experience_runtime.clocks import SystemClock, VirtualClock
from experience_runtime.domain.errors import InternalError
from experience_runtime.domain.executions import Status
from experience_runtime.engine.delivery import InlineDelivery, ThreadDelivery
from experience_runtime.engine.stores import Store
from experience_runtime.engine.worker import Worker
from experience_runtime.integration import Context, IntegrationFailed
from experience_runtime.store.sqlite.lock import FileLock

if TYPE_CHECKING:
    from tests.engine.conftest import World

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)  # a Monday


def run_until_idle(world: World, **options: Any) -> None:
    Worker(world.dispatcher, world.store, world.clock, **options).run(threading.Event(), until_idle=True)


def test_until_idle_delivers_what_is_due_and_does_not_wait_for_the_rest(world: World) -> None:
    due = [world.schedule() for _ in range(5)]
    later = world.schedule(delay="1 hour")

    run_until_idle(world)

    assert {world.execution(each.execution.id).status for each in due} == {Status.SUCCEEDED}
    assert world.execution(later.execution.id).status is Status.PENDING
    assert world.clock.now() == NOW


def test_until_idle_delivers_everything_on_threads(world: World) -> None:
    dispatcher = world.dispatcher_on(ThreadDelivery(concurrency=4))
    for _ in range(100):
        world.schedule()

    Worker(dispatcher, world.store, _Standing(world.clock)).run(threading.Event(), until_idle=True)

    assert len(world.integrations.calls) == 100
    assert world.store.next_wake(now=NOW) is None


def test_until_idle_waits_for_what_runs_and_what_is_queued_behind_it(world: World) -> None:
    clock = _Standing(world.clock)
    # What runs goes on only once the worker waits: a worker that returns instead leaves the second undone.
    world.integrations.put("slack-update", lambda *_: clock.waited.wait(60))
    scheduled = [world.schedule(), world.schedule()]
    dispatcher = world.dispatcher_on(ThreadDelivery(concurrency=1))

    Worker(dispatcher, world.store, clock).run(threading.Event(), until_idle=True)

    assert {world.execution(each.execution.id).status for each in scheduled} == {Status.SUCCEEDED}


def test_until_idle_leaves_a_retry_that_is_not_due(world: World) -> None:
    def fail(*_: object) -> Any:
        raise IntegrationFailed("down", may_pass=True, retry_after=60)

    world.integrations.put("slack-update", fail)
    scheduled = world.schedule()

    run_until_idle(world)

    assert world.execution(scheduled.execution.id).status is Status.PENDING
    assert len(world.integrations.calls) == 1


def test_a_worker_waits_until_each_execution_is_due(world: World) -> None:
    stop, seen = threading.Event(), list[datetime]()

    def see(payload: Any, context: Context[Any]) -> Any:
        seen.append(context.now)
        if payload == "last":
            stop.set()

    world.integrations.put("slack-update", see)
    world.schedule(payload="last", delay="30 days")
    world.schedule(payload="first", delay="1 hour")

    Worker(world.dispatcher, world.store, world.clock).run(stop)

    assert seen == [NOW + timedelta(hours=1), NOW + timedelta(days=30)]


def test_the_holder_of_the_lock_gives_back_what_an_earlier_worker_left(world: World, tmp_path: Path) -> None:
    scheduled = [world.schedule(), world.schedule()]
    lease_until = NOW + timedelta(seconds=120)
    claimed = world.store.claim_due(now=NOW, lease_until=lease_until, limit=2)
    world.store.start_all([(claimed[0].number, 1)], now=NOW, lease_until=lease_until)

    run_until_idle(world, lock=FileLock(str(tmp_path / "experience.db")))
    assert world.clock.now() == NOW
    assert world.execution(scheduled[1].execution.id).status is Status.SUCCEEDED
    world.clock.advance_to(world.execution(scheduled[0].execution.id).due_at)
    world.run_all()

    assert {world.execution(each.execution.id).status for each in scheduled} == {Status.SUCCEEDED}
    assert [a.outcome for a in world.store.attempts(claimed[0].number)] == ["lost", "succeeded"]


def test_without_a_lock_leases_of_others_are_left_alone(world: World) -> None:
    world.schedule()
    world.store.claim_due(now=NOW, lease_until=NOW + timedelta(seconds=120), limit=1)

    run_until_idle(world)

    assert world.integrations.calls == []


def test_a_second_worker_names_the_first_and_waits(
    world: World, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    world.schedule()
    first, second = (FileLock(str(tmp_path / "experience.db")) for _ in range(2))
    assert first.try_take()
    clock = _Standing(world.clock)
    worker = Worker(world.dispatcher, world.store, clock, lock=second)
    thread = threading.Thread(target=worker.run, args=(threading.Event(),), kwargs={"until_idle": True})

    thread.start()
    clock.waited.wait(60)
    said = caplog.text
    delivered_while_waiting = len(world.integrations.calls)
    first.release()
    thread.join(10)

    assert f"process {first.holder()}" in said
    assert delivered_while_waiting == 0
    assert len(world.integrations.calls) == 1
    assert second.try_take()  # given up at the end, so that it can be taken again
    second.release()


def test_a_waiting_worker_can_be_stopped(world: World, tmp_path: Path) -> None:
    first, second = (FileLock(str(tmp_path / "experience.db")) for _ in range(2))
    assert first.try_take()
    stop = threading.Event()
    stop.set()

    Worker(world.dispatcher, world.store, world.clock, lock=second).run(stop)

    assert world.integrations.calls == []
    first.release()


def test_a_store_that_fails_for_a_while_loses_nothing(world: World, caplog: pytest.LogCaptureFixture) -> None:
    scheduled = world.schedule()
    store = _Unreachable(world.store, failures=3)
    world.store = store
    world.dispatcher = world.dispatcher_on(InlineDelivery())

    run_until_idle(world)

    assert caplog.text.count("could not reach its store") == 3
    assert world.execution(scheduled.execution.id).status is Status.SUCCEEDED


def test_stop_finishes_what_runs(world: World) -> None:
    stop, began, go = threading.Event(), threading.Event(), threading.Event()

    def hold(*_: object) -> Any:
        began.set()
        go.wait()

    world.integrations.put("slack-update", hold)
    scheduled = world.schedule()
    dispatcher = world.dispatcher_on(ThreadDelivery(concurrency=1))
    worker = Worker(dispatcher, world.store, _Standing(world.clock))
    thread = threading.Thread(target=worker.run, args=(stop,))
    thread.start()
    began.wait()

    stop.set()
    go.set()
    thread.join(10)

    assert world.execution(scheduled.execution.id).status is Status.SUCCEEDED


def test_a_worker_on_the_real_clock_sees_what_is_scheduled_while_it_runs(world: World) -> None:
    stop, delivered = threading.Event(), threading.Event()
    world.integrations.put("slack-update", lambda *_: delivered.set())
    world.clock = SystemClock()  # type: ignore[assignment]
    dispatcher = world.dispatcher_on(ThreadDelivery(concurrency=1))
    thread = threading.Thread(target=Worker(dispatcher, world.store, world.clock).run, args=(stop,))
    thread.start()

    world.schedule()

    assert delivered.wait(60)
    stop.set()
    thread.join(10)


class _Standing:
    """A clock that stands still when somebody waits on it, and tells: threads need no virtual time."""

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        self.now = clock.now
        self.waited = threading.Event()

    def wait(self, until: datetime | None, wake: threading.Event, *, at_most: float) -> None:  # noqa: ARG002 - the port's
        self.waited.set()
        self._clock.wait(None, wake, at_most=at_most)


class _Unreachable:
    """A store whose first claims fail, as when its disk is away."""

    def __init__(self, store: Store, *, failures: int) -> None:
        self._store = store
        self._failures = failures
        self.integration_states, self.schedules = store.integration_states, store.schedules
        self.paces = store.paces
        self.tokens, self.replies, self.events = store.tokens, store.replies, store.events
        self.workers, self.runs = store.workers, store.runs
        self.erasing, self.pruning = store.erasing, store.pruning
        self.releases, self.audit = store.releases, store.audit
        self.alerts, self.exposures, self.feed = store.alerts, store.exposures, store.feed
        self.visitor_list, self.integration_settings = store.visitor_list, store.integration_settings

    def claim_due(self, **options: Any) -> Any:
        if self._failures:
            self._failures -= 1
            raise InternalError("the disk is away")
        return self._store.claim_due(**options)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        found: Callable[..., Any] = getattr(self._store, name)
        return found
