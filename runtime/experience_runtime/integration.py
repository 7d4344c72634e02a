"""The SDK an integration author imports.

    from experience_runtime.integration import Context, Integration
    from pydantic import BaseModel

    class Settings(BaseModel):
        url: str

    class Sms(Integration[Settings, dict]):
        name = "sms"
        settings = Settings

        def call(self, payload, context):
            return context.http.post(context.settings.url, json=payload).require_success().json()

Put the file in a folder and name the folder with `--integrations DIR`; nothing else is needed.
"""

import json as _json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any, ClassVar, Generic, Protocol, TypeVar

from pydantic import AfterValidator, BaseModel, SecretStr

from experience_runtime.domain.errors import BlockedAddress, InvalidPayload, Refusal, UnsupportedChannel
from experience_runtime.domain.pace import Pace
from experience_runtime.domain.retries import RETRIES, Backoff
from experience_runtime.domain.urls import require_header_name, require_header_value, require_web_address
from experience_runtime.domain.values import refuse_constant
from experience_runtime.domain.webhook_signatures import webhook_keys, webhook_signature

__all__ = [
    "Answer",
    "Backoff",
    "BlockedAddress",
    "Clock",
    "Context",
    "HeaderName",
    "Http",
    "Integration",
    "IntegrationFailed",
    "InvalidPayload",
    "Pace",
    "Refusal",
    "SecretHeader",
    "SecretUrl",
    "SigningSecret",
    "UnsupportedChannel",
    "webhook_signature",
]

_PASSING = frozenset({408, 425, 429})  # and every 5xx. Source: reference/executions#retries


def _web_address(value: SecretStr) -> SecretStr:
    # the file that a secret is mounted as often ends in a line break
    url = value.get_secret_value().strip()
    require_web_address(url)
    return SecretStr(url)


def _header_name(name: str) -> str:
    require_header_name(name)
    return name


def _header_value(value: SecretStr) -> SecretStr:
    text = value.get_secret_value().strip()
    require_header_value(text)
    return SecretStr(text)


def _require_webhook_secret(value: SecretStr) -> SecretStr:
    webhook_keys(value.get_secret_value())
    return value


SecretUrl = Annotated[SecretStr, AfterValidator(_web_address)]
"""A setting that holds a web address; masked wherever it is printed, `get_secret_value()` reads it."""

HeaderName = Annotated[str, AfterValidator(_header_name)]
"""A setting that is sent as the name of a header."""

SecretHeader = Annotated[SecretStr, AfterValidator(_header_value)]
"""A setting that is sent as the value of a header, or as a part of one; masked like SecretUrl."""

SigningSecret = Annotated[SecretStr, AfterValidator(_require_webhook_secret)]
"""A setting that `webhook_signature` signs with: `whsec_…`, or several, separated by blanks."""


class IntegrationFailed(Exception):
    """An attempt did not succeed.

    `may_pass`: true for a failure that another try may mend (it is retried), false for one that
    stays (it is not). `retry_after` is in seconds, from the other side's own answer.
    """

    def __init__(
        self,
        message: str,
        *,
        may_pass: bool,
        status: int | None = None,
        retry_after: float | None = None,
        answer: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.may_pass = may_pass
        self.status = status
        self.retry_after = retry_after
        self.answer = answer


@dataclass(frozen=True, slots=True)
class Answer:
    """What an HTTP call came back with: at most 64 KiB of body; header names are lower case."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    text: str = ""
    retry_after: float | None = None

    def json(self) -> Any:
        """Read the body as JSON; None when it is not JSON."""
        try:
            return _json.loads(self.text, parse_constant=refuse_constant)
        except (ValueError, RecursionError):
            return None

    def require_success(self) -> "Answer":
        """Return this answer when its status is 2xx, else raise the IntegrationFailed it means."""
        if 200 <= self.status < 300:
            return self
        raise self.failure(f"the receiver answered {self.status}")

    def failure(self, message: str, *, may_pass: bool | None = None) -> IntegrationFailed:
        """Make the failure this answer means; 408, 425, 429 and 5xx may pass unless told otherwise."""
        passing = self.status in _PASSING or self.status >= 500
        return IntegrationFailed(
            message,
            may_pass=passing if may_pass is None else may_pass,
            status=self.status,
            retry_after=self.retry_after,
            answer=self.text,
        )


class Http(Protocol):
    """The one way out. Raises IntegrationFailed for what may pass (network, timeout) and
    BlockedAddress for an address that must not be called. Answers of any status are returned."""

    def post(self, url: str, *, json: Any = None, headers: Mapping[str, str] | None = None) -> Answer: ...

    def request(
        self, method: str, url: str, *, content: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Answer: ...


class Clock(Protocol):
    """The only source of time: in a simulation it is another than the machine's."""

    def now(self) -> datetime:
        """This instant: aware, UTC, whole milliseconds."""
        ...


S = TypeVar("S")
P = TypeVar("P")


@dataclass(frozen=True, slots=True, kw_only=True)
class Context(Generic[S]):
    """What a call may use. `execution_id` is the idempotency key: the same for every attempt.

    `attempt` grows from one attempt to the next, as a rule by 1. `visitor` is the id of the visitor whose run
    scheduled this, if one is known.
    """

    settings: S
    http: Http
    execution_id: str
    attempt: int
    clock: Clock
    visitor: str | None
    logger: logging.Logger

    @property
    def now(self) -> datetime:
        """This instant, by the clock."""
        return self.clock.now()


class Integration(Generic[S, P]):
    """Subclass this, name it, and say what a call does.

    `settings` is a pydantic model of what an operator configures under `[integrations.NAME]`, or None.
    `payload` is a pydantic model a payload must fit, or None for any JSON value; one that does not fit
    is refused when it is scheduled. A failure that may pass is tried again `retries` times, with the waits
    of `backoff` between. "Not now" (429, or 503 with Retry-After) is no failure: the receiver is then called
    at the pace that its answers teach. `pace` is what it documents, to begin with; None: as fast as it can.
    `example` is a payload, a JSON value, that people who try it begin with.

    A call ends within `timeout` seconds: past that the attempt is settled as `integration_timeout`, which may
    pass, whatever the call still comes to. An exception of no kind that is told here may pass when it is an
    OSError, and twice otherwise; never when the receiver has answered 2xx before.

    One instance serves every call, from many threads: keep nothing of a call in it.
    """

    name: ClassVar[str]
    settings: ClassVar[type[BaseModel] | None] = None
    payload: ClassVar[type[BaseModel] | None] = None
    retries: ClassVar[int] = RETRIES
    backoff: ClassVar[Backoff] = Backoff()
    pace: ClassVar[Pace | None] = None
    timeout: ClassVar[float] = 60.0
    example: ClassVar[Any] = None

    def pace_key(self, payload: P, settings: S | None) -> str | None:  # noqa: ARG002 names a subclass repeats
        """Name the receiver of this payload where there are several, each with a pace of its own.

        Asked when it is scheduled; `settings` is None while they are missing. The name is shown to people, so
        let it hold no secret; at most 200 characters of it are kept. None: the integration has one receiver.
        """
        return None

    def check(self, payload: P, settings: S | None) -> None:
        """Raise InvalidPayload or UnsupportedChannel for a payload that fits the model and still cannot go.

        Called when it is scheduled and again before every call. `settings` is None while they are missing.
        """

    def call(self, payload: P, context: Context[S]) -> Any:  # noqa: ARG002 names a subclass repeats
        """Do it once; return a JSON value (the answer), or raise IntegrationFailed."""
        raise TypeError(f"{type(self).__name__} has no call(payload, context) method")
