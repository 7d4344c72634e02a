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

import logging
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from pydantic import BaseModel

from experience_runtime.domain.errors import BlockedAddress, InvalidPayload, Refusal, UnsupportedChannel
from experience_runtime.domain.pace import Pace
from experience_runtime.domain.retries import RETRIES, Backoff
from experience_runtime.domain.webhook_signatures import webhook_signature
from experience_runtime.integration.cache import Cache, MemoryCache
from experience_runtime.integration.http import Answer, Http, IntegrationFailed
from experience_runtime.integration.kinds import HeaderName, SecretHeader, SecretUrl, SigningSecret
from experience_runtime.integration.oauth2 import OAuth2

__all__ = [
    "Answer",
    "Backoff",
    "BlockedAddress",
    "Cache",
    "Clock",
    "Context",
    "HeaderName",
    "Http",
    "Integration",
    "IntegrationFailed",
    "InvalidPayload",
    "MemoryCache",
    "OAuth2",
    "Pace",
    "Refusal",
    "SecretHeader",
    "SecretUrl",
    "SigningSecret",
    "UnsupportedChannel",
    "webhook_signature",
]


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
    scheduled this, if one is known. `cache` keeps texts, such as access tokens, for the next calls of this
    integration in this process.
    """

    settings: S
    http: Http
    execution_id: str
    attempt: int
    clock: Clock
    visitor: str | None
    logger: logging.Logger
    cache: Cache = field(default_factory=MemoryCache)

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

    def shown(self, payload: Any) -> Any:
        """What people may see of a payload: a JSON value; it is given as it was scheduled, before any model.

        Every list, page and document shows this. Leave out what is a credential by its place, such as the
        query of an address; secrets of the settings are taken out anyway.
        """
        return payload

    def call(self, payload: P, context: Context[S]) -> Any:  # noqa: ARG002 names a subclass repeats
        """Do it once; return a JSON value (the answer), or raise IntegrationFailed."""
        raise TypeError(f"{type(self).__name__} has no call(payload, context) method")
