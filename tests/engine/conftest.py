"""A small world: a store in memory, a clock that stands still, and integrations kept in a dict."""

import logging
import random
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from experience_runtime.clocks import VirtualClock
from experience_runtime.domain.errors import InvalidPayload, NotConfigured, UnknownIntegration
from experience_runtime.domain.executions import Execution, execution_number
from experience_runtime.domain.visitors import Visitor
from experience_runtime.engine.delivery import InlineDelivery
from experience_runtime.engine.dispatcher import Dispatcher
from experience_runtime.engine.ports import Delivery
from experience_runtime.engine.prepared import Scheduled
from experience_runtime.engine.scheduler import Scheduler
from experience_runtime.engine.stores import Store
from experience_runtime.integration import Answer, Cache, Context, Http, Integration, MemoryCache
from experience_runtime.store.opening import open_sqlite

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)  # a Monday

Calling = Callable[[Any, Context[Any]], Any]


class DictIntegrations:
    """`ports.Integrations` over a dict of functions. A payload `{"refused": …}` does not fit any of them."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, Context[Any]]] = []
        self.unconfigured: set[str] = set()
        self._found: dict[str, Integration[Any, Any]] = {}

    def put(self, name: str, calling: Calling, *, retries: int = 5) -> None:
        calls = self.calls

        class Called(Integration[Any, Any]):
            def call(self, payload: Any, context: Context[Any]) -> Any:
                calls.append((payload, context))
                return calling(payload, context)

        Called.name = name
        Called.retries = retries
        self._found[name] = Called()

    def names(self) -> Sequence[str]:
        return sorted(self._found)

    def get(self, name: str) -> Integration[Any, Any]:
        if name not in self._found:
            raise UnknownIntegration(f"no integration is named {name}")
        return self._found[name]

    def settings(self, name: str) -> Any:
        self.get(name)
        if name in self.unconfigured:
            raise NotConfigured(f"{name} has no url")
        return {"url": "https://hooks.example.com/?token=s3cret"}

    def parse_payload(self, name: str, payload: Any) -> Any:
        self.get(name)
        if isinstance(payload, dict) and "refused" in payload:
            raise InvalidPayload("payload.refused does not fit")
        return payload

    def shown(self, name: str, payload: str) -> str:  # noqa: ARG002 - the port's name
        return payload

    def cache(self, name: str) -> Cache:  # noqa: ARG002 - the port's name
        return MemoryCache()


@dataclass
class ScriptedHttp(Http):
    """An Http that answers one thing and remembers what was sent."""

    answer: Answer = field(default_factory=lambda: Answer(200, text='{"ok":true}'))
    sent: list[Any] = field(default_factory=list)

    def send(self, method: str, url: str, *, content: bytes, headers: Mapping[str, str]) -> Answer:
        self.sent.append((method, url, content, headers))
        return self.answer

    def connect(self, host: str, port: int) -> socket.socket:  # noqa: ARG002 - the port's names
        raise AssertionError("nothing here connects")


class World:
    """Everything an engine test touches."""

    def __init__(self, store: Store | None = None) -> None:
        self.store = store or open_sqlite(":memory:")
        self.clock = VirtualClock(NOW)
        self.http = ScriptedHttp()
        self.integrations = DictIntegrations()
        self.integrations.put("slack-update", lambda _, context: context.http.post("https://x/").json())
        self.scheduler = Scheduler(
            store=self.store,
            clock=self.clock,
            integrations=self.integrations,
            conversions=["ecBasketTransactionSummary", "bought"],
            source=random.Random(1),
        )
        self.dispatcher = self.dispatcher_on(InlineDelivery())

    def dispatcher_on(self, delivery: Delivery) -> Dispatcher:
        return Dispatcher(
            store=self.store,
            clock=self.clock,
            integrations=self.integrations,
            http=self.http,
            delivery=delivery,
            random=random.Random(1),
            redact=lambda text: text.replace("s3cret", "[redacted]"),
        )

    def schedule(
        self,
        *,
        integration: str = "slack-update",
        payload: object = "hello",
        visitor: str | None = "ada",
        **options: object,
    ) -> Scheduled:
        known = None if visitor is None else Visitor(id=visitor)
        return self.scheduler.schedule(
            integration, payload, {"delay": 0, **options}, visitor=known, experience="basket"
        )

    def execution(self, execution_id: str) -> Execution:
        return self.store.execution(execution_number(execution_id))

    def advance(self, **ahead: float) -> datetime:
        self.clock.advance_to(self.clock.now() + timedelta(**ahead))
        return self.clock.now()

    def run_all(self) -> int:
        """Deliver until nothing is due at this instant."""
        delivered = 0
        while count := self.dispatcher.run_due():
            delivered += count
        return delivered


@pytest.fixture
def world(caplog: pytest.LogCaptureFixture) -> Iterator[World]:
    caplog.set_level(logging.INFO)
    made = World()
    yield made
    made.store.close()
