"""What becomes of a due execution, whatever its integration does."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from experience_runtime.calls import EXCERPT_BYTES, as_json
from experience_runtime.delivery.embedded import InlineDelivery, ThreadDelivery
from experience_runtime.domain.errors import (
    BlockedAddress,
    CallFailed,
    IntegrationTimeout,
    InternalError,
    NotConfigured,
)
from experience_runtime.domain.executions import Execution, Settlement, Status
from experience_runtime.domain.visitors import Visitor
from experience_runtime.integration import Answer, IntegrationFailed
from experience_runtime.store.sqlite import SqliteStore

if TYPE_CHECKING:
    from tests.engine.conftest import World

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)  # a Monday


def raising(error: BaseException) -> Any:
    def call(*_: object) -> Any:
        raise error

    return call


def outcomes(world: World, execution: Execution) -> list[str | None]:
    return [attempt.outcome for attempt in world.store.attempts(execution.number)]


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
    assert isinstance(store, SqliteStore)
    store._connection.execute("UPDATE executions SET zone = 'Moon/Crater'")

    world.run_all()

    row = world.execution(scheduled.execution.id)
    assert (row.status, row.reason) == (Status.FAILED, "invalid_window")
    assert world.integrations.calls == []


# --- failures


def test_a_failure_that_may_pass_is_retried_five_times(world: World) -> None:
    world.integrations.put("slack-update", raising(IntegrationFailed("down", may_pass=True, status=503)))
    scheduled = world.schedule()

    while (wake := world.store.next_wake()) is not None:
        world.clock.advance_to(wake)
        world.run_all()

    row = world.execution(scheduled.execution.id)
    assert (row.status, row.reason, row.begun) == (Status.FAILED, "integration_failed", 6)
    assert outcomes(world, row) == ["retry"] * 5 + ["failed"]
    assert {attempt.http_status for attempt in world.store.attempts(row.number)} == {503}
    assert [context.attempt for _, context in world.integrations.calls] == [1, 2, 3, 4, 5, 6]
    assert len({context.execution_id for _, context in world.integrations.calls}) == 1


def test_claims_that_never_began_use_up_no_retry(world: World) -> None:
    world.integrations.put("slack-update", raising(IntegrationFailed("down", may_pass=True)), retries=1)
    scheduled = world.schedule()
    for _ in range(10):
        world.store.claim_due(
            now=world.clock.now(), lease_until=world.clock.now() + timedelta(seconds=1), limit=1
        )
        world.advance(seconds=1)
        world.store.give_back(now=world.clock.now())

    world.run_all()

    row = world.execution(scheduled.execution.id)
    assert (row.status, row.begun, row.attempt) == (Status.PENDING, 1, 11)


def test_retry_after_is_honoured(world: World) -> None:
    world.integrations.put("slack-update", raising(IntegrationFailed("busy", may_pass=True, retry_after=900)))
    scheduled = world.schedule()

    world.run_all()

    assert world.execution(scheduled.execution.id).due_at == NOW + timedelta(minutes=15)


@pytest.mark.parametrize(
    "retry_after",
    ["soon", -5, float("nan"), float("inf"), True, pytest.param(10**400, id="10**400")],
)
def test_a_nonsense_retry_after_does_not_stop_the_retry(world: World, retry_after: Any) -> None:
    failure = IntegrationFailed("busy", may_pass=True, status=10**400, retry_after=retry_after)
    world.integrations.put("slack-update", raising(failure))
    scheduled = world.schedule()

    world.run_all()

    row = world.execution(scheduled.execution.id)
    assert row.status is Status.PENDING
    assert row.due_at <= NOW + timedelta(days=1)


@pytest.mark.parametrize(
    ("error", "reason", "text"),
    [
        (IntegrationFailed("no such channel", may_pass=False), "integration_failed", "no such channel"),
        (BlockedAddress("10.0.0.1 is private"), "blocked_address", "10.0.0.1 is private"),
        (ValueError("odd"), "integration_failed", "integration raised ValueError: odd"),
        (SystemExit(3), "integration_failed", "integration raised SystemExit: 3"),
        (RecursionError("deep"), "integration_failed", "integration raised RecursionError: deep"),
    ],
)
def test_other_failures_are_final_at_once(world: World, error: BaseException, reason: str, text: str) -> None:
    world.integrations.put("slack-update", raising(error))
    scheduled = world.schedule()

    world.run_all()

    row = world.execution(scheduled.execution.id)
    (attempt,) = world.store.attempts(row.number)
    assert (row.status, row.reason) == (Status.FAILED, reason)
    assert (attempt.outcome, attempt.error) == ("failed", text)


def test_missing_settings_fail_at_once_and_can_be_replayed(world: World) -> None:
    world.integrations.unconfigured.add("slack-update")
    scheduled = world.schedule()
    world.run_all()
    assert world.execution(scheduled.execution.id).reason == "not_configured"

    world.integrations.unconfigured.clear()
    world.scheduler.replay(scheduled.execution.id)
    world.run_all()

    assert world.execution(scheduled.execution.id).status is Status.SUCCEEDED
    assert outcomes(world, scheduled.execution) == ["failed", "succeeded"]


def test_an_integration_that_is_gone_fails_its_executions(world: World) -> None:
    scheduled = world.schedule()
    world.integrations._found.clear()

    world.run_all()

    assert world.execution(scheduled.execution.id).reason == "unknown_integration"


def test_what_is_kept_is_redacted_and_cut(world: World) -> None:
    answer = "x" * (EXCERPT_BYTES - 3) + "s3cret"
    failure = IntegrationFailed("POST https://x/?token=s3cret failed", may_pass=False, answer=answer)
    world.integrations.put("slack-update", raising(failure))
    scheduled = world.schedule()

    world.run_all()

    (attempt,) = world.store.attempts(scheduled.execution.number)
    assert attempt.error == "POST https://x/?token=[redacted] failed"
    assert attempt.answer == "x" * (EXCERPT_BYTES - 3) + "[re"


def test_an_answer_without_a_value_keeps_the_text_that_came(world: World) -> None:
    world.http.answer = Answer(200, text="ok")
    world.integrations.put("slack-update", lambda _, context: context.http.post("https://x/") and None)
    scheduled = world.schedule()

    world.run_all()

    (attempt,) = world.store.attempts(scheduled.execution.number)
    assert (attempt.http_status, attempt.answer) == (200, "ok")


class _Unspeakable:
    def __str__(self) -> str:
        raise RuntimeError("no")


_CYCLE: list[Any] = []
_CYCLE.append(_CYCLE)


@pytest.mark.parametrize(
    ("answer", "value"),
    [
        (None, None),
        ({"a": [1, "é"]}, {"a": [1, "é"]}),
        (
            Answer(201, {"x": "y"}, "made"),
            {"status": 201, "headers": {"x": "y"}, "text": "made", "retry_after": None},
        ),
        (NOW, "2026-03-02 12:00:00+00:00"),
        (float("nan"), "nan"),
        ({(1, 2): 3}, "{(1, 2): 3}"),
        (_CYCLE, "[[...]]"),
        (_Unspeakable(), "<_Unspeakable that cannot be spelled>"),
        ("\ud800", "\ud800"),
    ],
)
def test_any_answer_becomes_json(answer: object, value: object) -> None:
    assert as_json(answer)[0] == value


def test_a_refused_settle_is_a_warning_and_nothing_else(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    def lapse(*_: object) -> Any:
        world.store.give_back(now=NOW + timedelta(days=1))
        return "done"

    world.integrations.put("slack-update", lapse)
    scheduled = world.schedule()

    world.dispatcher.run_due()

    assert "the row had moved on" in caplog.text
    assert world.execution(scheduled.execution.id).status is Status.PENDING


def test_an_ending_the_store_could_not_take_is_settled_when_it_can(world: World) -> None:
    store = _Failing(world.store)
    world.store = store
    scheduled = world.schedule()
    dispatcher = world.dispatcher_on(InlineDelivery())
    store.failures = 1

    dispatcher.run_due()
    assert world.execution(scheduled.execution.id).status is Status.RUNNING
    dispatcher.run_due()

    assert world.execution(scheduled.execution.id).status is Status.SUCCEEDED
    assert len(world.integrations.calls) == 1


class _Failing:
    """A store whose next `failures` settles fail, as on a full disk."""

    def __init__(self, store: Any) -> None:
        self._store = store
        self.failures = 0

    def settle(self, number: int, attempt: int, settlement: Settlement, *, now: datetime) -> Execution | None:
        if self.failures:
            self.failures -= 1
            raise InternalError("the disk is full")
        settled: Execution | None = self._store.settle(number, attempt, settlement, now=now)
        return settled

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


# --- execute


def begin(world: World) -> Execution:
    return world.scheduler.begin_execute(
        "slack-update", "hi", key=None, visitor=Visitor(id="ada"), experience=None
    )


def test_an_execute_answers_what_the_integration_answers(world: World) -> None:
    execution = begin(world)

    assert world.dispatcher.call_now(execution) == {"ok": True}

    assert world.execution(execution.id).status is Status.SUCCEEDED
    assert outcomes(world, execution) == ["succeeded"]


@pytest.mark.parametrize(
    ("error", "raised", "reason"),
    [
        (IntegrationFailed("down", may_pass=True), CallFailed, "integration_failed"),
        (ValueError("odd"), CallFailed, "integration_failed"),
        (BlockedAddress("private"), BlockedAddress, "blocked_address"),
    ],
)
def test_an_execute_that_fails_is_never_retried(
    world: World, error: Exception, raised: type[Exception], reason: str
) -> None:
    world.integrations.put("slack-update", raising(error))
    execution = begin(world)

    with pytest.raises(raised):
        world.dispatcher.call_now(execution)

    row = world.execution(execution.id)
    assert (row.status, row.reason) == (Status.FAILED, reason)
    assert world.store.next_wake() is None


def test_an_unconfigured_execute_says_so(world: World) -> None:
    world.integrations.unconfigured.add("slack-update")
    execution = begin(world)

    with pytest.raises(NotConfigured, match="no url"):
        world.dispatcher.call_now(execution)

    assert world.execution(execution.id).reason == "not_configured"


def test_an_execute_that_outlives_its_timeout_has_failed_whatever_it_comes_to(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    go = threading.Event()
    world.integrations.put("slack-update", lambda *_: go.wait() and "done")
    execution = begin(world)

    with pytest.raises(IntegrationTimeout, match=r"0\.01 s"):
        world.dispatcher.call_now(execution, 0.01)
    go.set()
    for thread in threading.enumerate():
        if thread.name == f"execute {execution.id}":
            thread.join()

    row = world.execution(execution.id)
    assert (row.status, row.reason) == (Status.FAILED, "integration_timeout")
    assert outcomes(world, row) == ["failed"]
    assert "ended after its timeout" in caplog.text


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

    assert (taken, dispatcher.run_due(), dispatcher.in_flight()) == (4, 0, 4)
    assert not dispatcher.has_room()
    go.set()
    assert dispatcher.wake.wait(10)
    dispatcher.close()
    assert len(world.integrations.calls) <= 4


def test_close_finishes_what_runs_and_leaves_the_rest_to_its_lease(world: World) -> None:
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
    while dispatcher._delivery.free() < 1:  # until the second is let go, which happens on another thread
        threading.Event().wait(0.001)
    go.set()
    closing.join()

    assert world.execution(first.execution.id).status is Status.SUCCEEDED
    left = world.execution(second.execution.id)
    assert (left.status, left.begun) == (Status.PENDING, 0)
    assert left.lease_until is not None
