"""A world in which events are really delivered: a store, the built-in integrations, a server on loopback."""

import ipaddress
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from experience_runtime.clocks import VirtualClock
from experience_runtime.domain.clients import Client
from experience_runtime.domain.executions import Execution, Filter
from experience_runtime.engine.app_events import answer_app
from experience_runtime.engine.delivery import InlineDelivery
from experience_runtime.engine.dispatcher import Dispatcher
from experience_runtime.engine.scheduler import Scheduler
from experience_runtime.plugins.http import Outbound
from experience_runtime.plugins.registry import Registry
from experience_runtime.settings.load import Settings
from experience_runtime.store.opening import SqliteStore, open_sqlite
from pytest_httpserver import HTTPServer

NOW = datetime(2026, 3, 6, 16, 30, 15, 250_000, tzinfo=UTC)
ANNA = Client(bot_id="bot", channel_id="messenger", user_id="anna")


@dataclass
class Events:
    clock: VirtualClock
    store: SqliteStore
    scheduler: Scheduler
    dispatcher: Dispatcher
    settings: Settings
    server: HTTPServer

    def app(self, client: Client = ANNA, **parameters: Any) -> Any:
        """The whole answer of one call."""
        return answer_app(self.scheduler, "utils/scheduler", parameters, client=client)

    def result(self, client: Client = ANNA, **parameters: Any) -> Any:
        """The result of a call that succeeds."""
        answer = self.app(client, **parameters)
        assert answer["success"], answer
        return answer["result"]

    def refused(self, client: Client = ANNA, **parameters: Any) -> str:
        """The code of a call that is refused, which stores nothing."""
        before = self.executions()
        answer = self.app(client, **parameters)
        assert answer["success"] is False, answer
        assert set(answer) == {"success", "error"}
        assert set(answer["error"]) == {"code", "message"}
        assert self.executions() == before
        return str(answer["error"]["code"])

    def pass_time(self, **ahead: float) -> None:
        """Let time go by, delivering all that is due on the way."""
        end = self.clock.now() + timedelta(**ahead)
        while (at := self.dispatcher.next_wake()) is not None and at <= end:
            self.clock.advance_to(max(at, self.clock.now()))
            self.dispatcher.run_due()
        self.clock.advance_to(end)

    def executions(self) -> Sequence[Execution]:
        return self.store.find(Filter(), limit=100).executions

    def bodies(self) -> list[Any]:
        """What the server was sent, as JSON."""
        return [request.get_json() for request, _ in self.server.log]


@pytest.fixture
def world(httpserver: HTTPServer) -> Iterator[Events]:
    yield from make_world(httpserver, {})


def make_world(server: HTTPServer, tables: Mapping[str, Mapping[str, object]]) -> Iterator[Events]:
    broadcast = {"url": server.url_for("/broadcasts"), "api_key": "the-key", "api_secret": "the-secret"}
    settings = Settings(
        integrations={"broadcast": broadcast, **tables},
        allow_private=(ipaddress.ip_network("127.0.0.1/32"),),
        secrets=frozenset({"the-key", "the-secret"}),
    )
    clock, store, registry = VirtualClock(NOW), open_sqlite(":memory:"), Registry(settings)
    scheduler = Scheduler(store=store, clock=clock, integrations=registry, conversions=())
    outbound = Outbound(now=clock.now, allow_private=settings.allow_private)
    dispatcher = Dispatcher(
        store=store,
        clock=clock,
        integrations=registry,
        http=outbound,
        delivery=InlineDelivery(),
        redact=settings.redact,
    )
    yield Events(clock, store, scheduler, dispatcher, settings, server)
    dispatcher.close()
    outbound.close()
    store.close()
