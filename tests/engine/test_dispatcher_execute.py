"""An execute: called at once, answered, and never retried."""

import threading
from contextlib import suppress
from typing import Any

import pytest
from experience_runtime.domain.errors import (
    BlockedAddress,
    CallFailed,
    Conflict,
    IntegrationTimeout,
    NotConfigured,
)
from experience_runtime.domain.executions import Execution, Status
from experience_runtime.domain.visitors import Visitor
from experience_runtime.engine.claims import Claim, in_hand
from experience_runtime.integration import IntegrationFailed

from .conftest import World
from .outcomes import outcomes, raising


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
    assert world.store.next_wake(now=world.clock.now()) is None


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


# --- under an Idempotency-Key, after an interruption


def claim(world: World) -> Claim:
    """Take the claim of a request, over from a process that has given it up."""
    taken = world.store.replies.claim(caller="ann", key="k", request=b"r", now=world.clock.now())
    assert isinstance(taken, Claim)
    return taken


def interrupted(world: World, *, calls: bool = True) -> Execution:
    """Execute under a claim, and end before the answer is kept."""
    first = claim(world)
    with in_hand(first):
        execution = world.scheduler.begin_execute(
            "slack-update", "hello", key=None, visitor=None, experience=None
        )
        if calls:
            with suppress(CallFailed):
                world.dispatcher.call_now(execution)
    world.store.replies.release(first)
    return execution


def executed_again(world: World) -> Any:
    with in_hand(claim(world)):
        again = world.scheduler.begin_execute(
            "slack-update", "hello", key=None, visitor=None, experience=None
        )
        return again.id, world.dispatcher.call_now(again)


def test_an_execute_that_had_succeeded_is_answered_again_and_not_made_again(world: World) -> None:
    execution = interrupted(world)

    assert executed_again(world) == (execution.id, {"ok": True})
    assert len(world.integrations.calls) == 1


def test_an_execute_that_had_failed_fails_again_and_is_not_made_again(world: World) -> None:
    world.integrations.put("slack-update", raising(IntegrationFailed("no such channel", may_pass=False)))
    execution = interrupted(world)

    with pytest.raises(CallFailed, match=f"{execution.id}: no such channel"):
        executed_again(world)
    assert len(world.integrations.calls) == 1


def test_an_answer_that_was_too_long_to_keep_is_not_told_in_part(world: World) -> None:
    world.integrations.put("slack-update", lambda _, __: ["x" * 10_000])
    execution = interrupted(world)

    with pytest.raises(Conflict, match=f"{execution.id} succeeded .* not kept whole"):
        executed_again(world)


def test_an_execute_that_may_still_run_is_in_conflict_until_it_has_ended(world: World) -> None:
    execution = interrupted(world, calls=False)

    again = claim(world)
    with in_hand(again), pytest.raises(Conflict, match=execution.id):
        world.scheduler.begin_execute("slack-update", "hello", key=None, visitor=None, experience=None)
    assert again.is_open
    world.store.replies.release(again)
    world.store.give_back(now=world.advance(minutes=10))

    with pytest.raises(CallFailed, match=f"{execution.id}: .* may have been delivered"):
        executed_again(world)
    assert world.integrations.calls == []
