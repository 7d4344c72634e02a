"""The circuit breaker: a run of failures stops the calls, one that is answered lets them go on."""

import threading
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from experience_runtime.clocks import VirtualClock
from experience_runtime.domain.admission import Policies, Policy
from experience_runtime.domain.errors import BlockedAddress, CallFailed
from experience_runtime.domain.executions import Execution, Settling, Status
from experience_runtime.engine.delivery import InlineDelivery, ThreadDelivery
from experience_runtime.integration import IntegrationFailed
from experience_runtime.store.opening import open_sqlite

from .conftest import NOW
from .outcomes import raising
from .policed import Policed

THREE = Policies(by_name={"sms": Policy(breaker_failures=3, breaker_seconds=30)})
LEASE = timedelta(seconds=120)
OPEN = (
    "the circuit breaker of sms is open since 2026-03-02T12:00:00.000Z, after {} failures in a row; "
    "the next try is at {}"
)
DOWN = raising(IntegrationFailed("down", may_pass=True))


@pytest.fixture
def world() -> Iterator[Policed]:
    made = Policed(THREE)
    yield made
    made.store.close()


def opened(world: Policed) -> list[Execution]:
    """Ten that are due, of which three have failed."""
    world.answers(503)
    scheduled = world.due(10)
    world.run_all()
    return scheduled


def opened_at(world: Policed) -> datetime | None:
    return world.store.integration_states.of("sms").opened_at


def run_until(world: Policed, until: datetime) -> None:
    """What a worker does, from wake to wake."""
    world.run_all()
    while (wake := world.dispatcher.next_wake()) is not None and wake <= until:
        assert wake > world.clock.now()  # a wake that finds nothing would be a busy loop
        world.clock.advance_to(wake)
        world.run_all()
    world.clock.advance_to(until)


# --- opening


def test_it_opens_after_exactly_so_many_failures_and_nothing_more_is_called(world: Policed) -> None:
    scheduled = opened(world)

    assert len(world.integrations.calls) == 3
    assert opened_at(world) == NOW
    assert world.now_is(scheduled) == [Status.PENDING] * 10
    assert [world.execution(each.id).begun for each in scheduled] == [1] * 3 + [0] * 7
    assert world.dispatcher.next_wake() == NOW + timedelta(seconds=30)


def test_what_waits_for_it_says_so(world: Policed) -> None:
    scheduled = opened(world)

    because = OPEN.format(3, "2026-03-02T12:00:30.000Z")

    assert world.operations.holds() == {"sms": because}
    assert world.operations.waits_because([world.execution(scheduled[9].id)]) == {scheduled[9].id: because}


def test_final_failures_that_were_answered_close_the_run(world: Policed) -> None:
    world.due(5)
    for status in (503, 503, 400, 503, 503):
        world.answers(status)
        world.dispatcher.run_due()

    assert (opened_at(world), world.store.integration_states.of("sms").failures) == (None, 2)


@pytest.mark.parametrize("silence", ["not configured", "blocked", "a defect of the integration"])
def test_failures_that_never_left_say_nothing(world: Policed, silence: str) -> None:
    world.integrations.put("sms", DOWN)
    world.due(2)
    world.run_all()
    if silence == "not configured":
        world.integrations.unconfigured.add("sms")
    error = BlockedAddress("10.0.0.1 is private") if silence == "blocked" else ValueError("odd")
    world.integrations.put("sms", raising(error))
    last = world.due(5)

    world.run_all()

    is_defect = silence == "a defect of the integration"  # it is tried again, and still says nothing
    assert set(world.now_is(last)) == {Status.PENDING if is_defect else Status.FAILED}
    assert (opened_at(world), world.store.integration_states.of("sms").failures) == (None, 2)


def test_two_threads_failures_both_count(world: Policed) -> None:
    together = threading.Barrier(3)

    def fail_together(*_: Any) -> Any:
        together.wait(60)
        raise IntegrationFailed("down", may_pass=True)

    world.integrations.put("sms", fail_together)
    world.due(3)
    dispatcher = world.dispatcher_on(ThreadDelivery(3))

    dispatcher.run_due()
    dispatcher.close()

    assert world.store.integration_states.of("sms").failures == 3
    assert opened_at(world) == NOW


def test_a_failed_execute_counts_and_its_answer_closes(world: Policed) -> None:
    world.answers(503)
    for _ in range(3):
        with pytest.raises(CallFailed):
            world.dispatcher.call_now(world.execute())
    assert opened_at(world) == NOW

    world.answers(200)
    world.dispatcher.call_now(world.execute())  # its caller waits: it is not held up

    assert opened_at(world) is None


def test_without_a_breaker_every_due_execution_is_called() -> None:
    world = Policed(Policies(by_name={"sms": Policy(breaker_failures=0)}))
    world.answers(503)
    world.due(60)

    assert world.run_all() == 60
    assert world.store.integration_states.all() == {}
    world.store.close()


