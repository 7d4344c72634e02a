"""What PostgreSQL and many workers carry: `.venv/bin/python benchmarks/postgres.py [--pending 1000000]`.

Starts a server of its own (initdb; fsync on) and real worker processes. With so many pending it prints the
rates of schedule, cancel and convert, how late one fires, and bytes a row; then what becomes of 20,000 due at
one second with 1, 2, 4 and 8 workers, and when one of two workers is killed in their middle.
--growth: the same at fewer pending. --peers [NAMES]: others on the same server, as ratios.
"""

import argparse
import os
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "integrations"))
sys.path.insert(0, str(Path(__file__).parents[1] / "runtime"))
sys.path.insert(0, str(Path(__file__).parents[1]))

import psycopg
from experience_runtime.clocks import SystemClock
from experience_runtime.domain.executions import Execution, IfExists
from experience_runtime.domain.instants import to_ms
from experience_runtime.domain.zones import rules_version
from experience_runtime.store.opening import PostgresStore, open_postgres

from benchmarks.postgres_peers import PEERS, compare
from benchmarks.store import in_threads, typical
from tests.support.postgres import Server
from tests.system.postgres.yard import Yard, a_yard, an_execution

BURST = 20_000
FIRED = 300
CONCURRENCY = 64

FILL = """
INSERT INTO executions (
    number, created_at, requested_at, due_at, attempt, begun, retries, cancel_on_conversion, key_is_property,
    status, integration, experience, visitor, key, key_digest, asked, zone, zone_from, zone_rules, "window",
    payload
)
SELECT n, %(now)s, %(now)s + n * 2000, %(now)s + 86400000 + n * 2000, 0, 0, 5, 1, 0, 'pending',
    'slack-update', 'abandoned-basket', substr(md5(n::text), 1, 20),
    '{"email":"ada.' || lpad(n::text, 6, '0') || '@example.com"}',
    substr(decode(md5('k' || n::text), 'hex'), 1, 16), '2 hours', 'America/New_York', 'window', %(rules)s,
    'monday-friday 09:00-17:00', '{"message":"' || repeat('x', 46) || '"}'
FROM generate_series(1, %(count)s) AS n
"""


def line(what: str, figure: str) -> None:
    print(f"{what:<58} {figure:>16}", flush=True)


def fill(address: str, count: int) -> None:
    with psycopg.connect(address, autocommit=True) as connection:
        bound = {"now": to_ms(datetime.now(UTC)), "count": count, "rules": rules_version()}
        connection.execute(FILL, bound)
        connection.execute("VACUUM ANALYZE")
        ((size,),) = connection.execute("SELECT pg_total_relation_size('executions')").fetchall()
    line(f"bytes a pending row, {count:,} of them, with indexes", f"{size / count:,.0f}")


def verbs(store: PostgresStore) -> dict[str, Any]:
    now = SystemClock().now()
    first = to_ms(now) << 21
    rows = [_typical(first, i) for i in range(9_000)]
    rates: dict[int, float] = {}
    for callers, start, count in ((1, 0, 2_000), (16, 2_000, 6_000)):

        def schedule(i: int, start: int = start) -> object:
            return store.add(rows[start + i], IfExists.REPLACE)

        rates[callers] = in_threads(callers, count, schedule)
        line(f"schedule, {callers} callers, a second", f"{rates[callers]:,.0f}")

    def cancel(i: int) -> object:
        digest = rows[i].key_digest or b""
        return store.cancel_key(key_digest=digest, key_owner=rows[i].key_owner, reason=None, now=now)

    cancels = in_threads(1, 2_000, cancel)
    line("cancel by key, 1 caller, a second", f"{cancels:,.0f}")
    line("cancel by key, 8 callers, a second", f"{in_threads(8, 4_000, lambda i: cancel(2_000 + i)):,.0f}")

    def convert(i: int) -> object:
        return store.convert(rows[6_000 + i].visitor or "", event="bought", now=now)

    line("convert, 8 callers, a second", f"{in_threads(8, 1_900, convert):,.0f}")
    return {"schedule": rates[1], "schedule_16": rates[16], "cancel": cancels}


def _typical(first: int, i: int) -> Execution:
    from dataclasses import replace

    return replace(typical(5_000_000 + i), number=first + i, cancel_on_conversion=True)


def lateness(yard: Yard) -> list[float]:
    """Executions due at instants of their own, a few a second: how late each is called."""
    start = SystemClock().now() + timedelta(seconds=2)
    due: dict[str, float] = {}
    for i in range(FIRED):
        at = start + timedelta(milliseconds=37 * i)
        execution = an_execution((to_ms(start) << 21) + i, at)
        due[yard.store.add(execution, IfExists.REPLACE).execution.id] = at.timestamp()
    yard.wait_for(FIRED)
    called = {row.split()[0]: float(row.split()[3]) for row in yard.received_path.read_text().splitlines()}
    late = sorted((called[id] - at) * 1000 for id, at in due.items())
    line(
        "late when fired, p50 / p99 / worst, ms",
        f"{_at(late, 0.5):,.0f} / {_at(late, 0.99):,.0f} / {_at(late, 1):,.0f}",
    )
    return [_at(late, 0.5), _at(late, 0.99), _at(late, 1)]


def idle(server: Server) -> None:
    """How many statements a second a worker makes that has nothing to do, as the server's log has them."""
    address = server.database()
    store = open_postgres(address)
    with tempfile.TemporaryDirectory() as folder, a_yard(address, store, Path(folder)) as yard:
        yard.worker(concurrency=CONCURRENCY, lease=25)
        _until(lambda: len(store.workers.all()) == 1)
        _count_idle(server)
    store.close()


