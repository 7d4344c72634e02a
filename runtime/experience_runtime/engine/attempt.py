"""Calls: one attempt at an integration, and everything that can come of it."""

import inspect
import json
import logging
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from experience_runtime.domain.errors import IntegrationTimeout, Refusal
from experience_runtime.domain.executions import Execution
from experience_runtime.engine.ports import Clock, Integrations
from experience_runtime.integration import Answer, Context, Http, Integration, IntegrationFailed
from experience_runtime.log_context import HIDDEN, attempting, payload_texts
from experience_runtime.untrusted import (
    NotJson,
    Redact,
    as_json,
    foreign,
    held,
    is_ctrl_c,
    plain_refusal,
    raised_at,
    spell,
)

EXCERPT_BYTES = 4096
"""How much of an answer or an error is kept. Source: reference/executions#attempts."""

_LONGEST_SECONDS = 1_000_000
DEFECTS = 2
"""Retries of what raised something that it should not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one call came to. `code` is null when it succeeded; `answer` is a JSON value then.

    `error` and `excerpt` are redacted and at most EXCERPT_BYTES long. `refusal` is what refused the call
    before it left, if anything did.
    """

    code: str | None = None
    error: str | None = None
    answer: Any = None
    excerpt: str | None = None
    http_status: int | None = None
    may_pass: bool = False
    retry_after: float | None = None
    refusal: Refusal | None = None
    is_defect: bool = False  # of the integration: it says nothing about its receiver

    @property
    def asks_to_wait(self) -> bool:
        """Whether the receiver said "not now", which is no failure."""
        return self.may_pass and (
            self.http_status == 429 or (self.http_status == 503 and self.retry_after is not None)
        )

    @property
    def is_answered(self) -> bool:
        """Whether the receiver was reached, and answered."""
        return self.code is None or self.http_status is not None


class GivenUp(Exception):
    """The call took longer than its integration's timeout: raised where the other side is played."""


class Isolation(Protocol):
    """Calls integrations where they can be ended."""

    def call(self, execution: Execution, *, seconds: float) -> Outcome:
        """Call once, and never raise; past `seconds` it is an `integration_timeout`, and does no more."""
        ...


def timeout_of(integrations: Integrations, name: str) -> float:
    """How many seconds a call of this integration may take."""
    try:
        timeout = integrations.get(name).timeout
    except Refusal:
        return Integration.timeout
    return timeout if isinstance(timeout, int | float) and timeout > 0 else Integration.timeout


def call(
    execution: Execution, *, clock: Clock, integrations: Integrations, http: Http, redact: Redact
) -> Outcome:
    """Call the integration once. Never raises for what an integration does.

    A KeyboardInterrupt on the main thread passes: there it is a person's.
    """
    recorder = _Recorder(http)
    about = attempting(execution.id, execution.integration, execution.attempt)
    with about, foreign():  # even telling what was raised is the integration's own code
        return _attempt(execution, clock, integrations, recorder, redact)
    return Outcome(
        code="integration_failed",
        error=f"{execution.integration} raised something that cannot be told; repair the integration",
        http_status=recorder.status,
    )


