"""PGQueuer used directly: a job with `execute_after` for each, enqueued and cancelled by its own calls.

Its worker takes 64 at a time and looks again each second (its default is 30 s).
"""

import asyncio
import importlib.metadata
import logging
from collections.abc import Callable, Coroutine
from datetime import timedelta
from time import time
from typing import Any

import asyncpg
from pgqueuer import PgQueuer
from pgqueuer.db import AsyncpgDriver
from pgqueuer.models import Job
from pgqueuer.queries import Queries
from postgres_verbs import main


class Pgqueuer:
    version = importlib.metadata.version("pgqueuer")

    def __init__(self, address: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._connection = self._run(asyncpg.connect(address))
        self._queries = Queries(AsyncpgDriver(self._connection))
        if self._run(self._connection.fetchval("SELECT to_regclass('pgqueuer')")) is None:
            self._run(self._queries.install())

    def schedule(self, number: int, due_at: float) -> Any:
        after = timedelta(seconds=max(0.0, due_at - time()))
        return self._run(self._queries.enqueue("noop", str(number).encode(), execute_after=after))[0]

    def cancel(self, handle: Any) -> None:
        self._run(self._queries.mark_job_as_cancelled([handle]))

    def multiply(self, first: int, count: int, due_at: float) -> None:
        columns = self._run(
            self._connection.fetch(
                "SELECT column_name FROM information_schema.columns WHERE table_name = 'pgqueuer' "
                "AND column_name NOT IN ('id', 'payload', 'execute_after')"
            )
        )
        kept = ", ".join(f'"{name}"' for (name,) in columns)
        one = f"(SELECT {kept} FROM pgqueuer WHERE status = 'queued' ORDER BY id LIMIT 1) AS one"  # noqa: S608
        numbers = f"generate_series({first}, {first + count - 1}) AS n"
        self._run(
            self._connection.execute(
                f"INSERT INTO pgqueuer (payload, execute_after, {kept}) "  # noqa: S608 - its own columns
                f"SELECT n::text::bytea, to_timestamp({due_at}), {kept} FROM {one}, {numbers}",
                timeout=600,
            )
        )
        self._run(self._connection.execute("VACUUM ANALYZE pgqueuer", timeout=600))

    def close(self) -> None:
        self._run(self._connection.close())
        self._loop.close()

    def _run(self, act: Coroutine[Any, Any, Any]) -> Any:
        return self._loop.run_until_complete(act)


def work(address: str, note: Callable[[int], None]) -> None:
    logging.disable(logging.CRITICAL)

    async def run() -> None:
        queuer = PgQueuer(AsyncpgDriver(await asyncpg.connect(address)))

        @queuer.entrypoint("noop")
        async def noop(job: Job) -> None:
            note(int(job.payload or b"0"))

        await queuer.run(dequeue_timeout=timedelta(seconds=1), batch_size=64)

    asyncio.run(run())


if __name__ == "__main__":
    main(Pgqueuer, work)
