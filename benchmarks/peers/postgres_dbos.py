"""DBOS used directly: a workflow enqueued with `delay_seconds` for each, and `cancel_workflow`.

Its queue is polled every 0.1 s (its default is 1 s; delays are looked at every second whatever the poll); it
has 64 executor threads and no limit.
"""

import importlib.metadata
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import psycopg
from dbos import DBOS, DBOSClient
from postgres_verbs import BURST, main

VERSION = "1"


def launched(address: str, note: Callable[[int], None]) -> None:
    DBOS(
        config={
            "name": "waiting",
            "system_database_url": address,
            "sys_db_pool_size": 16,
            "max_executor_threads": 64,
            "application_version": VERSION,
            "run_admin_server": False,
            "log_level": "ERROR",
        }
    )

    @DBOS.workflow(name="noop")
    def noop(number: int) -> None:
        # a row that was multiplied carries the first one's number: its own is in its id
        note(int((DBOS.workflow_id or str(number)).rpartition("-")[2]))

    DBOS.launch()
    DBOS.register_queue("executions", polling_interval_sec=0.1)


class Dbos:
    version = importlib.metadata.version("dbos")

    def __init__(self, address: str) -> None:
        launched(address, print)  # a client does not make the tables
        DBOS.destroy()
        self._client = DBOSClient(system_database_url=address, system_database_pool_size=16)
        self._sql = psycopg.connect(address, autocommit=True)

    def schedule(self, number: int, due_at: float) -> str:
        id = f"execution-{number}"
        self._client.enqueue(
            {
                "workflow_name": "noop",
                "queue_name": "executions",
                "workflow_id": id,
                "delay_seconds": max(0.0, due_at - time.time()),
                "app_version": VERSION,
                "application_name": "waiting",
            },
            number,
        )
        return id

    def cancel(self, handle: str) -> None:
        self._client.cancel_workflow(handle)

    def multiply(self, first: int, count: int, due_at: float) -> None:
        if count <= BURST:  # what is to run is made by its own call
            with ThreadPoolExecutor(8) as threads:
                list(threads.map(lambda number: self.schedule(number, due_at), range(first, first + count)))
            return
        # what a workflow was called with stands in a table of its own
        for table, changed in (
            ("workflow_status", {"delay_until_epoch_ms": str(int(due_at * 1000))}),
            ("workflow_inputs", {}),
        ):
            changed = {"workflow_uuid": "'execution-' || n"} | changed
            columns = self._sql.execute(
                "SELECT column_name FROM information_schema.columns "
                "WHERE table_schema = 'dbos' AND table_name = %s",
                [table],
            ).fetchall()
            names = [name for (name,) in columns]
            if not names:
                continue
            values = ", ".join(changed.get(name, f'one."{name}"') for name in names)
            listed = ", ".join(f'"{name}"' for name in names)
            self._sql.execute(
                (
                    f"INSERT INTO dbos.{table} ({listed}) SELECT {values} "  # noqa: S608 - its own columns
                    f"FROM dbos.{table} AS one, generate_series({first}, {first + count - 1}) AS n "
                    "WHERE one.workflow_uuid = 'execution-0'"
                ).encode()
            )
            self._sql.execute(f"VACUUM ANALYZE dbos.{table}".encode())

    def close(self) -> None:
        self._client.destroy()
        self._sql.close()


def work(address: str, note: Callable[[int], None]) -> None:
    launched(address, note)
    threading.Event().wait()


if __name__ == "__main__":
    main(Dbos, work, is_one=True)
