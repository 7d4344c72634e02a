"""A program for tests: starts real workers and a scheduling process quickly, by forking what is imported.

    python nursery.py DATABASE URL

Lines on stdin: `worker` starts a worker process and says its id on stdout; `schedule FIRST COUNT` schedules
that many and says what was acknowledged, as `asking.py` has it, then `done`. The parent holds no database and
no thread, so that a child is as good as a process of its own.
"""

import contextlib
import os
import random
import signal
import ssl
import sys
import threading
from functools import partial

from experience_runtime.clocks import SystemClock
from experience_runtime.engine.delivery import ThreadDelivery
from experience_runtime.engine.dispatcher import Dispatcher
from experience_runtime.engine.scheduler import Scheduler
from experience_runtime.engine.worker import Worker
from experience_runtime.integration import IntegrationFailed
from experience_runtime.plugins.http import Outbound
from experience_runtime.plugins.registry import Registry
from experience_runtime.settings.load import Settings, load_settings
from experience_runtime.store.opening import open_sqlite
from experience_runtime.store.sqlite.lock import FileLock

from tests.system.faults.asking import CONVERSIONS, Asking

CONCURRENCY = 8


class AtOnce(random.Random):
    """Chance for retries that do not wait."""

    def random(self) -> float:
        return 0.0


def deliver(path: str, settings: Settings, registry: Registry, trust: ssl.SSLContext) -> None:
    clock = SystemClock()
    store = open_sqlite(path)
    dispatcher = Dispatcher(
        store=store,
        clock=clock,
        integrations=registry,
        http=Outbound(now=clock.now, allow_private=settings.allow_private, ssl_context=trust),
        delivery=ThreadDelivery(CONCURRENCY),
        random=AtOnce(),
    )
    Worker(dispatcher, store, clock, lock=FileLock(path), poll_seconds=0.02).run(threading.Event())


def main() -> None:
    path, url = sys.argv[1:]
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the killed
    environ = {
        "EXPERIENCE_INTEGRATION__WEBHOOK__URL": url,
        "EXPERIENCE_OUTBOUND_ALLOW_PRIVATE": "127.0.0.1/32",
    }
    settings = load_settings(environ=environ)
    registry = Registry(settings)
    registry.settings("webhook")
    trust = ssl.create_default_context()  # what takes a worker longest is done once, for all of them
    with contextlib.suppress(IntegrationFailed):
        Outbound(now=SystemClock().now, allow_private=settings.allow_private).post("http://127.0.0.1:1/")
    asking: Asking | None = None
    for line in sys.stdin:
        match line.split():
            case ["worker"]:
                child = os.fork()
                if child == 0:
                    deliver(path, settings, registry, trust)
                    os._exit(0)
                print(child, flush=True)
            case ["schedule", first, count]:
                if asking is None:
                    scheduler = Scheduler(
                        store=open_sqlite(path),
                        clock=SystemClock(),
                        integrations=registry,
                        conversions=CONVERSIONS,
                    )
                    asking = Asking(scheduler, "webhook", partial(print, flush=True))
                for number in range(int(first), int(first) + int(count)):
                    asking.ask(number, {"number": number, "fails_first": number % 11 == 0})
                print("done", flush=True)


if __name__ == "__main__":
    main()
