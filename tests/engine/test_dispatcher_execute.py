"""An execute: called at once, answered, and never retried."""

import threading

import pytest
from experience_runtime.domain.errors import (
    BlockedAddress,
    CallFailed,
    IntegrationTimeout,
    NotConfigured,
)
from experience_runtime.domain.executions import Execution, Status
from experience_runtime.domain.visitors import Visitor
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
