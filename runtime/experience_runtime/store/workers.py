"""The presences of a store: which workers report themselves."""

import json
from collections.abc import Sequence
from typing import Any

from experience_runtime.domain.instants import from_ms, to_ms
from experience_runtime.domain.workers import FORGOTTEN, Presence
from experience_runtime.store import rows
from experience_runtime.store.database import Database


class SqlPresences:
    """`ports.Presences` in the store's own database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def beat(self, presence: Presence) -> list[Presence]:
        mine = presence.integrations
        bound = {
            "id": presence.id,
            "host": rows.text(presence.host),
            "pid": presence.pid,
            "version": presence.version,
            "concurrency": presence.concurrency,
            "integrations": None if mine is None else rows.text(json.dumps(sorted(mine))),
            "started_at": to_ms(presence.started_at),
            "beat_at": to_ms(presence.beat_at),
        }

        def act() -> list[Presence]:
            self._database.rows("drop_presences", {"before": to_ms(presence.beat_at - FORGOTTEN)})
            self._database.rows("beat", bound)
            return self._all()

        return self._database.write(act)

    def leave(self, id: str) -> None:
        self._database.write(lambda: self._database.rows("leave", {"id": id}))

    def all(self) -> list[Presence]:
        return self._database.read(self._all)

    def _all(self) -> list[Presence]:
        return [_presence(row) for row in self._database.rows("presences", {})]


def _presence(row: Sequence[Any]) -> Presence:
    id, host, pid, version, concurrency, integrations, started_at, beat_at = row
    return Presence(
        id=id,
        host=host,
        pid=pid,
        version=version,
        concurrency=concurrency,
        integrations=None if integrations is None else frozenset(json.loads(integrations)),
        started_at=from_ms(started_at),
        beat_at=from_ms(beat_at),
    )
