"""Contexts for one call: a real way out to loopback, and a clock that stands still."""

import ipaddress
import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from experience_runtime.clocks import VirtualClock
from experience_runtime.integration import Clock, Context
from experience_runtime.plugins.http import Outbound

NOW = datetime(2026, 3, 6, 17, 30, 0, 999000, tzinfo=UTC)


@pytest.fixture
def outbound() -> Iterator[Outbound]:
    outbound = Outbound(now=lambda: NOW, allow_private=[ipaddress.ip_network("127.0.0.1/32")])
    yield outbound
    outbound.close()


def context_for(settings: Any, outbound: Outbound, *, clock: Clock | None = None) -> Context[Any]:
    return Context(
        settings=settings,
        http=outbound,
        execution_id="ex_1",
        attempt=2,
        clock=clock or VirtualClock(NOW),
        visitor=None,
        logger=logging.getLogger("test"),
    )
