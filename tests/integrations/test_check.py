"""An integration's own check: what fits the model and still cannot go is refused when it is scheduled."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from experience_runtime.clocks import VirtualClock
from experience_runtime.domain.errors import InvalidPayload, Refusal, UnsupportedChannel
from experience_runtime.domain.executions import Filter
from experience_runtime.engine.scheduler import Scheduler
from experience_runtime.plugins.registry import Registry
from experience_runtime.settings.load import Settings
from experience_runtime.store.opening import SqliteStore, open_sqlite

NOW = datetime(2026, 3, 6, 17, 30, tzinfo=UTC)
SECRET = "sms-SECRET"
PICKY = """
from experience_runtime.integration import Backoff, Integration, InvalidPayload
from pydantic import BaseModel

class Settings(BaseModel):
    token: str
    numbers: list[str] = ["+1"]

class Picky(Integration):
    name = "picky"
    settings = Settings

    def check(self, payload, settings):
        if payload == "boom":
            raise KeyError(settings.token)
        if settings is None:
            raise InvalidPayload("there are no settings")
        if payload not in settings.numbers:
            raise InvalidPayload(f"{payload} is no number of {settings.token}")

    def call(self, payload, context):
        return None
"""


def picky(folder: Path, **table: object) -> Registry:
    (folder / "picky.py").write_text(PICKY)
    return Registry(
        Settings(
            integrations_dir=folder,
            integrations={"picky": table} if table else {},
            secrets=frozenset({SECRET}),
        )
    )


@pytest.fixture
def store() -> Iterator[SqliteStore]:
    store = open_sqlite(":memory:")
    yield store
    store.close()


def scheduler(store: SqliteStore, registry: Registry) -> Scheduler:
    return Scheduler(store=store, clock=VirtualClock(NOW), integrations=registry, conversions=[])


def test_what_passes_its_check_is_scheduled(tmp_path: Path, store: SqliteStore) -> None:
    made = scheduler(store, picky(tmp_path, token=SECRET)).schedule("picky", "+1", {"delay": 0}, visitor=None)

    assert made.execution.payload == '"+1"'


@pytest.mark.parametrize(
    ("payload", "table", "says"),
    [
        ("+2", {"token": SECRET}, "+2 is no number of [redacted]"),
        ("+1", {}, "there are no settings"),
        ("boom", {"token": SECRET}, "could not check the payload: KeyError"),
        ("boom", {}, "could not check the payload: AttributeError"),
    ],
)
def test_what_it_refuses_is_refused_when_scheduling_and_nothing_is_stored(
    tmp_path: Path, store: SqliteStore, payload: Any, table: dict[str, object], says: str
) -> None:
    with pytest.raises(InvalidPayload) as caught:
        scheduler(store, picky(tmp_path, **table)).schedule("picky", payload, {"delay": 0}, visitor=None)

    assert says in str(caught.value)
    assert SECRET not in str(caught.value)
    assert store.find(Filter()).executions == []


def test_an_unsupported_channel_is_refused_when_scheduling(store: SqliteStore) -> None:
    table = {"url": "https://bots.example.com/", "api_key": "K", "api_secret": "S"}
    integrations = Registry(Settings(integrations={"broadcast": table}))
    payload = {"flow_id": "f", "user_id": "u", "channel": "whatsapp"}
    refusal: type[Refusal] = UnsupportedChannel

    with pytest.raises(refusal, match="whatsapp"):
        scheduler(store, integrations).schedule("broadcast", payload, {"delay": "1h"}, visitor=None)

    assert store.find(Filter()).executions == []


def test_a_backoff_that_is_none_is_named_with_its_file(tmp_path: Path) -> None:
    (tmp_path / "odd.py").write_text(PICKY.replace("settings = Settings", "backoff = 5"))

    found = Registry(Settings(integrations_dir=tmp_path)).description("picky")

    assert found.broken
    assert "odd.py:Picky: backoff = 5 must be a Backoff" in (found.why or "")