def _count_idle(server: Server) -> None:
    server.execute("ALTER SYSTEM SET log_statement = 'all'")
    server.execute("SELECT pg_reload_conf()")
    threading.Event().wait(1)
    before, began = _logged(server), time.perf_counter()
    threading.Event().wait(10)
    rate = (_logged(server) - before) / (time.perf_counter() - began)
    server.execute("ALTER SYSTEM RESET log_statement")
    server.execute("SELECT pg_reload_conf()")
    line("statements of an idle worker, a second", f"{rate:,.1f}")


def _logged(server: Server) -> int:
    log = (server.folder / "log").read_text(errors="replace")
    return log.count("LOG:  statement: ") + log.count("LOG:  execute ")


def burst(store: PostgresStore, yard: Yard, workers: int, *, calls: int = CONCURRENCY) -> float:
    pids = [yard.worker(concurrency=calls, lease=25) for _ in range(workers)]
    _until(lambda: len(store.workers.all()) >= workers)
    now = SystemClock().now()
    due_at = now + timedelta(seconds=2 + BURST / 100_000)
    _bulk(store, (to_ms(now) << 21), due_at)
    time.sleep(max(0.0, (due_at - datetime.now(UTC)).total_seconds()))
    seconds = _until(lambda: _is_done(store))
    for pid in pids:
        os.kill(pid, signal.SIGTERM)
    _until(lambda: not store.workers.all())
    return BURST / seconds


def killed(store: PostgresStore, yard: Yard) -> None:
    calls_before = len(yard.received())
    victim = yard.worker(concurrency=CONCURRENCY, lease=25)
    survivor = yard.worker(concurrency=CONCURRENCY, lease=25)
    _until(lambda: len(store.workers.all()) == 2)
    now = SystemClock().now()
    _bulk(store, (to_ms(now) << 21) + 1, now, integration="noted")
    _until(lambda: len(yard.received()) - calls_before > BURST // 3)
    os.kill(victim, signal.SIGKILL)
    seconds = _until(lambda: _is_done(store))
    calls = Counter(id for id, _, _ in yard.received()[calls_before:])
    line("kill -9 of one of two: lost", f"{BURST - len(calls):,}")
    line("kill -9 of one of two: called twice", f"{sum(count > 1 for count in calls.values()):,}")
    line("kill -9 of one of two: seconds until all were done", f"{seconds:,.1f}")
    os.kill(survivor, signal.SIGTERM)


def _bulk(store: PostgresStore, first: int, due_at: datetime, *, integration: str = "noop") -> None:
    """Put a burst there at once: how it came is not what is measured."""
    with psycopg.connect(store.database.address, autocommit=True) as connection:
        connection.execute(
            """
            INSERT INTO executions (
                number, created_at, requested_at, due_at, attempt, begun, retries, cancel_on_conversion,
                key_is_property, status, integration, asked, zone, zone_from, payload
            )
            SELECT n, %(at)s, %(at)s, %(at)s, 0, 0, 5, 0, 1, 'pending', %(name)s, '', 'UTC', 'default', '0'
            FROM generate_series(%(first)s::bigint, %(first)s::bigint + %(count)s - 1) AS n
            """,
            {"at": to_ms(due_at), "name": integration, "first": first, "count": BURST},
        )


def _is_done(store: PostgresStore) -> bool:
    waiting = store.database.read(lambda: store.database.execute("waiting", {}))
    return not any(name in ("noop", "noted") for name, *_ in waiting) and not store.in_flight()


def _until(is_so: Callable[[], bool], *, seconds: float = 600) -> float:
    began = time.perf_counter()
    while not is_so():
        if time.perf_counter() - began > seconds:
            raise SystemExit("it took too long")
        threading.Event().wait(0.02)
    return time.perf_counter() - began


def _at(ordered: list[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pending", type=int, default=1_000_000)
    parser.add_argument("--workers", default="1,2,4,8")
    parser.add_argument("--growth", action="store_true", help="also at less of it")
    parser.add_argument("--peers", default="", nargs="?", const=",".join(PEERS), help="which, by comma")
    parser.add_argument("--burst", type=int, default=BURST, help="how many are due at one second")
    chosen = parser.parse_args()
    globals()["BURST"] = chosen.burst
    server = Server(durable=True, settings=["shared_buffers=512MB", "max_wal_size=4GB"])
    sizes = (
        [chosen.pending // 1000, chosen.pending // 30, chosen.pending] if chosen.growth else [chosen.pending]
    )
    idle(server)
    for size in sizes:
        print(f"\n{size:,} pending")
        address = server.database()
        fill(address, size)
        store = open_postgres(address)
        ours = verbs(store)
        with tempfile.TemporaryDirectory() as folder, a_yard(address, store, Path(folder)) as yard:
            pid = yard.worker(concurrency=CONCURRENCY, lease=25)
            _until(lambda: len(store.workers.all()) == 1)  # noqa: B023 - called at once
            ours["late_ms"] = lateness(yard)
            os.kill(pid, signal.SIGTERM)
            _until(lambda: not store.workers.all())  # noqa: B023 - called at once
            for workers in map(int, chosen.workers.split(",")):
                rate = burst(store, yard, workers)
                ours["burst"] = rate if workers == 2 or "burst" not in ours else ours["burst"]
                line(f"{BURST:,} due at one second, {workers} workers, a second", f"{rate:,.0f}")
            killed(store, yard)
        store.close()
    if chosen.peers:
        compare(server, ours, chosen.pending, names=chosen.peers.split(","))
    server.remove()


if __name__ == "__main__":
    main()
