"""One attempt at an integration: whatever its code raises or returns, it comes to an outcome."""

import logging
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
from experience_runtime.engine.attempt import Outcome, call
from experience_runtime.integration import Context, IntegrationFailed, InvalidPayload, Refusal

from .conftest import Calling, World

SECRET = "s3cret"


class TwoPartRefusal(InvalidPayload):
    def __init__(self, field: str, why: str) -> None:
        super().__init__(f"{field}: {why} {SECRET}")


class OwnCode(Refusal):
    code = "out_of_quota"


class SecretiveRefusal(InvalidPayload):
    @property
    def message(self) -> str:
        raise RuntimeError("not for you")

    @message.setter
    def message(self, text: str) -> None:
        pass


class SecretiveFailure(IntegrationFailed):
    @property
    def message(self) -> str:
        raise RuntimeError("not for you")

    @message.setter
    def message(self, text: str) -> None:
        pass


class Exiting(Exception):
    def __str__(self) -> str:
        sys.exit(0)


class ExitingFailure(IntegrationFailed):
    def __str__(self) -> str:
        sys.exit(0)


class Undecided:
    def __bool__(self) -> bool:
        raise RuntimeError("neither")


def undecided() -> IntegrationFailed:
    failure = IntegrationFailed("no luck", may_pass=True)
    failure.may_pass = Undecided()  # type: ignore[assignment]
    return failure


def outcome_of(world: World, calling: Calling) -> Outcome:
    """Call it on a thread, as a delivery does; what escapes fails the test."""
    world.integrations.put("odd", calling)
    execution = world.schedule(integration="odd").execution
    outcomes: list[Outcome] = []

    def carry_out() -> None:
        outcomes.append(
            call(
                execution,
                clock=world.clock,
                integrations=world.integrations,
                http=world.http,
                redact=lambda text: text.replace(SECRET, "[redacted]"),
            )
        )

    thread = threading.Thread(target=carry_out)
    thread.start()
    thread.join()
    assert outcomes, "it escaped"
    return outcomes[0]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize(
    ("raised", "code", "says"),
    [
        (lambda: TwoPartRefusal("to", "no number"), "invalid_payload", "to: no number [redacted]"),
        (lambda: OwnCode("no messages left"), "invalid_payload", "no messages left"),
        (lambda: SecretiveRefusal("x"), "invalid_payload", "x"),
        (lambda: SecretiveFailure("x", may_pass=False), "integration_failed", "x"),
        (lambda: ExitingFailure("x", may_pass=False), "integration_failed", "x"),
        (undecided, "integration_failed", "no luck"),
        (Exiting, "integration_failed", "raised Exiting"),
        (KeyboardInterrupt, "integration_failed", "raised KeyboardInterrupt"),
        (lambda: SystemExit(0), "integration_failed", "raised SystemExit"),
        (GeneratorExit, "integration_failed", "raised GeneratorExit"),
    ],
)
def test_nothing_an_integration_raises_escapes_and_nothing_is_sent_again(
    world: World, raised: Callable[[], BaseException], code: str, says: str
) -> None:
    def calling(_: object, context: Context[Any]) -> None:
        context.http.post("https://x/")
        raise raised()

    outcome = outcome_of(world, calling)

    assert outcome.code == code
    assert says in (outcome.error or "")
    assert not outcome.may_pass
    assert SECRET not in str(outcome)


def test_a_refusal_of_their_own_class_reaches_the_caller_as_one_of_ours(world: World) -> None:
    def calling(*_: object) -> None:
        raise TwoPartRefusal("to", "no number")

    outcome = outcome_of(world, calling)

    assert type(outcome.refusal) is InvalidPayload
    assert outcome.refusal.message == "to: no number [redacted]"


def test_an_answer_that_is_not_json_is_a_failure_that_is_not_tried_again(world: World) -> None:
    class Odd:
        def __str__(self) -> str:
            sys.exit(0)

    outcome = outcome_of(world, lambda *_: Odd())

    assert (outcome.code, outcome.may_pass, outcome.is_defect) == ("integration_failed", False, True)
    assert outcome.error is not None
    assert outcome.error.startswith("call returned a Odd that is not JSON (it holds a Odd); it has run")


async def asynchronous(*_: object) -> str:
    return "sent"


def generating(*_: object) -> Iterator[str]:
    yield "sent"


async def generating_later(*_: object) -> AsyncIterator[str]:
    yield "sent"


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("calling", [asynchronous, generating, generating_later])
def test_an_answer_that_has_not_begun_is_no_success(
    world: World, calling: Calling, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        outcome = outcome_of(world, lambda *arguments: calling(*arguments))

    assert outcome.code == "integration_failed"
    assert not outcome.may_pass
    assert "nothing of it has run" in (outcome.error or "")
