"""The relay between workers on PostgreSQL: Procrastinate's jobs, each with a batch of claimed executions.

A job says which executions are claimed, no more: the tables decide whether they still may run. It ends as
soon as its batch has been taken here; from then on the lease answers for it. So a job that is lost, late or
run twice costs time and changes nothing, and an engine that is started anew interrupts no call.
"""

import asyncio
import hashlib
import json
import logging
import threading
import weakref
from collections import deque
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from itertools import groupby
from typing import Any

import procrastinate
import psycopg
from procrastinate import exceptions, utils

from experience_runtime.domain.executions import SHARED_LEASE_SECONDS, Execution
from experience_runtime.store.database import Database
from experience_runtime.store.postgres.connecting import (
    ENGINE,
    SILENCE_SECONDS,
    options,
    said,
    session_settings,
    standing_still,
)
from experience_runtime.store.postgres.database import STATEMENTS
from experience_runtime.store.postgres.silence import cut

BATCH = 16
"""Executions a job: fewer cost more of the engine's time, more leave other workers idle."""

JOBS_AT_ONCE = 4

_TASK = "deliver"
_LONGEST_QUEUE = 40  # the engine puts it into the name of a channel, which PostgreSQL ends at 63 bytes
_POLL_SECONDS = 1.0  # a job is announced; this is for an announcement that was lost
_OPEN_SECONDS = 3.0
_LONGEST_BACKOFF_SECONDS = 2.0
_CONNECTIONS = 3

_logger = logging.getLogger(__name__)


