"""The stores every contract test runs over: add an adapter here and the suite covers it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from experience_runtime.engine.stores import Store
from experience_runtime.store.opening import open_sqlite

from tests.support.postgres import databases

STORES: dict[str, Callable[[Path], Store]] = {
    "sqlite in memory": lambda _: open_sqlite(":memory:"),
    "sqlite on file": lambda folder: open_sqlite(str(folder / "experience.db")),
    "postgresql": lambda folder: databases().open(folder),
}


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    opened = STORES[request.param](tmp_path)
    yield opened
    opened.close()
    if request.param == "postgresql":
        databases().give_back(tmp_path)
