"""What can happen to the server and the way to it: workers come back by themselves, and nothing is lost."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from experience_runtime.store.opening import open_postgres

from tests.support.postgres import Server

from .network import a_network
from .relay import Relay
from .yard import Yard, a_yard, until

BURST = 400
SECONDS = 0.02


@pytest.fixture
def kept(durable: Server, tmp_path: Path) -> Iterator[Yard]:
    """A yard on a server that keeps what it has acknowledged."""
    address = durable.database()
    store = open_postgres(address)
    with a_yard(address, store, tmp_path) as made:
        yield made
    store.close()


def begun(yard: Yard, workers: int = 2) -> None:
    """Start workers, and bring a burst to its middle."""
    for _ in range(workers):
        yard.worker()
    until(lambda: len(yard.store.workers.all()) == workers, lambda: "the workers do not report themselves")
    yard.schedule(BURST, seconds=SECONDS)
    yard.wait_for(BURST // 4)


def test_a_server_that_is_restarted_at_once_interrupts_and_loses_nothing(kept: Yard, durable: Server) -> None:
    begun(kept)

    durable.stop("immediate")
    durable.start()
    kept.schedule(50)
    kept.wait_until_done()

    assert kept.judge() <= 16  # what two workers of 8 had in flight


def test_sessions_that_are_terminated_again_and_again_lose_nothing(kept: Yard, durable: Server) -> None:
    begun(kept)
    terminate = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname LIKE 'test%'"
    killed = 0

    for calls in range(BURST // 4, BURST, BURST // 8):
        kept.wait_for(calls)
        killed += durable.execute(terminate)[0][0]
    kept.wait_until_done()

    assert killed > 12
    assert kept.judge() == 0  # no worker died: each settled what it had called


def test_a_worker_in_a_transaction_that_stands_still_holds_nobody_up(kept: Yard, durable: Server) -> None:
    stalled = kept.worker()
    kept.schedule(200)
    kept.wait_for(40)
    os.kill(stalled, signal.SIGSTOP)  # wherever it is: every third time, in a transaction

    kept.worker()
    kept.wait_until_done()
    os.kill(stalled, signal.SIGCONT)
    kept.schedule(20)
    kept.wait_until_done()

    kept.judge()
    assert durable.execute("SELECT 1") == [(1,)]


def test_an_address_that_moves_to_the_standby_is_followed(tmp_path: Path) -> None:
    primary = Server(durable=True)
    database = primary.database().rpartition("/")[2]
    standby = Server(durable=True, follows=primary.port)
    primary.execute("ALTER SYSTEM SET synchronous_standby_names = '*'")  # acknowledged: by both
    primary.execute("SELECT pg_reload_conf()")
    relay = Relay(primary.port)
    through = primary.address(database, port=relay.port)
    store = open_postgres(through)
    with a_yard(through, store, tmp_path) as yard:
        begun(yard)

        primary.stop("immediate")
        standby.promote()
        standby.execute("ALTER SYSTEM SET synchronous_standby_names = ''")
        standby.execute("SELECT pg_reload_conf()")
        relay.move(standby.port)
        yard.schedule(50)
        yard.wait_until_done()

        assert yard.judge() <= 16
    store.close()
    relay.close()
    primary.remove()
    standby.remove()


def test_a_way_that_falls_silent_is_left_and_taken_again(kept: Yard, durable: Server) -> None:
    relay = Relay(durable.port)
    begun(kept, workers=1)
    behind = kept.worker(address=durable.address(kept.address.rpartition("/")[2], port=relay.port))
    until(lambda: len(kept.store.workers.all()) == 2, lambda: "the workers do not report themselves")
    kept.schedule(BURST, seconds=SECONDS)
    until(lambda: behind in {pid for _, _, pid in kept.received()}, lambda: "it gets nothing to do")

    relay.is_silent = True
    kept.wait_until_done()
    calls = len(kept.received())
    relay.is_silent = False
    kept.wait_for_worker(behind, since=calls)
    kept.wait_until_done()

    assert kept.judge() <= 8
    relay.close()


def test_a_worker_cut_off_by_its_network_is_taken_over_and_comes_back(
    durable: Server, tmp_path: Path
) -> None:
    database = durable.database()
    store = open_postgres(database)
    with (
        a_network() as network,
        a_yard(database, store, tmp_path) as yard,
        a_yard(
            durable.address(database.rpartition("/")[2], host=network.host),
            store,
            tmp_path,
            network=network.name,
        ) as away,
    ):
        away.made = yard.made
        far = away.worker()
        yard.worker()
        until(lambda: len(store.workers.all()) == 2, lambda: "the workers do not report themselves")
        yard.schedule(BURST, seconds=SECONDS)
        until(lambda: far in {pid for _, _, pid in yard.received()}, lambda: "it gets nothing to do")

        network.unplug()
        yard.wait_until_done()
        calls = len(yard.received())
        network.plug()
        yard.wait_for_worker(far, since=calls)
        yard.wait_until_done()

        assert yard.judge() <= 8
    store.close()
