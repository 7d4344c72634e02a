"""The integration_states of a SQL store: what is known of each integration."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from experience_runtime.domain.admission import ALL, IntegrationState
from experience_runtime.domain.audit import differing
from experience_runtime.domain.instants import from_ms, iso
from experience_runtime.store import rows
from experience_runtime.store.audit import SqlAudit
from experience_runtime.store.database import Database
from experience_runtime.store.journal import Journal


class SqlIntegrationStates:
    """`ports.IntegrationStates` in the store's own database."""

    def __init__(self, database: Database, journal: Journal, audit: SqlAudit) -> None:
        self._database = database
        self._journal = journal
        self._audit = audit

    def all(self) -> dict[str, IntegrationState]:
        return self._database.read(self.known)

    def of(self, integration: str) -> IntegrationState:
        return self._database.read(lambda: self._of(integration))

    def change(
        self, integration: str, change: Callable[[IntegrationState], IntegrationState]
    ) -> tuple[IntegrationState, IntegrationState]:
        return self._database.write(lambda: self._change(integration, change))

    def change_by_hand(
        self,
        verb: str,
        integration: str,
        change: Callable[[IntegrationState], IntegrationState],
        *,
        now: datetime,
    ) -> IntegrationState:
        def act() -> IntegrationState:
            before, after = self._change(integration, change)
            kind, object = ("deliveries", "") if integration == ALL else ("integration", integration)
            was, now_is = differing(_told(before), _told(after))
            self._audit.note(kind, verb, object=object, at=now, before=was, after=now_is)
            return after

        return self._journal.write(
            f"{verb} of {integration}",
            act,
            as_json=lambda _: None,
            from_json=lambda _: self._of(integration),
        )

    # --- inside a transaction

    def _change(
        self, integration: str, change: Callable[[IntegrationState], IntegrationState]
    ) -> tuple[IntegrationState, IntegrationState]:
        self.hold(integration)
        before = self._of(integration)
        after = change(before)
        if after != before:
            self.put(after)
        return before, after

    def hold(self, integration: str) -> None:
        """Let nobody else change this state between a look at it and `put`."""
        self._database.hold(f"health {integration}")

    def known(self) -> dict[str, IntegrationState]:
        return self.read(self._database.execute("integration_states", {}))

    @staticmethod
    def read(found: Sequence[Sequence[Any]]) -> dict[str, IntegrationState]:
        """What the statement `integration_states` gave, by integration."""
        return {state.integration: state for state in map(_integration_state, found)}

    def put(self, state: IntegrationState) -> None:
        self._database.execute(
            "put_integration_state",
            {
                "integration": rows.text(state.integration),
                "paused_at": rows.optional_ms(state.paused_at),
                "pause_reason": rows.optional_text(state.pause_reason),
                "failures": state.failures,
                "opened_at": rows.optional_ms(state.opened_at),
                "probe_at": rows.optional_ms(state.probe_at),
                "openings": state.openings,
                "free_at": _to_us(state.free_at),
            },
        )

    def _of(self, integration: str) -> IntegrationState:
        found = self._database.execute("integration_state", {"integration": rows.text(integration)})
        return _integration_state(found[0]) if found else IntegrationState(integration=integration)


def _integration_state(row: Sequence[Any]) -> IntegrationState:
    integration, paused_at, pause_reason, failures, opened_at, probe_at, openings, free_at = row
    return IntegrationState(
        integration=integration,
        paused_at=rows.optional_instant(paused_at),
        pause_reason=pause_reason,
        failures=failures,
        opened_at=rows.optional_instant(opened_at),
        probe_at=rows.optional_instant(probe_at),
        openings=openings,
        free_at=None if free_at is None else _EPOCH + free_at * _MICROSECOND,
    )


def _told(state: IntegrationState) -> dict[str, str | None]:
    return {
        "paused_at": None if state.paused_at is None else iso(state.paused_at),
        "reason": state.pause_reason,
        "breaker_opened_at": None if state.opened_at is None else iso(state.opened_at),
    }


_EPOCH = from_ms(0)
_MICROSECOND = timedelta(microseconds=1)


def _to_us(instant: datetime | None) -> int | None:
    return None if instant is None else (instant - _EPOCH) // _MICROSECOND
