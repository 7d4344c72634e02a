"""Databases in memory: one that is used again is as empty as a new one, and nobody else's any more."""

from datetime import UTC, datetime

import pytest
from experience_runtime.domain.errors import ExperienceError
from experience_runtime.domain.visitors import Visitor
from experience_runtime.store.opening import SqliteStore, open_sqlite

AT = datetime(2026, 3, 6, 16, 30, tzinfo=UTC)


def _contents(store: SqliteStore) -> list[tuple[object, ...]]:
    """Every row of the tables that the tests write, and what numbers the next."""
    execute, rows = store.database.connection.execute, list[tuple[object, ...]]()
    for table in ("visitors", "conversions", "events", "executions", "sqlite_sequence"):
        rows += execute(f"SELECT * FROM {table}").fetchall()  # noqa: S608 - names of ours
    return rows


def test_one_that_is_used_again_is_as_empty_as_a_new_one() -> None:
    first = open_sqlite(":memory:")
    new, connection = _contents(first), first.database.connection
    first.remember_visitor(Visitor(id="ada", timezone="Europe/Paris"), now=AT)
    first.convert("ada", event="bought", now=AT)
    assert _contents(first) != new
    first.close()

    again = open_sqlite(":memory:")

    assert again.database.connection is connection
    assert _contents(again) == new
    assert again.visitor("ada") is None
    again.close()


def test_two_at_once_know_nothing_of_each_other() -> None:
    one, other = open_sqlite(":memory:"), open_sqlite(":memory:")

    one.remember_visitor(Visitor(id="ada"), now=AT)

    assert other.visitor("ada") is None
    one.close()
    other.close()


def test_who_kept_a_closed_one_cannot_reach_the_next() -> None:
    closed = open_sqlite(":memory:")
    closed.close()
    closed.close()  # once more ends nobody else's
    following = open_sqlite(":memory:")

    with pytest.raises(ExperienceError, match="closed"):
        closed.remember_visitor(Visitor(id="ada"), now=AT)
    with pytest.raises(ExperienceError, match="closed"):
        closed.visitor("ada")

    assert following.visitor("ada") is None
    following.close()


def test_what_is_refused_is_undone_alone() -> None:
    store = open_sqlite(":memory:")
    store.remember_visitor(Visitor(id="ada"), now=AT)

    def refuse() -> None:
        store.database.connection.execute("INSERT INTO conversions (at, visitor, event) VALUES (0, 'x', '')")
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        store.database.write(refuse)

    assert store.visitor("ada") is not None
    assert store.database.connection.execute("SELECT count(*) FROM conversions").get == 0
    store.close()
