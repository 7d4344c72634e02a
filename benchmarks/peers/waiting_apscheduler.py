"""APScheduler 3's SQLAlchemyJobStore on SQLite as a contestant of `benchmarks/waiting.py`.

3.11, not 4.0: the newest 4.0 is an alpha, and its own documentation recommends against its SQLite driver.
Settings: WAL and `synchronous=FULL` on the engine, a busy timeout of 60 s, a pool of sixteen threads,
`misfire_grace_time=None` (run however late; the default drops what is a second late). Callers add to a paused
scheduler, so that adding does not wake it; two schedulers may not share a store, so the worker starts after.
"""

import datetime
import importlib.metadata
import sys
import threading
from pathlib import Path
from typing import Any

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.base import JobLookupError
from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.date import DateTrigger
from sqlalchemy import create_engine, event
from waiting_verbs import TEXT, record_start, run

THREADS = 16


def noop(folder: str, number: int, text: str) -> None:  # noqa: ARG001 - the payload
    record_start(folder, number)


def opened(folder: Path) -> BackgroundScheduler:
    engine = create_engine(
        f"sqlite:///{folder}/apscheduler.db", connect_args={"timeout": 60}, pool_size=THREADS, max_overflow=0
    )

    @event.listens_for(engine, "connect")
    def durable(connection: Any, _: object) -> None:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")

    return BackgroundScheduler(
        jobstores={"default": SQLAlchemyJobStore(engine=engine)},
        executors={"default": ThreadPoolExecutor(THREADS)},
        job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
        timezone=datetime.UTC,
    )


class APScheduler:
    def __init__(self, folder: Path) -> None:
        self._folder = str(folder)
        self._scheduler = opened(folder)
        self._scheduler.start(paused=True)

    def schedule(self, number: int, due_at: float) -> None:
        trigger = DateTrigger(datetime.datetime.fromtimestamp(due_at, datetime.UTC), datetime.UTC)
        self._scheduler.add_job(noop, trigger, (self._folder, number, TEXT), id=_id(number))

    def cancel(self, number: int) -> bool:
        try:
            self._scheduler.remove_job(_id(number))
        except JobLookupError:
            return False
        return True

    def close(self) -> None:
        self._scheduler.shutdown()


def work(folder: Path) -> None:
    opened(folder).start()
    threading.Event().wait()


def _id(number: int) -> str:
    return f"execution-{number:012d}"


if __name__ == "__main__":
    run(sys.argv[1:], APScheduler, work, importlib.metadata.version("apscheduler"))
