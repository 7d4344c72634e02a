"""Calls: one attempt at an integration, and everything that can come of it."""

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from pydantic import BaseModel

from experience_runtime.domain.errors import Refusal
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
    """Call the integration once. Never raises for what an integration does."""
    recorder = _Recorder(http)
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
        answer, text = as_json(integration.call(payload, context))
    except IntegrationFailed as failure:
        return _failed(failure, recorder, redact)
    except Refusal as refusal:
        return refused(refusal, redact)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # also asyncio's CancelledError and the panics of native modules
        logger.exception("%s raised during %s", execution.integration, execution.id)
        return Outcome(
            code="integration_failed",
            error=_excerpt(f"integration raised {type(error).__name__}: {_spell(error)}", redact),
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
    error = _excerpt(refusal.message, redact)
    return Outcome(code=refusal.code, error=error, refusal=type(refusal)(error))


def as_json(answer: Any) -> tuple[Any, str]:
    """Make an answer a JSON value, and spell it; what JSON cannot write becomes text."""
    try:
        text = _JSON.encode(answer)
        return (None if answer is None else json.loads(text)), text
    except Exception:  # noqa: BLE001 - the answer is somebody else's object
        spelled = _spell(answer)
        return spelled, json.dumps(spelled)


def _failed(failure: IntegrationFailed, recorder: "_Recorder", redact: Redact) -> Outcome:
    def held(name: str) -> Any:
        # a subclass may have an __init__ that never calls ours
        return getattr(failure, name, None)

    answer, message = held("answer"), held("message")
    return Outcome(
        code="integration_failed",
        error=_excerpt(_spell(failure if message is None else message), redact),
        excerpt=None if answer is None else _excerpt(_spell(answer), redact),
        http_status=_status(held("status")) or recorder.status,
        may_pass=bool(held("may_pass")),
        retry_after=_seconds(held("retry_after")),
    )


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


def _spell(value: object) -> str:
    try:
        return str(value)
    except Exception:  # noqa: BLE001 - even spelling it is somebody else's code
        return f"<{type(value).__name__} that cannot be spelled>"


def _excerpt(text: str, redact: Redact) -> str:
    # Redacted before it is cut: half a secret is not recognized.
    return redact(text).encode("utf-8", "replace")[:EXCERPT_BYTES].decode("utf-8", "ignore")


_JSON = json.JSONEncoder(default=_plain, allow_nan=False, ensure_ascii=False)


# An integration's author may have put anything into a failure; what is kept must fit a database.
def _status(value: object) -> int | None:
    return value if isinstance(value, int) and 100 <= value <= 599 else None


def _seconds(value: object) -> float | None:
    return float(min(value, _LONGEST_SECONDS)) if isinstance(value, int | float) and value >= 0 else None
