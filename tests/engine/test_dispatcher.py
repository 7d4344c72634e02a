"""When the dispatcher delivers a due execution: once, in order, in its window, and on threads."""

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from experience_runtime.documents.documents import execution_document
from experience_runtime.domain.executions import Status
from experience_runtime.engine.delivery import ThreadDelivery
from experience_runtime.integration import IntegrationFailed
from experience_runtime.store.sql import SqlStore

from .conftest import NOW, World
from .outcomes import raising

# --- delivering


def test_a_due_execution_is_delivered_once(world: World) -> None:
    scheduled = world.schedule(payload={"message": "hello"})

    assert world.run_all() == 1
    assert world.run_all() == 0

    row = world.execution(scheduled.execution.id)
    (attempt,) = world.store.attempts(row.number)
    ((payload, context),) = world.integrations.calls
    assert (row.status, row.reason, row.begun) == (Status.SUCCEEDED, None, 1)
    assert (attempt.outcome, attempt.http_status, attempt.answer) == ("succeeded", 200, '{"ok": true}')
    assert payload == {"message": "hello"}
    assert (context.execution_id, context.attempt, context.visitor, context.now) == (row.id, 1, "ada", NOW)


def test_nothing_runs_before_it_is_due(world: World) -> None:
    world.schedule(delay="1 hour")

    assert world.run_all() == 0
    world.advance(minutes=59, seconds=59)
    assert world.run_all() == 0
    world.advance(seconds=1)
    assert world.run_all() == 1


def test_due_executions_run_in_the_order_of_their_time(world: World) -> None:
    for seconds in (3, 1, 2):
        world.schedule(payload=seconds, delay=seconds * 1000)
    world.advance(seconds=5)

    world.run_all()

    assert [payload for payload, _ in world.integrations.calls] == [1, 2, 3]


def test_an_execution_cancelled_after_its_claim_does_not_run(world: World) -> None:
    scheduled = world.schedule()
    (claimed,) = world.store.claim_due(now=NOW, lease_until=NOW + timedelta(seconds=120), limit=1)
    world.scheduler.cancel_execution(scheduled.execution.id, reason=None)

    world.dispatcher.deliver(claimed)

    assert world.integrations.calls == []
    assert world.execution(scheduled.execution.id).status is Status.CANCELLED


def test_an_execution_claimed_twice_runs_for_the_second_claim_only(world: World) -> None:
    world.schedule()
    (first,) = world.store.claim_due(now=NOW, lease_until=NOW + timedelta(seconds=120), limit=1)
    world.store.give_back(now=NOW, everything=True)
    (second,) = world.store.claim_due(now=NOW, lease_until=NOW + timedelta(seconds=120), limit=1)

    world.dispatcher.deliver(first)
    assert world.integrations.calls == []
    world.dispatcher.deliver(second)
    assert len(world.integrations.calls) == 1


def test_a_lapsed_lease_is_claimed_again(world: World) -> None:
    scheduled = world.schedule()
    world.store.claim_due(now=NOW, lease_until=NOW + timedelta(seconds=120), limit=1)

    assert world.run_all() == 0
    world.advance(seconds=120)
    assert world.run_all() == 1

    assert world.execution(scheduled.execution.id).status is Status.SUCCEEDED


# --- windows


def test_outside_its_window_an_execution_waits_for_the_next_opening(world: World) -> None:
    window = {"day": "monday-friday", "time": "09:00-17:00", "timezone": "UTC"}
    scheduled = world.schedule(window=window)
    # Nobody worked until after closing time: a Friday, 17:01.
    world.clock.advance_to(datetime(2026, 3, 6, 17, 1, tzinfo=UTC))

    world.run_all()

    row = world.execution(scheduled.execution.id)
    assert world.integrations.calls == []
    assert (row.status, row.begun) == (Status.PENDING, 0)
    assert row.due_at == datetime(2026, 3, 9, 9, tzinfo=UTC)  # the Monday after
    world.clock.advance_to(row.due_at)
    world.run_all()
    assert world.execution(scheduled.execution.id).status is Status.SUCCEEDED


