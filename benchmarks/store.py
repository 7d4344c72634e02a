"""What the SQLite store carries on this machine: `.venv/bin/python benchmarks/store.py [--count N]`.

Prints executions scheduled a second (one caller, sixteen callers), executions claimed, started and settled a
second, executions a worker delivers to an integration that does nothing, each acknowledged on disk, and bytes
a pending row.
"""

import argparse
import hashlib
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

sys.path.insert(0, str(Path(__file__).parents[1] / "runtime"))

from experience_runtime.clocks import VirtualClock
from experience_runtime.domain.executions import Execution, Filter, IfExists, Settlement, Settling, Status
from experience_runtime.domain.keys import canonical_key, key_digest
from experience_runtime.engine.delivery import ThreadDelivery
from experience_runtime.engine.dispatcher import Dispatcher
from experience_runtime.engine.ports import Integrations
from experience_runtime.engine.worker import Worker
from experience_runtime.integration import Cache, Context, Http, Integration, MemoryCache
from experience_runtime.store.opening import SqliteStore, open_sqlite

START = datetime(2026, 3, 2, 12, tzinfo=UTC)
CALLERS = 16


def typical(i: int) -> Execution:
    """A row as the first published sample makes it: keyed, windowed, 60 bytes of payload."""
    key = canonical_key({"email": f"ada.{i:06d}@example.com"})
    visitor = hashlib.md5(str(i).encode(), usedforsecurity=False).hexdigest()[:20]
    created_at = START + timedelta(milliseconds=i)
    requested_at = created_at + timedelta(hours=i * 7919 % 700)
    return Execution(
        number=(int(created_at.timestamp() * 1000) << 21) + i,
        integration="slack-update",
        payload='{"message":"' + "x" * 46 + '"}',
        created_at=created_at,
        requested_at=requested_at,
        due_at=requested_at,
        zone="America/New_York",
        zone_from="window",
        experience="abandoned-basket",
        visitor=visitor,
        key=key,
        key_digest=key_digest("slack-update", key),
        key_owner=visitor,
        asked="2 hours",
        window="monday-friday 09:00-17:00",
    )


def in_threads(callers: int, count: int, act: Callable[[int], object]) -> float:
    """Run act(0) … act(count - 1) shared by this many threads; return how many a second."""

    def share(first: int) -> None:
        for i in range(first, count, callers):
            act(i)

    threads = [threading.Thread(target=share, args=(first,)) for first in range(callers)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return count / (time.perf_counter() - began)


def bytes_a_row(folder: Path, count: int) -> float:
    path = folder / "bytes.db"
    store = open_sqlite(str(path))
    for i in range(count):
        store.add(typical(i), IfExists.REPLACE)
    store.close()  # the last connection checkpoints and removes the WAL
    return path.stat().st_size / count


class NoOp(Integration[None, object]):
    name = "slack-update"

    def call(self, payload: object, context: Context[None]) -> None:
        """Do nothing."""


class NoOpIntegrations:
    def names(self) -> list[str]:
        return [NoOp.name]

    def get(self, _: str, /) -> Integration[Any, Any]:
        return NoOp()

    def settings(self, _: str, /) -> None:
        return None

    def parse_payload(self, _: str, payload: Any) -> Any:
        return payload

    def cache(self, _: str, /) -> Cache:
        return MemoryCache()


def delivered_a_second(folder: Path, count: int) -> float:
    store = open_sqlite(str(folder / "dispatcher.db"))
    for i in range(count):
        store.add(replace(typical(i), window=None), IfExists.REPLACE)
    clock = VirtualClock(START + timedelta(days=40))
    dispatcher = Dispatcher(
        store=store,
        clock=clock,
        integrations=cast(Integrations, NoOpIntegrations()),
        http=cast(Http, None),  # never used
        delivery=ThreadDelivery(CALLERS),
    )
    began = time.perf_counter()
    Worker(dispatcher, store, clock).run(threading.Event(), until_idle=True)
    rate = count / (time.perf_counter() - began)
    left = store.find(Filter(statuses=[Status.PENDING, Status.RUNNING, Status.FAILED]))
    assert not left.executions, left
    store.close()
    return rate


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=20_000, help="executions of each measurement")
    count = parser.parse_args().count
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCHMARK_DIR", ".")) as name:
        folder = Path(name)
        rows = [typical(i) for i in range(count)]
        for callers in (1, CALLERS):
            store = open_sqlite(str(folder / f"callers{callers}.db"))

            def schedule(i: int, store: SqliteStore = store) -> object:
                return store.add(rows[i], IfExists.REPLACE)

            rate = in_threads(callers, count, schedule)
            print(f"schedule, {callers:2} callers: {rate:8,.0f} a second")
            if callers < CALLERS:
                store.close()

        now = START + timedelta(days=40)
        lease_until = now + timedelta(seconds=120)
        done = Settlement(status=Status.SUCCEEDED, answer='{"ok":true}')
        began = time.perf_counter()
        while claimed := store.claim_due(now=now, lease_until=lease_until, limit=64):
            keys = [(each.number, each.attempt) for each in claimed]
            store.start_all(keys, now=now, lease_until=lease_until)
            store.settle_all([Settling(number, attempt, done, now) for number, attempt in keys])
        print(f"claim + start + settle: {count / (time.perf_counter() - began):8,.0f} a second")
        store.close()
        print(f"dispatcher, no-op:      {delivered_a_second(folder, count):8,.0f} a second")
        print(f"bytes a pending row:    {bytes_a_row(folder, count):8,.0f}")


if __name__ == "__main__":
    main()