def _attempt(
    execution: Execution, clock: Clock, integrations: Integrations, recorder: "_Recorder", redact: Redact
) -> Outcome:
    logger = logging.getLogger(f"experience.integration.{execution.integration}")
    try:
        integration = integrations.get(execution.integration)
        settings = integrations.settings(execution.integration)
        payload = integrations.parse_payload(execution.integration, json.loads(execution.payload))
        context = Context(
            settings=settings,
            http=recorder,
            execution_id=execution.id,
            attempt=execution.attempt,
            clock=clock,
            visitor=execution.visitor,
            logger=logger,
            cache=integrations.cache(execution.integration),
        )
        returned = integration.call(payload, context)
        if (kind := _unbegun(returned)) is not None:
            return Outcome(
                code="integration_failed",
                error=f"call returned {kind}, and nothing of it has run; make call a plain function",
                http_status=recorder.status,
            )
        answer, text = as_json(returned)
    except NotJson as problem:
        # it was done, so it is not done again
        return Outcome(
            code="integration_failed",
            error=_excerpt(
                f"call returned {problem}; it has run and is not tried again. Return text, lists, objects",
                redact,
            ),
            http_status=recorder.status,
            is_defect=True,
        )
    except IntegrationFailed as failure:
        return _failed(failure, recorder, redact)
    except Refusal as refusal:
        return refused(refusal, redact)
    except GivenUp as late:
        return Outcome(code=IntegrationTimeout.code, error=str(late), may_pass=True)
    except BaseException as error:  # also asyncio's CancelledError and the panics of native modules
        if is_ctrl_c(error):
            raise
        logger.exception(
            "%s raised during %s",
            execution.integration,
            execution.id,
            extra={HIDDEN: payload_texts(execution.payload)},
        )
        where = raised_at(error, type(integrations.get(execution.integration)))
        is_network = isinstance(error, OSError)  # TimeoutError, ConnectionResetError, …
        return Outcome(
            code="integration_failed",
            error=_excerpt(f"integration raised {type(error).__name__}{where}: {spell(error)}", redact),
            http_status=recorder.status,
            # what the receiver has taken is not sent again, whatever was raised afterwards
            may_pass=not recorder.was_taken and (is_network or execution.begun < DEFECTS),
            is_defect=not is_network,
        )
    excerpt = recorder.text if answer is None else text
    return Outcome(
        answer=answer,
        excerpt=None if excerpt is None else _excerpt(excerpt, redact),
        http_status=recorder.status,
    )


def refused(refusal: Refusal, redact: Redact) -> Outcome:
    """Tell that a rule kept the call from leaving; it does not pass."""
    plain = plain_refusal(refusal, lambda text: _excerpt(text, redact))
    return Outcome(code=plain.code, error=plain.message, refusal=plain)


def _unbegun(returned: object) -> str | None:
    """What it is that was returned in place of an answer, when it still has to be run; it is closed."""
    if inspect.iscoroutine(returned) or inspect.isgenerator(returned):
        returned.close()  # else it warns when it is collected
    elif not (inspect.isawaitable(returned) or inspect.isasyncgen(returned)):
        return None
    return f"a {type(returned).__name__}"


def _failed(failure: IntegrationFailed, recorder: "_Recorder", redact: Redact) -> Outcome:
    answer, message, may_pass = (held(failure, name) for name in ("answer", "message", "may_pass"))
    return Outcome(
        code="integration_failed",
        error=_excerpt(spell(failure if message is None else message), redact),
        excerpt=None if answer is None else _excerpt(spell(answer), redact),
        http_status=_status(held(failure, "status")) or recorder.status,
        may_pass=isinstance(may_pass, int) and bool(may_pass),  # in doubt it is not sent again
        retry_after=_seconds(held(failure, "retry_after")),
    )


class _Recorder(Http):
    """An Http that remembers what the last answer was, for the attempt's row."""

    def __init__(self, http: Http) -> None:
        self._http = http
        self.status: int | None = None
        self.text: str | None = None
        self.was_taken = False  # a receiver has answered 2xx

    def send(self, method: str, url: str, *, content: bytes, headers: Mapping[str, str]) -> Answer:
        self.status = self.text = None  # what this one comes to, and not the one before
        answer = self._http.send(method, url, content=content, headers=headers)
        self.status, self.text = _status(answer.status), answer.text
        self.was_taken = self.was_taken or 200 <= answer.status < 300
        return answer

    def connect(self, host: str, port: int) -> socket.socket:
        return self._http.connect(host, port)


def _excerpt(text: str, redact: Redact) -> str:
    # Redacted before it is cut: half a secret is not recognized.
    return redact(text).encode("utf-8", "replace")[:EXCERPT_BYTES].decode("utf-8", "ignore")


# An integration's author may have put anything into a failure; what is kept must fit a database.
def _status(value: object) -> int | None:
    return value if isinstance(value, int) and 100 <= value <= 599 else None


def _seconds(value: object) -> float | None:
    return float(min(value, _LONGEST_SECONDS)) if isinstance(value, int | float) and value >= 0 else None