def test_a_retry_waits_for_its_window_too(world: World) -> None:
    world.integrations.put("slack-update", raising(IntegrationFailed("down", may_pass=True, retry_after=60)))
    world.clock.advance_to(datetime(2026, 3, 2, 16, 59, 30, tzinfo=UTC))
    window = {"day": "monday-friday", "time": "09:00-16:59", "timezone": "UTC"}
    scheduled = world.schedule(window=window)

    world.run_all()

    assert world.execution(scheduled.execution.id).due_at == datetime(2026, 3, 3, 9, tzinfo=UTC)


def test_a_zone_this_machine_does_not_know_fails_and_never_runs(world: World) -> None:
    scheduled = world.schedule(window={"day": "monday", "timezone": "UTC"})
    store = world.store
    assert isinstance(store, SqlStore)
    store.database.connection.execute("UPDATE executions SET zone = 'Moon/Crater'")

    world.run_all()

    row = world.execution(scheduled.execution.id)
    assert (row.status, row.reason) == (Status.FAILED, "invalid_window")
    assert world.integrations.calls == []
    document = execution_document(
        row, redact=str, shown=lambda _, payload: payload
    )  # and it can still be listed
    assert "Moon/Crater" in document["why"][0]
    assert document["due_local"] == "2026-03-02T12:00:00.000+00:00"


# --- threads


def test_threads_take_as_much_as_there_is_room_and_tell_when_there_is_more(world: World) -> None:
    go, began = threading.Event(), threading.Semaphore(0)

    def hold(*_: object) -> Any:
        began.release()
        go.wait()

    world.integrations.put("slack-update", hold)
    for _ in range(10):
        world.schedule()
    dispatcher = world.dispatcher_on(ThreadDelivery(concurrency=2))

    taken = dispatcher.run_due()
    for _ in range(2):
        began.acquire()

    assert (taken, dispatcher.run_due(), dispatcher.in_flight()) == (2, 0, 2)
    assert not dispatcher.has_room()
    go.set()
    assert dispatcher.wake.wait(60)
    dispatcher.close()
    assert len(world.integrations.calls) == 2


def test_close_finishes_what_runs_and_leaves_the_rest_waiting(world: World) -> None:
    go, began = threading.Event(), threading.Event()

    def hold(*_: object) -> Any:
        began.set()
        go.wait()

    world.integrations.put("slack-update", hold)
    first, second = world.schedule(), world.schedule()
    dispatcher = world.dispatcher_on(ThreadDelivery(concurrency=1))
    dispatcher.run_due()
    began.wait()

    closing = threading.Thread(target=dispatcher.close)
    closing.start()
    go.set()
    closing.join()

    assert world.execution(first.execution.id).status is Status.SUCCEEDED
    left = world.execution(second.execution.id)
    assert (left.status, left.begun, left.lease_until) == (Status.PENDING, 0, None)


@pytest.mark.parametrize("hours", [0.02, 1, 24 * 7])  # a slow call; a clock that jumps
def test_a_call_that_outlasts_its_lease_is_not_made_twice(world: World, hours: float) -> None:
    go, began = threading.Event(), threading.Event()

    def hold(*_: object) -> Any:
        began.set()
        go.wait()

    world.integrations.put("slack-update", hold)
    scheduled = world.schedule()
    dispatcher = world.dispatcher_on(ThreadDelivery(concurrency=2))
    dispatcher.run_due()
    began.wait()

    for _ in range(5):
        world.advance(hours=hours)
        dispatcher.run_due()

    go.set()
    dispatcher.close()
    assert len(world.integrations.calls) == 1
    assert world.execution(scheduled.execution.id).status is Status.SUCCEEDED


def test_a_timeout_of_ages_is_no_timeout(world: World) -> None:
    execution = world.scheduler.begin_execute(
        "slack-update", "hello", key=None, visitor=None, experience=None
    )

    assert world.dispatcher.call_now(execution, 1e300) == {"ok": True}
