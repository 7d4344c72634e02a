"""Seconds and requests for a receiver that limits its callers, beside the ideal. Prints a table.

.venv/bin/python benchmarks/pace.py [--postgres] [--workers N] [--count N] [CASE ...]

Everything is due at one instant, as when a window opens. Real receivers, real threads, real time: minutes.
With --postgres a server is made for it, and N workers share one pace.
"""

import argparse
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from ipaddress import ip_network
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from experience_runtime.clocks import SystemClock
from experience_runtime.domain.admission import Policies
from experience_runtime.engine.delivery import ThreadDelivery
from experience_runtime.engine.dispatcher import Dispatcher
from experience_runtime.engine.receivers import FRESH
from experience_runtime.engine.scheduler import Scheduler
from experience_runtime.engine.worker import Worker
from experience_runtime.plugins.http import Outbound
from experience_runtime.plugins.registry import Registry
from experience_runtime.settings.load import load_settings
from experience_runtime.store.opening import open_postgres, open_sqlite

from tests.support.receivers import Bucket, Changing, Limit, Receiver, Window

CASES: dict[
    str, tuple[Callable[[], Limit], int, float]
] = {  # what limits, how many, the seconds that are ideal
    "one a second": (lambda: Bucket(1, 1), 60, 59.0),
    "five a second": (lambda: Bucket(5, 5), 250, 49.0),
    "five in any second": (lambda: Window(5), 250, 49.0),
    "a burst of 20, then one a second": (lambda: Bucket(1, 20), 70, 50.0),
    "five a second, then one": (lambda: Changing(Bucket(5, 5), 100, Bucket(1, 1)), 150, 69.0),
    "two a second, then five": (lambda: Changing(Bucket(2, 2), 150, Bucket(5, 5)), 300, 104.0),
    "one a second, then five": (lambda: Changing(Bucket(1, 1), 50, Bucket(5, 5)), 150, 69.0),
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("cases", nargs="*")
    parser.add_argument("--postgres", action="store_true")
    parser.add_argument("--workers", type=int, default=1)
    asked = parser.parse_args()
    print(f"{'receiver':34} {'messages':>8} {'seconds':>8} {'x ideal':>8} {'requests':>9} {'a message':>9}")
    for name in asked.cases or CASES:
        limit, count, ideal = CASES[name]
        seconds, requests, taken = run(limit(), count, asked.workers, is_shared=asked.postgres)
        row = (
            f"{name:34} {taken:8} {seconds:8.1f} {seconds / ideal:8.2f} {requests:9} {requests / count:9.2f}"
        )
        print(row if taken == count else f"{row}   not all in time", flush=True)


def run(limit: Limit, count: int, workers: int, *, is_shared: bool) -> tuple[float, int, int]:
    """Deliver so many; return the seconds, the requests, and how many were taken."""
    receiver = Receiver(limit)
    registry = Registry(load_settings(environ={"EXPERIENCE_INTEGRATION__WEBHOOK__URL": receiver.url}))
    clock, stop = SystemClock(), threading.Event()
    address = _postgres() if is_shared else str(Path(tempfile.mkdtemp()) / "experience.db")
    opened = [open_postgres(address) if is_shared else open_sqlite(address) for _ in range(workers)]
    scheduler = Scheduler(store=opened[0], clock=clock, integrations=registry, conversions=())
    for number in range(count):
        scheduler.schedule("webhook", {"n": number}, {"delay": "1s" if count < 100 else "3s"}, visitor=None)
    outbound = Outbound(now=clock.now, allow_private=[ip_network("127.0.0.1/32")])
    threads = []
    for store in opened:
        dispatcher = Dispatcher(
            store=store,
            clock=clock,
            integrations=registry,
            http=outbound,
            delivery=ThreadDelivery(64),
            policies=Policies(share=32, fresh=FRESH),
        )
        worker = Worker(dispatcher, store, clock)
        threads.append(threading.Thread(target=worker.run, args=(stop,)))
    for thread in threads:
        thread.start()
    receiver.wait_for(count, seconds=600)
    stop.set()
    for thread in threads:
        thread.join()
    outbound.close()
    for store in opened:
        store.close()
    receiver.close()
    time.sleep(0.1)
    return receiver.last_at - receiver.first_at, receiver.requests, len(receiver.taken)


def _postgres() -> str:
    from tests.support.postgres import shared

    return shared().database()


if __name__ == "__main__":
    main()