class ProcrastinateRelay:
    """`engine.ports.Relay` on Procrastinate. Its engine has a thread, and is started anew when it is lost."""

    def __init__(
        self,
        database: Database,
        address: str,
        *,
        serves: Callable[[], Collection[str] | None] = lambda: None,
        stalled_seconds: float = SHARED_LEASE_SECONDS,
        silence_seconds: float = SILENCE_SECONDS,
    ) -> None:
        """`serves`: the integrations whose executions are taken here, None for all; asked at the start."""
        self._database = database
        self._address = address
        self._serves = serves
        self._queues: Sequence[str] | None = None
        self._stalled_seconds = stalled_seconds
        self._silence_seconds = silence_seconds
        self._wake = threading.Event()
        self._mutex = threading.Lock()
        self._batches: deque[_Batch] = deque()
        self._stopping = threading.Event()
        self._serving: asyncio.Task[None] | None = None
        self._sessions: weakref.WeakSet[psycopg.AsyncConnection[Any]] = weakref.WeakSet()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def hand_over(self, claimed: Sequence[Execution]) -> None:
        jobs = []
        for integration, group in groupby(sorted(claimed, key=_integration), key=_integration):
            keys = [[each.number, each.attempt] for each in group]
            batches = [keys[first : first + BATCH] for first in range(0, len(keys), BATCH)]
            jobs += [{"queue": queue_of(integration), "args": {"claimed": batch}} for batch in batches]
        self._database.execute("defer_jobs", {"jobs": json.dumps(jobs)})

    def start(self, wake: threading.Event) -> None:
        self._wake = wake
        served = self._serves()
        self._queues = None if served is None else [queue_of(name) for name in served]
        self._thread = threading.Thread(target=self._run, name="procrastinate", daemon=True)
        self._thread.start()

    def arrived(self, most: int) -> Sequence[tuple[int, int]]:
        taken: list[tuple[int, int]] = []
        with self._mutex:
            while self._batches and len(taken) < most:
                batch = self._batches[0]
                taken += batch.take(most - len(taken))
                if not batch.left:
                    self._batches.popleft()
        return taken

    def close(self) -> Sequence[tuple[int, int]]:
        self._stopping.set()
        if self._loop is not None and self._serving is not None:
            with suppress(RuntimeError):  # it has ended by itself
                self._loop.call_soon_threadsafe(self._serving.cancel)
        left = self.arrived(1_000_000)
        if self._thread is not None:
            self._thread.join()
        return [*left, *self.arrived(1_000_000)]

    # --- on the engine's thread

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except asyncio.CancelledError:
            pass
        except Exception:  # nobody else would hear of it
            _logger.exception("the delivery engine ended; nothing more is delivered here")

    async def _serve(self) -> None:
        self._serving = asyncio.current_task()
        self._loop = asyncio.get_running_loop()
        failures = 0
        while not self._stopping.is_set():
            began = self._loop.time()
            try:
                await self._serve_once()
                problem = "its session was lost"
            except Exception as error:  # noqa: BLE001 - whatever it is, the server may be back in a moment
                problem = said(error.__cause__ or error)
            failures = failures + 1 if self._loop.time() - began < _LONGEST_BACKOFF_SECONDS else 0
            seconds = min(0.2 * 2**failures, _LONGEST_BACKOFF_SECONDS)
            _logger.warning("the delivery engine lost its database (%s); again in %.1f s", problem, seconds)
            await asyncio.sleep(seconds)

    async def _serve_once(self) -> None:
        connector = procrastinate.PsycopgConnector(
            conninfo=self._address,
            kwargs=options(ENGINE),
            min_size=1,
            max_size=_CONNECTIONS,
            timeout=5.0,
            reconnect_timeout=2.0,
            configure=self._prepare,
        )
        engine = procrastinate.App(connector=connector)
        engine.task(name=_TASK)(self._take)
        try:
            # A pool that fails to open gives up looking long before it gives up waiting.
            await asyncio.wait_for(engine.open_async(), _OPEN_SECONDS)
            await self._work(engine)
        finally:
            await engine.close_async()

    async def _work(self, engine: procrastinate.App) -> None:
        work = engine.run_worker_async(
            queues=self._queues,  # type: ignore[arg-type]  # None: all of them
            concurrency=JOBS_AT_ONCE,
            delete_jobs="always",
            install_signal_handlers=False,
            fetch_job_polling_interval=_POLL_SECONDS,
            update_heartbeat_interval=self._stalled_seconds / 5,
            stalled_worker_timeout=self._stalled_seconds,
            shutdown_graceful_timeout=1.0,
        )
        tasks = [asyncio.create_task(each) for each in (work, self._hears(), self._take_over(engine))]
        try:
            (first, *_), _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            first.result()
        finally:
            await utils.cancel_and_capture_errors(tasks)

    async def _hears(self) -> None:
        """Return when the engine no longer hears of new jobs.

        It does not see that itself: it watches its tasks until the first of them ends, and that of periodic
        jobs, of which there are none, ends at once.
        """
        listening: set[asyncio.Task[Any]] = set()
        while not listening:
            await asyncio.sleep(0.05)
            listening = {task for task in asyncio.all_tasks() if task.get_name() == "listener"}
        await asyncio.wait(listening)

    async def _prepare(self, session: psycopg.AsyncConnection[Any]) -> None:
        self._sessions.add(session)
        # One statement is one transaction: none waits for this process to say COMMIT.
        await session.set_autocommit(True)
        await session.execute(session_settings())

    async def _take(self, claimed: list[list[int]]) -> None:
        """The job: wait until this process has taken the batch."""
        batch = _Batch(claimed, asyncio.get_running_loop())
        with self._mutex:
            self._batches.append(batch)
        self._wake.set()
        await batch.taken

    async def _take_over(self, engine: procrastinate.App) -> None:
        """Let others have what workers hold that are gone or stand still; see that the server answers."""
        while True:
            await asyncio.sleep(self._stalled_seconds / 5)
            try:
                await asyncio.wait_for(engine.check_connection_async(), self._stalled_seconds)
            except TimeoutError:
                for session in list(self._sessions):
                    cut(session)
                continue
            with suppress(exceptions.ConnectorException):  # another was quicker
                await engine.connector.execute_query_async(
                    STATEMENTS["end_standing_still"], **standing_still(self._silence_seconds)
                )
                stalled = await engine.job_manager.get_stalled_jobs(
                    task_name=_TASK, seconds_since_heartbeat=self._stalled_seconds
                )
                for job in stalled:
                    await engine.job_manager.retry_job(job)


class _Batch:
    """What one job brought, taken in parts."""

    def __init__(self, claimed: Sequence[Sequence[int]], loop: asyncio.AbstractEventLoop) -> None:
        self.left = [(number, attempt) for number, attempt in claimed]
        self.taken: asyncio.Future[None] = loop.create_future()
        self._loop = loop
        if not self.left:
            self.taken.set_result(None)

    def take(self, most: int) -> list[tuple[int, int]]:
        taken, self.left = self.left[:most], self.left[most:]
        if not self.left:
            with suppress(RuntimeError):  # its engine was started anew meanwhile
                self._loop.call_soon_threadsafe(self._end)
        return taken

    def _end(self) -> None:
        if not self.taken.done():
            self.taken.set_result(None)


def queue_of(integration: str) -> str:
    """The queue of an integration; a long name is cut, and told apart by a digest."""
    if len(integration.encode()) <= _LONGEST_QUEUE:
        return integration
    digest = hashlib.sha256(integration.encode()).hexdigest()[:16]
    return f"{integration.encode()[: _LONGEST_QUEUE - 17].decode(errors='ignore')}-{digest}"


def _integration(execution: Execution) -> str:
    return execution.integration
