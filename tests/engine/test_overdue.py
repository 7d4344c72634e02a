"""A call ends: past its deadline the attempt is settled, its slot given back, and what is stuck is named."""

import queue
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from experience_runtime.domain.admission import Policies
from experience_runtime.domain.executions import Execution, Status
from experience_runtime.engine.delivery import MOST_SLOW, ThreadDelivery
from experience_runtime.engine.dispatcher import Dispatcher

from .policed import Policed


@pytest.fixture
def over() -> Iterator[threading.Event]:
    """Set when the test is: what hangs ends then."""
    event = threading.Event()
    yield event
    event.set()


def hangs(world: Policed, over: threading.Event, *, timeout: float = 0.05) -> threading.Event:
    """Let `sms` hang; return what is set when a call of it has begun."""
    began = threading.Event()

    def call(*_: Any) -> None:
        began.set()
        over.wait()

    world.integrations.put("sms", call)
    type(world.integrations.get("sms")).timeout = timeout
    return began


def run_until(dispatcher: Dispatcher, world: Policed, execution: Execution, status: Status) -> None:
    for _ in range(2000):
        dispatcher.run_due()
        if world.execution(execution.id).status is status and world.store.attempts(execution.number):
            return
        dispatcher.wake.wait(0.01)
        dispatcher.wake.clear()
    raise AssertionError(world.execution(execution.id))


def test_a_call_past_its_deadline_is_settled_and_may_pass(over: threading.Event) -> None:
    world = Policed(Policies())
    began = hangs(world, over)
    scheduled = world.due(1)[0]
    dispatcher = world.dispatcher_on(ThreadDelivery(1))

    dispatcher.run_due()
    assert began.wait(10)
    run_until(dispatcher, world, scheduled, Status.PENDING)

    (attempt,) = world.store.attempts(scheduled.number)
    assert (attempt.outcome, attempt.error) == (
        "retry",
        "sms did not end within 0.05 s, its timeout, and may still act",
    )
    assert world.execution(scheduled.id).reason == "integration_timeout"
    dispatcher.close()


def test_its_slot_is_given_back_and_the_stuck_call_is_named(
    over: threading.Event, caplog: pytest.LogCaptureFixture
) -> None:
    world = Policed(Policies())
    began = hangs(world, over)
    stuck = world.due(1)[0]
    dispatcher = world.dispatcher_on(ThreadDelivery(1))
    dispatcher.run_due()
    assert began.wait(10)
    run_until(dispatcher, world, stuck, Status.PENDING)

    other = world.due(1, "mail")[0]
    run_until(dispatcher, world, other, Status.SUCCEEDED)

    assert [each.id for each in dispatcher.stuck()] == [stuck.id]
    assert f"{stuck.id}: sms did not end within" in caplog.text
    dispatcher.close()


def test_what_a_stuck_call_still_comes_to_changes_nothing(
    over: threading.Event, caplog: pytest.LogCaptureFixture
) -> None:
    world = Policed(Policies())
    began = hangs(world, over)
    scheduled = world.due(1)[0]
    delivery = ThreadDelivery(1)
    dispatcher = world.dispatcher_on(delivery)
    dispatcher.run_due()
    assert began.wait(10)
    run_until(dispatcher, world, scheduled, Status.PENDING)

    over.set()
    for _ in range(1000):
        if not dispatcher.stuck():
            break
        dispatcher.wake.wait(0.01)

    assert dispatcher.stuck() == []
    assert "ended after its deadline: it succeeded" in caplog.text
    assert [a.outcome for a in world.store.attempts(scheduled.number)] == ["retry"]
    dispatcher.close()


def test_closing_waits_for_no_stuck_call(over: threading.Event) -> None:
    world = Policed(Policies())
    began = hangs(world, over)
    scheduled = world.due(1)[0]
    dispatcher = world.dispatcher_on(ThreadDelivery(1, grace_seconds=3600))
    dispatcher.run_due()
    assert began.wait(10)
    run_until(dispatcher, world, scheduled, Status.PENDING)

    closing = threading.Thread(target=dispatcher.close, daemon=True)
    closing.start()
    closing.join(60)

    assert not closing.is_alive()
    assert not over.is_set()


