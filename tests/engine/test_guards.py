"""Guards of the engine that nothing else would notice: order, leases, fencing, and what is redacted."""

import threading
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from experience_runtime.domain.admission import Policies, Policy
from experience_runtime.domain.errors import CallFailed, Conflict, InternalError
from experience_runtime.domain.executions import LEASE_SECONDS, Execution, Filter, Settling, Status
from experience_runtime.engine.delivery import InlineDelivery, ThreadDelivery
from experience_runtime.engine.dispatcher import Dispatcher
from experience_runtime.integration import IntegrationFailed
from experience_runtime.store.opening import open_sqlite

from .conftest import NOW, World
from .policed import Policed

LEASE = timedelta(seconds=LEASE_SECONDS)
THREE = Policies(by_name={"sms": Policy(breaker_failures=3, breaker_seconds=30)})


class Told:
    """A store that tells what it is asked to settle, and can be away while rows are to be given back."""

    def __init__(self) -> None:
        self.store = open_sqlite(":memory:")
        self.is_away = False
        self.failures_when_settling: list[int] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)

    def settle_all(self, settlings: Sequence[Settling]) -> list[Execution | None]:
        self.failures_when_settling.append(self.store.integration_states.of("sms").failures)
        return self.store.settle_all(settlings)

    def postpone_all(self, claimed: Collection[tuple[int, int, datetime]]) -> set[int]:
        if self.is_away:
            raise InternalError("the database is away")
        return self.store.postpone_all(claimed)


def execute(world: World, key: object = None) -> Execution:
    name = "sms" if isinstance(world, Policed) else "slack-update"
    return world.scheduler.begin_execute(name, "hello", key=key, visitor=None, experience=None)


# --- execute


def test_what_is_paused_is_not_executed_and_its_key_stays_free() -> None:
    world = Policed(Policies())
    world.operations.pause("sms")

    with pytest.raises(Conflict, match="paused"):
        execute(world, {"k": 1})
    world.operations.resume("sms")

    assert execute(world, {"k": 1}).status is Status.RUNNING
    assert world.store.count(Filter()) == 1


def test_an_execute_is_held_by_a_lease_from_its_first_moment(world: World) -> None:
    execution = execute(world)

    assert world.store.give_back(now=NOW + LEASE - timedelta(milliseconds=1)) == []
    assert world.execution(execution.id).lease_until == NOW + LEASE


def test_failed_executes_open_the_breaker_for_what_is_due() -> None:
    world = Policed(THREE)
    world.answers(503)

    for _ in range(3):
        with pytest.raises(CallFailed):
            world.dispatcher.call_now(execute(world))

    state = world.store.integration_states.of("sms")
    assert (state.failures, state.opened_at) == (3, NOW)


# --- what a breaker has heard, before the lease that held the probe is gone


@pytest.mark.parametrize("how", ["due", "execute"])
def test_the_breaker_hears_of_a_failure_before_its_row_is_settled(how: str) -> None:
    told = Told()
    world = Policed(THREE, store=told)
    world.answers(503)

    if how == "due":
        world.due(1)
        world.run_all()
    else:
        with pytest.raises(CallFailed):
            world.dispatcher.call_now(execute(world))

    assert told.failures_when_settling == [1]


# --- leases


@pytest.mark.parametrize("seconds", [LEASE_SECONDS * 1.6, LEASE_SECONDS * 1.9])
def test_a_lease_is_renewed_at_the_first_look_after_its_half(world: World, seconds: float) -> None:
    # a look that comes late, as after a sleep of the machine
    go, began = threading.Event(), threading.Event()

    def hold(*_: object) -> Any:
        began.set()
        go.wait(60)

    world.integrations.put("slack-update", hold)
    scheduled = world.schedule().execution
    dispatcher = world.dispatcher_on(ThreadDelivery(concurrency=2))
    dispatcher.run_due()
    began.wait(60)

    looked_at = world.advance(seconds=seconds)
    dispatcher.run_due()

    row = world.execution(scheduled.id)
    go.set()
    dispatcher.close()
    assert (row.status, row.lease_until) == (Status.RUNNING, looked_at + LEASE)


class PutBack:
    """A clock that can be put back."""

    def __init__(self) -> None:
        self.at = NOW

    def now(self) -> datetime:
        return self.at


