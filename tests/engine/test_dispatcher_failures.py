"""What becomes of an execution whose integration fails, or whose ending is odd."""

import asyncio
import re
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, cast

import pytest
from experience_runtime.domain.errors import (
    BlockedAddress,
    InternalError,
)
from experience_runtime.domain.executions import Settling, Status
from experience_runtime.engine.attempt import EXCERPT_BYTES
from experience_runtime.engine.delivery import InlineDelivery
from experience_runtime.engine.dispatcher import Dispatcher
from experience_runtime.engine.stores import Store
from experience_runtime.integration import Answer, IntegrationFailed
from experience_runtime.untrusted import NotJson, as_json

from .conftest import NOW, World
from .outcomes import outcomes, raising


def test_a_failure_that_may_pass_is_retried_five_times(world: World) -> None:
    world.integrations.put("slack-update", raising(IntegrationFailed("down", may_pass=True, status=503)))
    scheduled = world.schedule()

    while (wake := world.store.next_wake(now=NOW)) is not None:
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


class _NeverMade(IntegrationFailed):
    """A failure whose author did not call our __init__."""

    def __init__(self, text: str) -> None:
        Exception.__init__(self, text)


@pytest.mark.parametrize(
    ("error", "reason", "text"),
    [
        (IntegrationFailed("no such channel", may_pass=False), "integration_failed", "no such channel"),
        (BlockedAddress("10.0.0.1 is private"), "blocked_address", "10.0.0.1 is private"),
        (_NeverMade("late"), "integration_failed", "late"),
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


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ValueError("odd"), "integration raised ValueError at LINE: odd"),
        (SystemExit(3), "integration raised SystemExit at LINE: 3"),
        (asyncio.CancelledError(), "integration raised CancelledError at LINE: "),
        (RecursionError("deep"), "integration raised RecursionError at LINE: deep"),
    ],
)
def test_what_was_not_expected_is_told_and_tried_again(world: World, error: BaseException, text: str) -> None:
    world.integrations.put("slack-update", raising(error))
    scheduled = world.schedule()

    world.run_all()

    (attempt,) = world.store.attempts(scheduled.execution.number)
    told = re.sub(r"outcomes\.py:\d+", "LINE", attempt.error or "")
    assert (attempt.outcome, told) == ("retry", text)


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
        ("\ud800", "\ud800"),
    ],
)
def test_an_answer_becomes_json(answer: object, value: object) -> None:
    assert as_json(answer)[0] == value


@pytest.mark.parametrize(
    "answer", [NOW, {"at": NOW}, float("nan"), {(1, 2): 3}, {1, 2}, b"x", _CYCLE, _Unspeakable()]
)
def test_what_is_not_json_is_no_answer(answer: object) -> None:
    with pytest.raises(NotJson, match=f"^a {type(answer).__name__} that is not JSON"):
        as_json(answer)


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

    with pytest.raises(InternalError):
        dispatcher.run_due()
    assert world.execution(scheduled.execution.id).status is Status.RUNNING
    dispatcher.run_due()

    assert world.execution(scheduled.execution.id).status is Status.SUCCEEDED
    assert len(world.integrations.calls) == 1


def test_a_window_that_closed_while_the_store_was_busy_is_not_missed(world: World) -> None:
    """The start waits for its turn to be written, and the window ends meanwhile."""
    made = world.schedule(window={"time": "12:00-12:00", "timezoneOffset": 0})
    world.advance(seconds=59)

    class Busy:
        def start_all(self, *args: Any, **options: Any) -> Any:
            world.advance(seconds=3)
            return world.store.start_all(*args, **options)

        def __getattr__(self, name: str) -> Any:
            return getattr(world.store, name)

    dispatcher = Dispatcher(
        store=cast(Store, Busy()),
        clock=world.clock,
        integrations=world.integrations,
        http=world.http,
        delivery=InlineDelivery(),
    )
    dispatcher.run_due()

    waits = world.execution(made.execution.id)
    assert world.integrations.calls == []
    assert (waits.status, waits.reason) == (Status.PENDING, "window_closed")
    assert waits.due_at == NOW + timedelta(days=1)


class _Failing:
    """A store whose next `failures` settles fail, as on a full disk."""

    def __init__(self, store: Any) -> None:
        self._store = store
        self.failures = 0

    def settle_all(self, settlings: Sequence[Settling]) -> Any:
        if self.failures:
            self.failures -= 1
            raise InternalError("the disk is full")
        return self._store.settle_all(settlings)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)