def test_a_process_that_stops_gives_its_calls_one_grace(over: threading.Event) -> None:
    """Its worker closes what delivers, and then whoever has made it."""
    delivery, began = ThreadDelivery(1, grace_seconds=3600), threading.Event()
    closed: queue.Queue[None] = queue.Queue()

    def hang(_: Execution) -> None:
        began.set()
        over.wait()

    def close() -> None:
        delivery.close()
        closed.put(None)

    delivery.submit(Policed(Policies()).due(1), hang)
    assert began.wait(60)
    for _ in range(2):
        threading.Thread(target=close, daemon=True).start()

    closed.get(timeout=60)  # one of them waits for the call
    assert closed.empty()


def test_slow_calls_leave_their_slots_to_others_up_to_a_bound(over: threading.Event) -> None:
    def waits(_: Execution) -> None:
        over.wait()

    delivery = ThreadDelivery(2)
    world = Policed(Policies())
    executions = world.due(2 * (1 + MOST_SLOW))

    delivery.submit(executions[:2], waits)
    assert delivery.free() == 0
    for _ in range(1000):
        if delivery.free() == 2:
            break
        threading.Event().wait(0.01)
    assert delivery.free() == 2
    delivery.submit(executions[2:], waits)

    assert delivery.free() <= 0
    over.set()
    delivery.close()


@pytest.mark.parametrize(
    ("problem", "outcomes"),
    [
        (ConnectionResetError("by peer"), ["retry"] * 5 + ["failed"]),
        (TimeoutError("no answer"), ["retry"] * 5 + ["failed"]),
        (OSError(28, "no space left on device"), ["retry"] * 5 + ["failed"]),
        (KeyError("message"), ["retry", "retry", "failed"]),
        (SystemExit(1), ["retry", "retry", "failed"]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_an_integration_did_not_expect_may_pass(problem: BaseException, outcomes: list[str]) -> None:
    world = Policed(Policies())

    def fails(*_: Any) -> None:
        raise problem

    world.integrations.put("sms", fails)
    scheduled = world.due(1)[0]

    while (wake := world.dispatcher.next_wake()) is not None:
        world.clock.advance_to(wake)
        world.dispatcher.run_due()

    assert [a.outcome for a in world.store.attempts(scheduled.number)] == outcomes
    is_network = isinstance(problem, OSError)
    assert world.store.integration_states.of("sms").failures == (6 if is_network else 0)


def test_a_lost_attempt_waits_before_it_is_made_again_and_says_how_often_it_was_in_flight() -> None:
    world = Policed(Policies())
    scheduled = world.due(1)[0]
    due_at = []

    for _ in range(3):
        now = max(world.clock.now(), world.execution(scheduled.id).due_at)
        world.clock.advance_to(now)
        (claimed,) = world.store.claim_due(now=now, lease_until=now, limit=1)
        world.store.start_all([(claimed.number, claimed.attempt)], now=now, lease_until=now)
        (lost,) = world.dispatcher.give_everything_back()
        due_at.append((lost.due_at - now).total_seconds())

    assert all(0 < wait <= most for wait, most in zip(due_at, (15, 60, 240), strict=True))
    assert "in flight 3 times" in str(world.store.attempts(scheduled.number)[-1].error)


def test_what_the_receiver_has_taken_is_not_sent_again_for_an_exception_afterwards() -> None:
    world = Policed(Policies())

    def fails(_: Any, context: Any) -> None:
        context.http.post("https://x/")
        raise ConnectionResetError("after the answer")

    world.integrations.put("sms", fails)
    scheduled = world.due(1)[0]

    world.run_all()

    assert world.execution(scheduled.id).status is Status.FAILED
