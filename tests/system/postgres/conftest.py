"""Servers and yards of worker processes."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from experience_runtime.store.opening import PostgresStore, open_postgres

from tests.support.postgres import Server, shared

from .yard import Yard, a_yard


@pytest.fixture
def address() -> str:
    """A database of one's own on the server that is shared."""
    return shared().database()


@pytest.fixture(scope="session")
def durable() -> Iterator[Server]:
    """A server that keeps what it has acknowledged, whatever is done to it."""
    server = Server(durable=True)
    yield server
    server.remove()


@pytest.fixture
def store(address: str) -> Iterator[PostgresStore]:
    opened = open_postgres(address)
    yield opened
    opened.close()


@pytest.fixture
def yard(address: str, store: PostgresStore, tmp_path: Path) -> Iterator[Yard]:
    with a_yard(address, store, tmp_path) as made:
        yield made
