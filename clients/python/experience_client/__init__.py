"""A client of the Experience Runtime: what a backend asks of integrations.

    with Experience("https://runtime.example", token="exp_operator_…") as experience:
        experience.schedule("slack-update", "Hello!", visitor="v1", key="basket 7", delay="2 hours")

The operations of the API are in `experience_client.api`, generated from its document.
"""

import re
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx

from experience_client.api import AuthenticatedClient, Client
from experience_client.api.api.integrations import (
    cancel_integration,
    execute_integration,
    schedule_integration,
)
from experience_client.api.models import AskedBody, AskedWithPayload
from experience_client.api.models.cancelled_under_key import CancelledUnderKey
from experience_client.api.models.executed_execution import ExecutedExecution
from experience_client.api.models.problem import Problem
from experience_client.api.models.scheduled_execution import ScheduledExecution
from experience_client.api.types import Response

__all__ = ["Experience", "Refused"]

T = TypeVar("T")

_TRIES = 4
_AGAIN = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})
_LONGEST_WAIT_SECONDS = 10.0


@dataclass
class Refused(Exception):
    """What was asked was refused, or failed: the `code` never changes its meaning."""

    status: int
    code: str
    message: str

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


class Experience:
    """A runtime at an address. Close it, or use it as a context manager; threads may share it."""

    def __init__(self, address: str, *, token: str | None = None, timeout: float = 60.0) -> None:
        """`token`: of `experience tokens create NAME --scope operator`. `timeout` is in seconds."""
        patience = httpx.Timeout(timeout)
        self.client: AuthenticatedClient | Client = (
            Client(base_url=address, timeout=patience)
            if token is None
            else AuthenticatedClient(base_url=address, token=token, timeout=patience)
        )

    def schedule(
        self,
        integration: str,
        payload: Any,
        *,
        visitor: str | None = None,
        timezone: str | None = None,
        **options: Any,
    ) -> ScheduledExecution:
        """Schedule a call. The options are those of the reference: key, delay, time, window, …"""
        body = {"payload": payload, **_asked(visitor, timezone, options)}
        asked = AskedWithPayload.from_dict(body)
        return self._write(
            lambda key: schedule_integration.sync_detailed(
                integration, client=self._sender, body=asked, idempotency_key=key
            ),
            ScheduledExecution,
        )

    def cancel(
        self, integration: str, *, visitor: str | None = None, timezone: str | None = None, **options: Any
    ) -> CancelledUnderKey:
        """Cancel what is pending under a key."""
        asked = AskedBody.from_dict(_asked(visitor, timezone, options))
        return self._write(
            lambda key: cancel_integration.sync_detailed(
                integration, client=self._sender, body=asked, idempotency_key=key
            ),
            CancelledUnderKey,
        )

    def execute(
        self,
        integration: str,
        payload: Any,
        *,
        visitor: str | None = None,
        timezone: str | None = None,
        **options: Any,
    ) -> ExecutedExecution:
        """Call it now, and return what it answered."""
        body = {"payload": payload, **_asked(visitor, timezone, options)}
        asked = AskedWithPayload.from_dict(body)
        return self._write(
            lambda key: execute_integration.sync_detailed(
                integration, client=self._sender, body=asked, idempotency_key=key
            ),
            ExecutedExecution,
        )

    @property
    def _sender(self) -> AuthenticatedClient:
        return self.client  # type: ignore[return-value]  # what is generated takes both

    def _write(self, send: Callable[[str], Response[Any]], kind: type[T]) -> T:
        """Send under one Idempotency-Key until there is an answer; what happens, happens once."""
        key = str(uuid.uuid4())
        for tries in range(1, _TRIES + 1):
            try:
                answer = send(key)
            except httpx.TransportError:
                if tries == _TRIES:
                    raise
                time.sleep(2**tries / 4)
                continue
            if answer.status_code in _AGAIN and tries < _TRIES:
                time.sleep(_wait_seconds(answer.headers, tries))
                continue
            break
        if isinstance(answer.parsed, kind):
            return answer.parsed
        if isinstance(answer.parsed, Problem):
            raise Refused(answer.status_code, answer.parsed.code, answer.parsed.detail)
        raise Refused(answer.status_code, "internal_error", answer.content[:500].decode("utf-8", "replace"))

    def close(self) -> None:
        """Close the connections."""
        self.client.get_httpx_client().close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _asked(visitor: str | None, timezone: str | None, options: Mapping[str, Any]) -> dict[str, Any]:
    asked: dict[str, Any] = {"options": {_spelt(name): value for name, value in options.items()}}
    if visitor is not None:
        asked["visitor"] = visitor
    if timezone is not None:
        asked["timezone"] = timezone
    return asked


def _spelt(name: str) -> str:
    """cancel_on_conversion as the runtime spells it."""
    return re.sub("_([a-z])", lambda found: found[1].upper(), name)


def _wait_seconds(headers: Mapping[str, str], tries: int) -> float:
    text = headers.get("retry-after", "")
    return min(float(text) if text.isdigit() else 2**tries / 4, _LONGEST_WAIT_SECONDS)
