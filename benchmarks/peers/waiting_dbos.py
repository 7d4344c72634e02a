"""DBOS on SQLite as a contestant of `benchmarks/waiting.py`.

A workflow for later is one enqueued with `delay_seconds`, as its documentation has it. Settings: the file is
put into WAL mode first (DBOS leaves SQLite's default journal; WAL is faster for it, `synchronous` stays
FULL), a pool of sixteen connections and sixteen executor threads, no limit on the queue (a limit is refilled
once a poll), and a poll of 0.1 s (its default is 1 s; delays are looked at every second whatever the poll).
"""

import importlib.metadata
import sqlite3
import sys
import threading
import time
from pathlib import Path

from dbos import DBOS, DBOSClient
from waiting_verbs import TEXT, record_start, run

THREADS = 16
VERSION = "1"


def launched(folder: Path) -> None:
    DBOS(
        config={
            "name": "waiting",
            "system_database_url": _url(folder),
            "sys_db_pool_size": THREADS,
            "max_executor_threads": THREADS,
            "application_version": VERSION,
            "executor_id": "one",
            "run_admin_server": False,
            "log_level": "ERROR",
        }
    )

    @DBOS.workflow(name="noop")
    def noop(number: int, text: str) -> None:  # noqa: ARG001 - the payload
        record_start(folder, number)

    DBOS.launch()
    DBOS.register_queue("executions", polling_interval_sec=0.1)


class Dbos:
    def __init__(self, folder: Path) -> None:
        file = folder / "dbos.db"
        if not file.exists():
            with sqlite3.connect(file) as connection:
                connection.execute("PRAGMA journal_mode = WAL")
            launched(folder)  # a client does not make the tables
            DBOS.destroy()
        self._client = DBOSClient(system_database_url=_url(folder), system_database_pool_size=THREADS)

    def schedule(self, number: int, due_at: float) -> None:
        self._client.enqueue(
            {
                "workflow_name": "noop",
                "queue_name": "executions",
                "workflow_id": _id(number),
                "delay_seconds": due_at - time.time(),
                "app_version": VERSION,
                "application_name": "waiting",
            },
            number,
            TEXT,
        )

    def cancel(self, number: int) -> bool:
        self._client.cancel_workflow(_id(number))
        return True

    def close(self) -> None:
        self._client.destroy()


def work(folder: Path) -> None:
    launched(folder)
    threading.Event().wait()


def _url(folder: Path) -> str:
    return f"sqlite:///{folder}/dbos.db"


def _id(number: int) -> str:
    return f"execution-{number:012d}"


if __name__ == "__main__":
    run(sys.argv[1:], Dbos, work, importlib.metadata.version("dbos"))
