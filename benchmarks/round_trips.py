"""How often a verb waits for PostgreSQL: the times the program turns from sending to hearing, on one session.

    .venv/bin/python -m benchmarks.round_trips

It counts and measures no time, so a busy machine changes nothing. Needs PostgreSQL's programs.
"""

import argparse
import socket
import threading
from collections.abc import Callable
from datetime import timedelta

from experience_runtime.domain.executions import IfExists, Settling
from experience_runtime.engine.stores import Adding
from experience_runtime.store.opening import open_postgres

from tests.support.executions import KEY, LEASE, NOW, SUCCEEDED, an_execution, keyed
from tests.support.postgres import Server

LONG_AGO, LONG_AFTER = NOW - timedelta(days=9), NOW + timedelta(days=9)


class Counter:
    """A relay to a server that counts the client's turns: what it sends before it hears something is one."""

    def __init__(self, port: int) -> None:
        self.turns = 0
        self._port = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def of(self, act: Callable[[], object]) -> int:
        before = self.turns
        act()
        return self.turns - before

    def _accept(self) -> None:
        while True:
            here, _ = self._listener.accept()
            there = socket.create_connection(("127.0.0.1", self._port))
            heard = threading.Event()
            heard.set()
            for each in ((here, there, heard, True), (there, here, heard, False)):
                threading.Thread(target=self._pass_on, args=each, daemon=True).start()

    def _pass_on(
        self, source: socket.socket, sink: socket.socket, heard: threading.Event, is_client: bool
    ) -> None:
        while data := source.recv(65536):
            if not is_client:
                heard.set()
            elif heard.is_set():
                heard.clear()
                self.turns += 1
            sink.sendall(data)


def main() -> None:
    argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    ).parse_args()
    server = Server()
    counter = Counter(server.port)
    address = server.address(server.database().rpartition("/")[2], port=counter.port)
    store = open_postgres(address)
    numbers = iter(range(1, 10_000))

    def add() -> None:
        store.add(an_execution(next(numbers)), IfExists.REPLACE)

    def turn() -> None:
        executions = [an_execution(next(numbers)) for _ in range(20)]
        store.carry_out([Adding(execution=each, if_exists=IfExists.REPLACE) for each in executions])

    def deliver() -> None:
        (each,) = store.claim_due(now=LONG_AFTER, lease_until=LONG_AFTER + LEASE, limit=1)
        key = (each.number, each.attempt)
        store.start_all([key], now=NOW, lease_until=LONG_AFTER + LEASE)
        store.settle_all([Settling(*key, SUCCEEDED, NOW)])

    verbs: dict[str, Callable[[], object]] = {
        "schedule without a key": add,
        "schedule under a key, replacing": lambda: store.add(keyed(next(numbers)), IfExists.REPLACE),
        "20 schedule calls of one turn": turn,
        "cancel under a key": lambda: store.cancel_key(
            key_digest=KEY, key_owner="nobody", reason=None, now=NOW
        ),
        "convert": lambda: store.convert("nobody", event="bought", now=NOW),
        "claim, start and settle one": deliver,
        "claim with nothing due": lambda: store.claim_due(now=LONG_AGO, lease_until=NOW, limit=10),
        "give back with nothing lapsed": lambda: store.give_back(now=LONG_AGO),
        "next wake": lambda: store.next_wake(now=NOW),
    }
    for name, act in verbs.items():
        for _ in range(7):  # what comes often is prepared once
            act()
        print(f"{name:34}{counter.of(act):3}")
    store.close()
    server.remove()


if __name__ == "__main__":
    main()
