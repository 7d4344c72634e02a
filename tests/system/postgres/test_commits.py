"""What is acknowledged is there, once, whatever becomes of the server while it commits."""

import os
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import psycopg
import pytest
from experience_runtime.domain.errors import InternalError
from experience_runtime.domain.executions import Filter, IfExists
from experience_runtime.store.opening import PostgresStore, open_postgres
from experience_runtime.store.postgres.database import PostgresDatabase
from experience_runtime.store.sql import SqlStore

from tests.support.executions import NOW, an_execution
from tests.support.postgres import Server

from .relay import Relay
from .yard import until

CRASHES = int(os.environ.get("POSTGRES_CRASHES", "6"))
CALLERS = 16
BETWEEN = 300
"""How many are acknowledged between two crashes, at least."""


@pytest.fixture
def address(durable: Server) -> str:
    return durable.database()


@pytest.fixture
def relay(durable: Server) -> Iterator[Relay]:
    made = Relay(durable.port)
    yield made
    made.close()


@pytest.fixture
def through(address: str, durable: Server, relay: Relay) -> Iterator[PostgresStore]:
    """The store, over a way that can be cut."""
    opened = open_postgres(durable.address(address.rpartition("/")[2], port=relay.port))
    yield opened
    opened.close()


def rows(address: str) -> list[tuple[int]]:
    with psycopg.connect(address) as connection:
        return connection.execute("SELECT number FROM executions ORDER BY number").fetchall()


@pytest.mark.parametrize("end", ["the way is cut", "its session is killed"])
def test_a_commit_without_an_answer_that_happened_is_an_acknowledgement(
    address: str, through: PostgresStore, relay: Relay, end: str
) -> None:
    with ThreadPoolExecutor(1) as thread:
        relay.last_words = b"COMMIT"
        added = thread.submit(through.add, an_execution(1), IfExists.REPLACE)
        assert relay.have_been_said.wait(30)
        if end == "its session is killed":
            with psycopg.connect(address) as connection:
                connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )

        assert added.result(30).execution.number == 1
    assert rows(address) == [(1,)]


