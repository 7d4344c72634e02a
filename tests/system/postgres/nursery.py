"""A program for tests: starts real workers quickly, by forking what is imported.

    python nursery.py RECEIVED

A line on stdin, `ADDRESS CONCURRENCY LEASE ONLY`, starts a worker process and says its id on stdout; ONLY is
`-` for all integrations. The integration `noted` writes each call as a line to the file RECEIVED. The parent
holds no session and no thread, so that a child is as good as a process of its own.
"""

import logging
import os
import signal
import sys
import tempfile
import threading
from pathlib import Path
from types import FrameType

from experience_runtime.plugins.http import Outbound
from experience_runtime.plugins.registry import Registry
from experience_runtime.runtime import Runtime
from experience_runtime.runtime.working import make_worker
from experience_runtime.settings.load import load_settings
from experience_runtime.store.postgres import database, migrating
from experience_runtime.store.postgres import relay as procrastinate

IMPORTED_FOR_THE_CHILDREN = (procrastinate, database, migrating, Outbound, Registry)

INTEGRATIONS = """
import os, threading, time
from experience_runtime.integration import Integration

class Noted(Integration):
    name = "noted"

    def call(self, payload, context):
        line = f"{context.execution_id} {context.attempt} {os.getpid()} {time.time()}\\n"
        with open(os.environ["RECEIVED"], "ab", buffering=0) as received:
            received.write(line.encode())  # one write: lines of many processes do not mix
        if payload:
            threading.Event().wait(payload)

class Other(Noted):
    name = "other"

class NoOp(Integration):
    name = "noop"

    def call(self, payload, context):
        pass
"""


def deliver(address: str, concurrency: int, lease: int, only: str, folder: Path) -> None:
    log = logging.StreamHandler()
    log.setFormatter(logging.Formatter(f"%(asctime)s {os.getpid()} %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[log], force=True)
    logging.getLogger("procrastinate").setLevel(logging.CRITICAL)
    stop = threading.Event()
    settings = load_settings(database=address, integrations_dir=folder, environ={})
    served = None if only == "-" else frozenset(only.split(","))
    with Runtime(settings, concurrency=concurrency, only=served, lease_seconds=lease) as runtime:
        worker, wake = make_worker(runtime), runtime.dispatcher.wake

        def end(_: int, __: FrameType | None) -> None:
            stop.set()
            wake.set()

        signal.signal(signal.SIGTERM, end)
        thread = threading.Thread(target=worker.run, args=(stop,))
        thread.start()
        thread.join()


def main() -> None:
    os.environ["RECEIVED"] = sys.argv[1]
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the killed
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "noted.py").write_text(INTEGRATIONS, encoding="utf-8")
        for line in sys.stdin:
            address, concurrency, lease, only = line.split()
            child = os.fork()
            if child == 0:
                deliver(address, int(concurrency), int(lease), only, folder)
                os._exit(0)
            print(child, flush=True)


if __name__ == "__main__":
    main()
