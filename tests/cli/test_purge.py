"""experience purge, and the room that a SQLite file gives back."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import apsw
import pytest
from experience_runtime.domain.retention import KINDS
from experience_runtime.domain.visitor_events import VisitorEvent
from experience_runtime.store.opening import open_sqlite

from .conftest import CommandLine


@pytest.fixture
def filled(cli: CommandLine) -> CommandLine:
    """A year ago there were many events; an hour ago one."""
    now = datetime.now(UTC)
    store = open_sqlite("experience.db")
    for at in [now - timedelta(days=365)] * 50 + [now - timedelta(hours=1)]:
        data = f'"{"x" * 20_000}"'
        event = VisitorEvent(visitor="ada", type="ecView", data=data, at=at, received_at=at)
        store.events.record(event)
    store.close()
    return cli


def test_what_is_old_is_counted_then_removed_and_the_file_shrinks(filled: CommandLine) -> None:
    nothing: dict[str, int] = {kind: 0 for kind in KINDS if kind not in ("audit", "releases")}
    assert filled.json("purge", "--older-than", "30 days", "--dry-run") == {
        "purged": False,
        **nothing,
        "events": 50,
    }
    assert filled.json("purge", "--older-than", "30d", "--kind", "events", "--yes") == {
        "purged": True,
        "events": 50,
    }

    assert filled("purge", "--older-than", "30d", "--dry-run").out == (
        "would be removed: 0 succeeded, 0 failed, 0 cancelled, 0 runs, 0 events, 0 answers\n"
    )
    assert len(filled.json("visitors", "show", "ada")["events"]) == 1
    with apsw.Connection("experience.db") as connection:
        assert connection.pragma("freelist_count") == 0
    assert Path("experience.db").stat().st_size < 50 * 20_000


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--older-than", "30 days"), "add --yes to do it, or --dry-run to count only"),
        (("--older-than", "59 min", "--yes"), 'write for instance --older-than "90 days"'),
        (("--older-than", "a while", "--yes"), "is not a duration"),
        (("--older-than", "-1d", "--yes"), "negative"),
    ],
)
def test_what_cannot_be_meant_removes_nothing(filled: CommandLine, words: tuple[str, ...], told: str) -> None:
    said = filled("purge", *words, "--json")

    assert told in said.refusal["message"]
    assert filled.json("purge", "--older-than", "30 days", "--dry-run")["events"] == 50
