"""The healths of a SQL store: what is known of each integration."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from experience_runtime.domain.admission import Health
from experience_runtime.domain.instants import from_ms
from experience_runtime.store import rows
from experience_runtime.store.database import Database


class SqlHealths:
    """`ports.Healths` in the store's own database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> dict[str, Health]:
        return self._database.read(self.known)

    def of(self, integration: str) -> Health:
        return self._database.read(lambda: self._of(integration))

    def change(self, integration: str, change: Callable[[Health], Health]) -> tuple[Health, Health]:
        def act() -> tuple[Health, Health]:
            self.hold(integration)
            before = self._of(integration)
            after = change(before)
            if after != before:
                self.put(after)
            return before, after

        return self._database.write(act)

    # --- inside a transaction

    def hold(self, integration: str) -> None:
        """Let nobody else change this health between a look at it and `put`."""
        self._database.hold(f"health {integration}")

    def known(self) -> dict[str, Health]:
        return {health.integration: health for health in map(_health, self._database.rows("healths", {}))}

    def put(self, health: Health) -> None:
        self._database.rows(
            "put_health",
            {
                "integration": rows.text(health.integration),
                "paused_at": rows.optional_ms(health.paused_at),
                "pause_reason": rows.optional_text(health.pause_reason),
                "failures": health.failures,
                "opened_at": rows.optional_ms(health.opened_at),
                "probe_at": rows.optional_ms(health.probe_at),
                "openings": health.openings,
                "free_at": _to_us(health.free_at),
            },
        )

    def _of(self, integration: str) -> Health:
        found = self._database.rows("health", {"integration": rows.text(integration)})
        return _health(found[0]) if found else Health(integration=integration)


def _health(row: Sequence[Any]) -> Health:
    integration, paused_at, pause_reason, failures, opened_at, probe_at, openings, free_at = row
    return Health(
        integration=integration,
        paused_at=rows.optional_instant(paused_at),
        pause_reason=pause_reason,
        failures=failures,
        opened_at=rows.optional_instant(opened_at),
        probe_at=rows.optional_instant(probe_at),
        openings=openings,
        free_at=None if free_at is None else _EPOCH + free_at * _MICROSECOND,
    )


_EPOCH = from_ms(0)
_MICROSECOND = timedelta(microseconds=1)


def _to_us(instant: datetime | None) -> int | None:
    return None if instant is None else (instant - _EPOCH) // _MICROSECOND
