"""Calls: one attempt at an integration, and everything that can come of it."""

import inspect
import json
import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from pydantic import BaseModel

from experience_runtime.domain.errors import InvalidPayload, Refusal
from experience_runtime.domain.executions import Execution
from experience_runtime.integration import Answer, Context, Http, IntegrationFailed
from experience_runtime.ports import Clock, Integrations

EXCERPT_BYTES = 4096
"""How much of an answer or an error is kept. Source: contract 4."""

_LONGEST_SECONDS = 1_000_000

Redact = Callable[[str], str]


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


def call(
    execution: Execution, *, clock: Clock, integrations: Integrations, http: Http, redact: Redact
) -> Outcome:
    """Call the integration once. Never raises for what an integration does.

    A KeyboardInterrupt on the main thread passes: there it is a person's.
    """
    recorder = _Recorder(http)
    try:
        return _attempt(execution, clock, integrations, recorder, redact)
    except BaseException as error:  # even telling what was raised is the integration's own code
        if is_a_persons(error):
            raise
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
        )
        returned = integration.call(payload, context)
        if (kind := _unbegun(returned)) is not None:
            return Outcome(
                code="integration_failed",
                error=f"call returned {kind}, and nothing of it has run; make call a plain function",
                http_status=recorder.status,
            )
        answer, text = as_json(returned)
    except IntegrationFailed as failure:
        return _failed(failure, recorder, redact)
    except Refusal as refusal:
        return refused(refusal, redact)
    except BaseException as error:  # also asyncio's CancelledError and the panics of native modules
        if is_a_persons(error):
            raise
        logger.exception("%s raised during %s", execution.integration, execution.id)
        return Outcome(
            code="integration_failed",
            error=_excerpt(f"integration raised {type(error).__name__}: {spell(error)}", redact),
            http_status=recorder.status,
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


def plain_refusal(refusal: Refusal, redact: Redact) -> Refusal:
    """Make the refusal of ours that an integration's own subclass stands for, with its text redacted.

    One that stands for none is an InvalidPayload: the list of codes is closed. Source: contract 7.
    """
    kind = next(kind for kind in type(refusal).__mro__ if kind.__module__ == Refusal.__module__)
    message = _held(refusal, "message")
    text = redact(message if isinstance(message, str) else spell(refusal))
    return InvalidPayload(text) if kind is Refusal else kind(text)


def spell(value: object) -> str:
    """Spell anything, also what cannot be."""
    try:
        return str(value)
    except BaseException as error:  # even spelling it is somebody else's code
        if is_a_persons(error):
            raise
        return f"<{type(value).__name__} that cannot be spelled>"


def is_a_persons(error: BaseException) -> bool:
    """Tell whether this is Ctrl-C, which Python raises on the main thread only."""
    return isinstance(error, KeyboardInterrupt) and threading.current_thread() is threading.main_thread()


def as_json(answer: Any) -> tuple[Any, str]:
    """Make an answer a JSON value, and spell it; what JSON cannot write becomes text."""
    try:
        text = _JSON.encode(answer)
        return (None if answer is None else json.loads(text)), text
    except BaseException as error:  # the answer is somebody else's object
        if is_a_persons(error):
            raise
        spelled = spell(answer)
        return spelled, json.dumps(spelled)


def _unbegun(returned: object) -> str | None:
    """What it is that was returned in place of an answer, when it still has to be run; it is closed."""
    if inspect.iscoroutine(returned) or inspect.isgenerator(returned):
        returned.close()  # else it warns when it is collected
    elif not (inspect.isawaitable(returned) or inspect.isasyncgen(returned)):
        return None
    return f"a {type(returned).__name__}"


def _failed(failure: IntegrationFailed, recorder: "_Recorder", redact: Redact) -> Outcome:
    answer, message, may_pass = (_held(failure, name) for name in ("answer", "message", "may_pass"))
    return Outcome(
        code="integration_failed",
        error=_excerpt(spell(failure if message is None else message), redact),
        excerpt=None if answer is None else _excerpt(spell(answer), redact),
        http_status=_status(_held(failure, "status")) or recorder.status,
        may_pass=isinstance(may_pass, int) and bool(may_pass),  # in doubt it is not sent again
        retry_after=_seconds(_held(failure, "retry_after")),
    )


def _held(error: BaseException, name: str) -> Any:
    """What an error holds; None when its class lacks it, or raises when it is asked."""
    try:
        # a subclass may have an __init__ that never calls ours
        return getattr(error, name, None)
    except BaseException as problem:  # a property of somebody else's
        if is_a_persons(problem):
            raise
        return None


class _Recorder:
    """An Http that remembers what the last answer was, for the attempt's row."""

    def __init__(self, http: Http) -> None:
        self._http = http
        self.status: int | None = None
        self.text: str | None = None

    def post(self, url: str, *, json: Any = None, headers: Mapping[str, str] | None = None) -> Answer:
        return self._keep(self._http.post(url, json=json, headers=headers))

    def request(
        self, method: str, url: str, *, content: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Answer:
        return self._keep(self._http.request(method, url, content=content, headers=headers))

    def _keep(self, answer: Answer) -> Answer:
        self.status, self.text = _status(answer.status), answer.text
        return answer


def _plain(value: Any) -> Any:
    match value:
        case Answer():
            return asdict(value)
        case BaseModel():
            return value.model_dump(mode="json")
        case _:
            return str(value)


def _excerpt(text: str, redact: Redact) -> str:
    # Redacted before it is cut: half a secret is not recognized.
    return redact(text).encode("utf-8", "replace")[:EXCERPT_BYTES].decode("utf-8", "ignore")


_JSON = json.JSONEncoder(default=_plain, allow_nan=False, ensure_ascii=False)


# An integration's author may have put anything into a failure; what is kept must fit a database.
def _status(value: object) -> int | None:
    return value if isinstance(value, int) and 100 <= value <= 599 else None


def _seconds(value: object) -> float | None:
    return float(min(value, _LONGEST_SECONDS)) if isinstance(value, int | float) and value >= 0 else None
