"""An Outbound that may call loopback, and raw servers that end with their test."""

import contextlib
from collections.abc import Callable, Iterator

import pytest
from experience_runtime.plugins.http import Outbound

from tests.support.raw_servers import LOOPBACK, NOW, Handler, RawServer


@pytest.fixture
def outbound() -> Iterator[Outbound]:
    outbound = Outbound(now=lambda: NOW, allow_private=LOOPBACK, deadline_seconds=5)
    yield outbound
    outbound.close()


@pytest.fixture
def raw() -> Iterator[Callable[[Handler], RawServer]]:
    with contextlib.ExitStack() as stack:

        def start(handler: Handler) -> RawServer:
            server = RawServer(handler)
            stack.callback(server.close)
            return server

        yield start
