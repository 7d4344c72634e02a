"""Procrastinate used directly: a job with `schedule_at` for each, deferred and cancelled by its own calls.

Its worker has 64 jobs at a time, is told of new ones, polls each second for those that become due (its
default is 5 s), and deletes what succeeded.
"""

import asyncio
import importlib.metadata
import logging
from collections.abc import Callable
from datetime import UTC, datetime

import procrastinate
import psycopg
from postgres_verbs import main


def app_of(connector: procrastinate.BaseConnector, note: Callable[[int], None]) -> procrastinate.App:
    app = procrastinate.App(connector=connector)

    @app.task(name="noop")
    async def noop(number: int) -> None:
        note(number)

    return app


class Procrastinate:
    version = importlib.metadata.version("procrastinate")

    def __init__(self, address: str) -> None:
        self._app = app_of(procrastinate.SyncPsycopgConnector(conninfo=address), print)
        self._app.open()
        self._sql = psycopg.connect(address, autocommit=True)
        if self._sql.execute("SELECT to_regclass('procrastinate_jobs')").fetchone() == (None,):
            self._app.schema_manager.apply_schema()

    def schedule(self, number: int, due_at: float) -> int:
        task = self._app.configure_task("noop", schedule_at=datetime.fromtimestamp(due_at, UTC))
        return task.defer(number=number)

    def cancel(self, handle: int) -> None:
        self._app.job_manager.cancel_job_by_id(handle)

    def multiply(self, first: int, count: int, due_at: float) -> None:
        # without its triggers, which keep an event a job: that is its favour
        self._sql.execute("SET session_replication_role = replica")
        self._sql.execute(
            "INSERT INTO procrastinate_jobs (queue_name, task_name, args, scheduled_at) "
            "SELECT 'default', 'noop', jsonb_build_object('number', n), to_timestamp(%s) "
            "FROM generate_series(%s::int, %s) AS n",
            [due_at, first, first + count - 1],
        )
        self._sql.execute("SET session_replication_role = origin")
        self._sql.execute("VACUUM ANALYZE procrastinate_jobs")

    def close(self) -> None:
        self._app.close()
        self._sql.close()


def work(address: str, note: Callable[[int], None]) -> None:
    logging.disable(logging.CRITICAL)
    app = app_of(procrastinate.PsycopgConnector(conninfo=address), note)

    async def run() -> None:
        async with app.open_async():
            await app.run_worker_async(
                concurrency=64, fetch_job_polling_interval=1.0, delete_jobs="successful"
            )

    asyncio.run(run())


if __name__ == "__main__":
    main(Procrastinate, work)