def test_a_commit_that_comes_after_it_was_asked_for_does_not_happen(
    address: str, through: PostgresStore, relay: Relay
) -> None:
    def sessions() -> list[tuple[str, str]]:
        with psycopg.connect(address) as connection:
            return connection.execute(
                "SELECT wait_event_type, left(query, 60) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            ).fetchall()

    def has_marked() -> bool:
        return any(kind == "Client" and "commit_marks" in query for kind, query in sessions())

    def waits() -> bool:
        return any(kind == "Lock" for kind, _ in sessions())

    with ThreadPoolExecutor(1) as thread:
        relay.holds = True
        relay.last_words = b"COMMIT"
        relay.may_cut.clear()
        added = thread.submit(through.add, an_execution(1), IfExists.REPLACE)
        assert relay.have_been_said.wait(30)
        until(has_marked, lambda: f"what was said before COMMIT does not arrive: {sessions()}")
        relay.may_cut.set()
        until(waits, lambda: f"the second try does not wait for the first: {added}, {sessions()}")
        relay.let_go()

        assert added.result(30).execution.number == 1
    assert rows(address) == [(1,)]


def test_what_cannot_be_known_is_not_said_to_be_nothing(
    address: str, durable: Server, relay: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("experience_runtime.store.postgres.database.WAIT_SECONDS", 0.5)
    way = durable.address(address.rpartition("/")[2], port=relay.port)
    through = SqlStore(PostgresDatabase(way, most=1))
    through.add(an_execution(1), IfExists.REPLACE)
    relay.to = 1  # whoever comes anew finds nobody
    relay.last_words = b"COMMIT"

    with pytest.raises(InternalError, match="look before you try again") as refusal:
        through.add(an_execution(2), IfExists.REPLACE)

    assert refusal.value.code == "internal_error"  # and not one that says: nothing was stored, come again
    assert rows(address) == [(1,), (2,)]
    through.close()


def test_a_standby_that_was_behind_is_asked_what_it_has() -> None:
    primary = Server(durable=True)
    address = primary.database()
    database = address.rpartition("/")[2]
    standby = Server(durable=True, follows=primary.port)
    standby.execute("ALTER SYSTEM SET primary_conninfo = ''")
    standby.execute("SELECT pg_reload_conf()")
    behind = "SELECT count(*) FROM pg_stat_replication"
    until(lambda: primary.execute(behind) == [(0,)], lambda: "the standby still follows")
    relay = Relay(primary.port)
    store = open_postgres(primary.address(database, port=relay.port))
    with ThreadPoolExecutor(1) as thread:
        relay.is_closed_by_them = True  # nobody may ask the primary, which knows, before it is gone
        relay.last_words = b"COMMIT"
        added = thread.submit(store.add, an_execution(1), IfExists.REPLACE)
        assert relay.have_been_said.wait(30)
        primary.stop("immediate")
        standby.promote()
        other = open_postgres(standby.address(database))
        for number in range(2, 12):  # they get the numbers that transactions had on the primary
            other.add(an_execution(number), IfExists.REPLACE)
        relay.move(standby.port)

        assert added.result(30).execution.number == 1
    assert rows(standby.address(database)) == [(number,) for number in range(1, 12)]
    other.close()
    store.close()
    relay.close()
    standby.remove()
    primary.remove()


def test_nothing_acknowledged_is_lost_or_doubled_by_crashes(durable: Server, address: str) -> None:
    """`POSTGRES_CRASHES` says how many; 6 here, 60 in a long run."""
    store = open_postgres(address)
    acknowledged: list[str] = []
    unknown: list[str] = []
    ends = threading.Event()

    def call(caller: int) -> None:
        count = 0
        while not ends.is_set():
            count += 1
            token = f'"{caller}-{count}"'
            execution = replace(an_execution(caller * 10_000_000 + count * 10), payload=token)
            try:
                store.add(execution, IfExists.REPLACE)
            except InternalError:
                unknown.append(token)
            else:
                acknowledged.append(token)

    def at_least(count: int) -> None:
        until(lambda: len(acknowledged) >= count, lambda: f"{len(acknowledged)} of {count}")

    with ThreadPoolExecutor(CALLERS) as threads:
        callers = [threads.submit(call, caller) for caller in range(1, CALLERS + 1)]
        try:
            for _ in range(CRASHES):
                at_least(len(acknowledged) + BETWEEN)
                durable.stop("immediate")
                durable.start()
        finally:
            ends.set()
        for caller in callers:
            caller.result(60)

    there = Counter(each.payload for each in store.find(Filter(), limit=1_000_000).executions)
    print(f"{len(acknowledged)} acknowledged, {len(unknown)} unknown, {CRASHES} crashes")
    assert [token for token in acknowledged if there[token] == 0] == []
    assert [token for token, count in there.items() if count > 1] == []
    store.close()


def test_marks_that_a_crash_left_are_dropped_when_they_are_old(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with psycopg.connect(address) as connection:
        connection.execute("INSERT INTO commit_marks VALUES (gen_random_uuid(), 0, 1)")
    old, young = 0, 1_000_000
    left = []

    for transactions in (young, old):
        monkeypatch.setattr("experience_runtime.store.postgres.database.FORGOTTEN_AFTER", transactions)
        store = open_postgres(address)
        store.add(an_execution(transactions), IfExists.REPLACE)
        store.close()
        with psycopg.connect(address) as connection:
            left.append(connection.execute("SELECT count(*) FROM commit_marks").fetchall())

    assert left == [[(1,)], [(0,)]]


def test_a_store_that_is_closed_leaves_no_mark(address: str) -> None:
    store = open_postgres(address)
    store.add(replace(an_execution(1), created_at=NOW), IfExists.REPLACE)

    store.close()

    with psycopg.connect(address) as connection:
        assert connection.execute("SELECT * FROM commit_marks").fetchall() == []
