"""The workers of a store: which workers report themselves."""

import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from experience_runtime.domain.errors import InternalError
from experience_runtime.domain.executions import Execution
from experience_runtime.domain.instants import from_ms, to_ms
from experience_runtime.domain.workers import FORGOTTEN, WorkerInfo
from experience_runtime.store import rows
from experience_runtime.store.claiming import CLAIMS
from experience_runtime.store.database import Database

_FIRST = from_ms(0)
_TRIAL = Execution(
    number=0,  # of no execution: theirs count from when there were any
    integration="",
    payload="null",
    created_at=_FIRST,
    requested_at=_FIRST,
    due_at=_FIRST,
    zone="UTC",
    zone_from="default",
)


class _Undone(Exception):
    """Rolls back what was tried."""


class SqlWorkers:
    """`ports.Workers` in the store's own database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def beat(self, worker: WorkerInfo) -> list[WorkerInfo]:
        mine = worker.integrations
        bound = {
            "id": worker.id,
            "host": rows.text(worker.host),
            "pid": worker.pid,
            "version": worker.version,
            "concurrency": worker.concurrency,
            "integrations": None if mine is None else rows.text(json.dumps(sorted(mine))),
            "started_at": to_ms(worker.started_at),
            "beat_at": to_ms(worker.beat_at),
        }

        def act() -> list[WorkerInfo]:
            self._database.execute("drop_workers", {"before": to_ms(worker.beat_at - FORGOTTEN)})
            self._database.execute("beat", bound)
            return self._all()

        return self._database.write_aside(act)

    def leave(self, id: str) -> None:
        self._database.write(lambda: self._database.execute("leave", {"id": id}))

    def all(self) -> list[WorkerInfo]:
        return self._database.read(self._all)

    def try_claim(self, now: datetime) -> None:
        def act() -> None:
            self._database.hold(CLAIMS)
            self._database.execute("insert_execution", rows.values(replace(_TRIAL, due_at=now)))
            bound = {"numbers": json.dumps([_TRIAL.number]), "lease_until": to_ms(now)}
            raise _Undone if self._database.execute("claim", bound) else InternalError("nothing was claimed")

        with suppress(_Undone):
            self._database.write_aside(act)

    def clock_skew(self, now: Callable[[], datetime]) -> timedelta:
        before = now()
        found = self._database.read(lambda: self._database.execute("database_clock", {}))
        after = now()
        for at_ms, is_clock in found:
            at = from_ms(at_ms)
            if at > after:
                return at - after
            if is_clock and at < before:
                return at - before
        return timedelta(0)

    def _all(self) -> list[WorkerInfo]:
        return [_worker_info(row) for row in self._database.execute("workers", {})]


def _worker_info(row: Sequence[Any]) -> WorkerInfo:
    id, host, pid, version, concurrency, integrations, started_at, beat_at = row
    return WorkerInfo(
        id=id,
        host=host,
        pid=pid,
        version=version,
        concurrency=concurrency,
        integrations=None if integrations is None else frozenset(json.loads(integrations)),
        started_at=from_ms(started_at),
        beat_at=from_ms(beat_at),
    )