# --- trying again


def test_one_at_a_time_tries_and_each_that_fails_doubles_the_wait(
    world: Policed, caplog: pytest.LogCaptureFixture
) -> None:
    scheduled = opened(world)

    run_until(world, NOW + timedelta(hours=1))

    tries = sorted((at - NOW).total_seconds() for at in world.begun(scheduled))[3:]
    assert tries == [30, 90, 210, 450, 930, 1830, 2730]  # after 30, 60, 120, 240, 480, 900 and 900 s
    assert [r.message for r in caplog.records if "circuit breaker" in r.message][:3] == [
        OPEN.format(3, "2026-03-02T12:00:30.000Z"),
        OPEN.format(4, "2026-03-02T12:01:30.000Z"),
        OPEN.format(5, "2026-03-02T12:03:30.000Z"),
    ]


def test_an_answer_closes_it_and_all_go_on(world: Policed, caplog: pytest.LogCaptureFixture) -> None:
    scheduled = opened(world)
    world.answers(200)
    world.advance(seconds=30)

    run_until(world, NOW + timedelta(hours=1))

    assert set(world.now_is(scheduled)) == {Status.SUCCEEDED}
    assert opened_at(world) is None
    assert world.operations.holds() == {}
    assert caplog.messages[-1] == "the circuit breaker of sms is closed again: a call was answered"


def test_a_final_answer_closes_it_too(world: Policed) -> None:
    opened(world)
    world.answers(400)
    world.advance(seconds=30)

    world.dispatcher.run_due()

    assert opened_at(world) is None


def test_an_outage_of_hours_uses_up_nobodys_retries(world: Policed) -> None:
    scheduled = opened(world)

    run_until(world, NOW + timedelta(hours=3))
    assert set(world.now_is(scheduled)) == {Status.PENDING}
    world.answers(200)
    run_until(world, NOW + timedelta(hours=4))

    assert set(world.now_is(scheduled)) == {Status.SUCCEEDED}


def test_no_second_one_tries_before_the_breaker_has_heard_of_the_first(world: Policed) -> None:
    opened(world)
    store = _Nosy(world.store)
    world.store = store
    dispatcher = world.dispatcher_on(InlineDelivery())
    world.advance(seconds=30)

    dispatcher.run_due()

    assert store.seen == [[]]


def test_a_probe_that_never_left_is_followed_by_another(world: Policed) -> None:
    scheduled = opened(world)
    world.integrations.unconfigured.add("sms")
    world.advance(seconds=30)

    assert world.run_all() == 10  # the three wait for their retries no more: all are due by now

    assert set(world.now_is(scheduled)) == {Status.FAILED}
    assert opened_at(world) == NOW


def test_resuming_closes_it(world: Policed) -> None:
    opened(world)
    world.answers(200)

    world.operations.resume("sms")

    assert world.run_all() == 7
    assert opened_at(world) is None


# --- what else there is


def test_other_integrations_go_on(world: Policed) -> None:
    opened(world)
    world.answers(200)
    others = world.due(4, "mail")

    assert world.run_all() == 4
    assert set(world.now_is(others)) == {Status.SUCCEEDED}


def test_it_is_still_open_after_a_restart(tmp_path: Path) -> None:
    path = str(tmp_path / "experience.db")
    before = Policed(THREE, open_sqlite(path))
    opened(before)
    before.store.close()

    after = Policed(THREE, open_sqlite(path))

    assert after.run_all() == 0
    assert after.dispatcher.next_wake() == NOW + timedelta(seconds=30)
    after.advance(seconds=30)
    assert after.run_all() == 10
    assert opened_at(after) is None
    after.store.close()


def test_a_clock_put_back_an_hour_does_not_keep_it_open_for_an_hour(world: Policed) -> None:
    scheduled = opened(world)
    world.clock = VirtualClock(NOW - timedelta(hours=1))
    world.dispatcher = world.dispatcher_on(InlineDelivery())
    world.answers(200)
    earlier = world.execute()

    world.dispatcher.call_now(earlier)

    assert opened_at(world) is None
    world.clock.advance_to(NOW)
    assert world.run_all() == 7
    assert world.now_is(scheduled).count(Status.SUCCEEDED) == 7


class _Nosy:
    """A store that is asked for due executions the moment an attempt is settled, as by another thread."""

    def __init__(self, store: Any) -> None:
        self._store = store
        self.seen: list[list[Execution]] = []

    def settle_all(self, settlings: Sequence[Settling]) -> Any:
        settled = self._store.settle_all(settlings)
        now = settlings[0].now
        self.seen.append(self._store.claim_due(now=now, lease_until=now + LEASE, limit=5, policies=THREE))
        return settled

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)
