"""A process that stops in the middle of a transaction, whatever it waits for there, holds nobody up."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any

import psycopg
import pytest
from experience_runtime.domain.executions import IfExists
from experience_runtime.store.opening import PostgresStore, open_postgres
from experience_runtime.store.postgres.connecting import ENGINE, STORE, options, session_settings
from experience_runtime.store.postgres.database import STATEMENTS, PostgresDatabase
from experience_runtime.store.postgres.relay import ProcrastinateRelay
from experience_runtime.store.sql import SqlStore

from tests.support.executions import an_execution, claim
from tests.support.postgres import shared

from .relay import Relay
from .yard import until

LONGER = 1000.0
"""Seconds after which the process that stands still would itself notice: its thread stands still too."""


@contextmanager
def standing(address: str, act: Callable[[PostgresDatabase], None]) -> Iterator[None]:
    """A store of another process, whose only thread stands still after `act`, inside `write`."""
    database = PostgresDatabase(address, most=1, silence_seconds=LONGER)
    is_there, go_on = threading.Event(), threading.Event()

    def stand() -> None:
        act(database)
        is_there.set()
        assert go_on.wait(120)

    with ThreadPoolExecutor(1) as thread:
        stood = thread.submit(database.write, stand)
        assert is_there.wait(30), stood.result(0)
        try:
            yield
        finally:
            go_on.set()
            stood.result(30)  # its transaction is lost, and run again
    database.close()


@contextmanager
def a_session(address: str, name: str = STORE) -> Iterator[psycopg.Connection[Any]]:
    connection = psycopg.connect(address, autocommit=True, **options(name))
    connection.execute(session_settings())
    yield connection
    connection.close()


@contextmanager
def nobody_takes_its_answer(address: str) -> Iterator[None]:
    """A claim whose rows are more than the way holds, for a process that does not read them."""
    with a_session(address) as connection:
        connection.execute("BEGIN")
        claims = "pg_advisory_xact_lock(hashtextextended('claims', 0))"
        connection.pgconn.send_query(f"SELECT {claims}; SELECT repeat('x', 200000000)".encode())
        yield


def hold(database: PostgresDatabase) -> None:
    database.hold("claims")


def hold_and_ask(database: PostgresDatabase) -> None:
    database.hold("claims")
    database.execute("waiting", {})


def hold_and_count(database: PostgresDatabase) -> None:
    database.hold("claims")
    database.execute_counted("leave", {"id": "nobody"})


def waits_as(address: str) -> set[tuple[str, str]]:
    """The states of the sessions that are in a transaction, and what these wait for."""
    with psycopg.connect(address) as connection:
        found = connection.execute(
            "SELECT state, wait_event FROM pg_stat_activity WHERE pid <> pg_backend_pid() "
            "AND datname = current_database() AND xact_start IS NOT NULL AND wait_event_type = 'Client'"
        )
        return set(found.fetchall())


IDLES = ("idle in transaction", "ClientRead")
STANDS: dict[str, tuple[Callable[[str], AbstractContextManager[None]], tuple[str, str]]] = {
    "between two statements that nobody waits for": (
        lambda address: standing(address, hold),
        ("active", "ClientRead"),
    ),
    "after an answer": (lambda address: standing(address, hold_and_ask), IDLES),
    "after a count": (lambda address: standing(address, hold_and_count), IDLES),
    "while it is answered": (nobody_takes_its_answer, ("active", "ClientWrite")),
}


@pytest.mark.parametrize("where", STANDS)
def test_what_it_holds_is_free_soon(address: str, where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("experience_runtime.store.postgres.connecting.LOCK_SECONDS", 0.5)
    store = SqlStore(PostgresDatabase(address, silence_seconds=1.0))
    store.add(an_execution(1), IfExists.REPLACE)
    stands, waits = STANDS[where]
    with stands(address):
        until(lambda: waits in waits_as(address), lambda: waits_as(address))

        (claimed,) = claim(store)

    assert claimed.number == 1
    store.close()


def test_what_it_holds_and_may_not_be_ended_is_told(
    address: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("experience_runtime.store.postgres.connecting.LOCK_SECONDS", 0.2)
    monkeypatch.setitem(STATEMENTS, "end_standing_still", "SELECT refused_to_a_user_without_rights()")
    store = SqlStore(PostgresDatabase(address, silence_seconds=1.0))
    with a_session(address) as other, ThreadPoolExecutor(1) as thread:
        other.execute("BEGIN")
        other.execute("SELECT pg_advisory_xact_lock(hashtextextended('claims', 0))")
        claiming = thread.submit(claim, store)

        until(lambda: "could not end what stands still" in caplog.text, lambda: caplog.text)
        other.execute("COMMIT")

        assert claiming.result(60) == []
    assert "refused_to_a_user_without_rights() does not exist" in caplog.text
    store.close()


@pytest.mark.parametrize("where", ["after an answer", "after a count"])
def test_the_server_itself_bounds_one_that_idles(
    address: str, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("experience_runtime.store.postgres.connecting._IDLE_SECONDS", 1)
    store = open_postgres(address)  # ends none: 30 seconds are not over
    store.add(an_execution(1), IfExists.REPLACE)
    stands, _ = STANDS[where]

    with stands(address):
        (claimed,) = claim(store)

    assert claimed.number == 1
    store.close()


def test_rows_that_are_passed_over_while_they_are_locked_are_freed_by_the_relay_of_another(
    address: str, store: PostgresStore
) -> None:
    store.add(an_execution(1), IfExists.REPLACE)
    with ExitStack() as ends, a_session(address) as stands:
        stands.execute("BEGIN")
        stands.pgconn.enter_pipeline_mode()
        stands.pgconn.send_query_params(b"SELECT 1 FROM executions FOR UPDATE", None)
        stands.pgconn.send_flush_request()
        stands.pgconn.flush()
        until(lambda: ("active", "ClientRead") in waits_as(address), lambda: waits_as(address))
        assert claim(store) == []

        relay = ProcrastinateRelay(store.database, address, stalled_seconds=1.0, silence_seconds=1.0)
        relay.start(threading.Event())
        ends.callback(relay.close)
        until(lambda: waits_as(address) == set(), lambda: waits_as(address))

        assert [each.number for each in claim(store)] == [1]


def test_an_engine_that_stands_still_keeps_no_other_from_beginning(
    address: str, store: PostgresStore
) -> None:
    with ExitStack() as ends, a_session(address, ENGINE) as stands:
        stands.execute("INSERT INTO procrastinate_workers (last_heartbeat) VALUES ('2020-01-01')")
        stands.execute("BEGIN")
        stands.execute("SELECT procrastinate_update_heartbeat_v1(id) FROM procrastinate_workers")

        relay = ProcrastinateRelay(store.database, address, stalled_seconds=1.0, silence_seconds=1.0)
        wake = threading.Event()
        relay.start(wake)
        ends.callback(relay.close)
        store.add(an_execution(1), IfExists.REPLACE)
        claimed = claim(store)
        store.database.write(lambda: relay.hand_over(claimed))

        assert wake.wait(60)
        assert relay.arrived(10) == [(1, 1)]


def test_the_engine_begins_no_transaction_that_waits_for_its_process(
    address: str, store: PostgresStore
) -> None:
    way = Relay(shared().port)
    way.last_words = b"BEGIN"
    relay = ProcrastinateRelay(
        store.database,
        shared().address(address.rpartition("/")[2], port=way.port),
        stalled_seconds=1.0,
    )
    wake = threading.Event()
    relay.start(wake)
    store.add(an_execution(1), IfExists.REPLACE)
    claimed = claim(store)
    store.database.write(lambda: relay.hand_over(claimed))

    assert wake.wait(60)
    assert relay.arrived(10) == [(1, 1)]
    with psycopg.connect(address, autocommit=True) as connection:
        left = "SELECT count(*) FROM procrastinate_jobs"
        until(lambda: connection.execute(left).fetchall() == [(0,)], lambda: "the job does not end")
    relay.close()
    way.close()
    assert not way.have_been_said.is_set()