def test_what_began_after_the_clock_was_put_back_is_renewed_by_the_new_time(world: World) -> None:
    go, began = threading.Event(), threading.Event()

    def hold(*_: object) -> Any:
        began.set()
        go.wait(60)

    world.integrations.put("slack-update", hold)
    clock = PutBack()
    world.clock = clock  # type: ignore[assignment] # nothing here waits by it
    dispatcher = world.dispatcher_on(ThreadDelivery(concurrency=4))
    world.schedule()
    dispatcher.run_due()
    began.wait(60)
    clock.at = NOW + timedelta(days=1)
    dispatcher.run_due()  # renews what runs, by a time that is not yet
    clock.at = NOW
    world.schedule()
    dispatcher.run_due()

    for _ in range(4):
        clock.at += LEASE * 0.6
        dispatcher.run_due()

    go.set()
    dispatcher.close()
    assert len(world.integrations.calls) == 2


# --- what is given back


def test_what_could_not_start_is_given_back_once_the_store_is_there_again() -> None:
    told = Told()
    world = World(told)
    window = {"day": "monday-friday", "time": "09:00-17:00", "timezone": "UTC"}
    scheduled = world.schedule(window=window)
    evening = world.advance(hours=8)  # a Monday, 20:00: the window has closed
    (claimed,) = told.store.claim_due(now=evening, lease_until=evening + LEASE, limit=1)
    told.is_away = True
    with pytest.raises(InternalError):
        world.dispatcher.deliver(claimed)

    told.is_away = False
    world.dispatcher.run_due()

    row = world.execution(scheduled.execution.id)
    assert (row.status, row.lease_until, row.begun) == (Status.PENDING, None, 0)
    assert row.due_at == NOW + timedelta(hours=21)  # Tuesday, 09:00


class Carrying:
    """A relay that holds what came and was not taken, until it is closed."""

    def __init__(self) -> None:
        self.came: list[tuple[int, int]] = []

    def start(self, wake: threading.Event) -> None:
        pass

    def hand_over(self, claimed: Sequence[Execution]) -> None:
        self.came += [(each.number, each.attempt) for each in claimed]

    def arrived(self, most: int) -> Sequence[tuple[int, int]]:  # noqa: ARG002 the port's name
        return ()

    def close(self) -> Sequence[tuple[int, int]]:
        return self.came


def test_what_came_to_a_process_that_stops_waits_again_at_once(world: World) -> None:
    scheduled = world.schedule().execution
    dispatcher = Dispatcher(
        store=world.store,
        clock=world.clock,
        integrations=world.integrations,
        http=world.http,
        delivery=InlineDelivery(),
        relay=Carrying(),
    )
    dispatcher.run_due()
    assert world.execution(scheduled.id).lease_until == NOW + LEASE

    dispatcher.close()

    row = world.execution(scheduled.id)
    assert (row.status, row.lease_until, row.begun) == (Status.PENDING, None, 0)


# --- what is kept of an attempt


def raises(_: Any, __: Any) -> Any:
    raise RuntimeError("the key s3cret is wrong")


def fails(_: Any, __: Any) -> Any:
    raise IntegrationFailed("s3cret is wrong", may_pass=False, answer="you sent s3cret")


@pytest.mark.parametrize("calling", [raises, fails, lambda *_: "you sent s3cret"])
def test_nothing_that_is_kept_of_an_attempt_holds_a_secret(world: World, calling: Any) -> None:
    world.integrations.put("slack-update", calling)
    scheduled = world.schedule().execution
    world.run_all()

    (attempt,) = world.store.attempts(scheduled.number)
    kept = f"{attempt.error} {attempt.answer}"

    assert "s3cret" not in kept
    assert "[redacted]" in kept


def test_a_503_whose_wait_is_none_asks_nobody_to_wait(world: World) -> None:
    def fails_so(*_: object) -> Any:
        raise IntegrationFailed("down", may_pass=True, status=503, retry_after=-1)

    world.integrations.put("slack-update", fails_so)
    scheduled = world.schedule().execution
    world.dispatcher.run_due()

    assert [each.outcome for each in world.store.attempts(scheduled.number)] == ["retry"]


@pytest.mark.parametrize("asked", [-1, -1e300, float("nan")])
def test_a_wait_that_is_none_is_not_waited_for(world: World, asked: float) -> None:
    def fails_so(*_: object) -> Any:
        raise IntegrationFailed("down", may_pass=True, retry_after=asked)

    world.integrations.put("slack-update", fails_so)
    scheduled = world.schedule().execution
    world.run_all()

    assert NOW <= world.execution(scheduled.id).due_at <= NOW + timedelta(seconds=15)
