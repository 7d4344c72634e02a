"""huey's SqliteHuey as a contestant of `benchmarks/waiting.py`.

Settings: `fsync=True` (SQLite's `synchronous=FULL`), `journal_mode="wal"`, a busy timeout of 60 s for the
sixteen callers, `results=False` as nobody reads results, a consumer of sixteen threads that looks at the
schedule every second (the least its scheduler allows) and at the queue every 50 ms.

A task with an eta goes into the queue; the consumer moves it into the schedule. So `fill` ends with a
consumer that does this, outside the time of the callers. A task is cancelled by its id; that writes a mark,
and the task is skipped when it comes due.
"""

import datetime
import importlib.metadata
import sys
import time
from pathlib import Path
from typing import Any

from huey import SqliteHuey
from huey.consumer import Consumer
from waiting_verbs import TEXT, record_start, run

THREADS = 16
LONGEST_MOVE_SECONDS = 120


def opened(folder: Path) -> tuple[Any, Any]:
    huey = SqliteHuey(
        filename=str(folder / "huey.db"), fsync=True, journal_mode="wal", timeout=60, results=False
    )

    @huey.task(name="noop")
    def noop(number: int, text: str) -> None:  # noqa: ARG001 - the payload
        record_start(folder, number)

    return huey, noop


class Huey:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._huey, self._noop = opened(folder)

    def schedule(self, number: int, due_at: float) -> None:
        self._noop.schedule((number, TEXT), eta=_instant(due_at), id=f"execution-{number:012d}")

    def cancel(self, number: int) -> bool:
        self._huey.revoke_by_id(f"execution-{number:012d}")
        return True

    def filled(self) -> int:
        """Let a consumer move the queue into the schedule; return how many wait there in the end."""
        consumer = Consumer(self._huey, workers=THREADS, worker_type="thread", initial_delay=0.01)
        consumer.start()
        ends = time.monotonic() + LONGEST_MOVE_SECONDS
        while self._huey.pending_count() and time.monotonic() < ends:
            time.sleep(0.5)
        consumer.stop(graceful=True)
        return int(self._huey.scheduled_count())

    def close(self) -> None:
        self._huey.storage.close()


def work(folder: Path) -> None:
    huey, _ = opened(folder)
    consumer = huey.create_consumer(
        workers=THREADS,
        worker_type="thread",
        initial_delay=0.05,
        max_delay=0.05,
        scheduler_interval=1,
        periodic=False,
        check_worker_health=True,
    )
    consumer.run()


def _instant(seconds: float) -> datetime.datetime:
    # of an eta without a zone huey keeps whole seconds only
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC)


if __name__ == "__main__":
    run(sys.argv[1:], Huey, work, importlib.metadata.version("huey"))
