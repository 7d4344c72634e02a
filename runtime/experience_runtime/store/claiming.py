"""Claiming: which due executions are leased next, by what their integrations have room for."""

import json
from collections import Counter
from collections.abc import Mapping
from datetime import datetime

from experience_runtime.domain.admission import IntegrationState, Policies
from experience_runtime.domain.executions import Execution
from experience_runtime.domain.instants import from_ms, to_ms
from experience_runtime.store import rows
from experience_runtime.store.database import Database
from experience_runtime.store.integration_states import SqlIntegrationStates


class Claiming:
    """Takes what is due; only inside an act of the database."""

    def __init__(self, database: Database, integration_states: SqlIntegrationStates) -> None:
        self._database = database
        self._integration_states = integration_states

    def claim_due(
        self, *, now: datetime, lease_until: datetime, limit: int, policies: Policies
    ) -> list[Execution]:
        """Lease what is due and has room, earliest first; inside `Database.write`."""
        # One claims at a time: what limits, rates and breakers leave room for is counted, then taken.
        self._database.hold("claims")
        waiting = [
            (integration, due_at)
            for integration, due_at in self._database.execute("waiting", {})
            if due_at <= to_ms(now) and policies.serves(integration)
        ]
        for integration, _ in waiting:
            if policies.of(integration).rate_count is not None:
                self._integration_states.hold(integration)
        states = self._integration_states.known()
        in_flight = self._in_flight(states, policies)
        limit = min(limit, max(0, policies.room(in_flight)))
        due: list[tuple[int, int, str]] = []  # (due_at, number, integration)
        for integration, _ in waiting:
            state, policy = _state(states, integration), policies.of(integration)
            room = state.room(policy, in_flight=in_flight[integration], now=now)
            if room:
                due_of = {"integration": integration, "now": to_ms(now), "limit": min(limit, room)}
                due += self._database.execute("due", due_of)
        chosen = sorted(due)[:limit]
        for integration, taken in Counter(integration for _, _, integration in chosen).items():
            state = _state(states, integration)
            spent = state.after_claim(policies.of(integration), taken=taken, now=now)
            if spent != state:
                self._integration_states.put(spent)
        numbers = json.dumps([number for _, number, _ in chosen])
        bound = {"numbers": numbers, "lease_until": to_ms(lease_until)}
        claimed = self._database.execute("claim", bound) if chosen else []
        return sorted(map(rows.execution, claimed), key=lambda each: (each.due_at, each.number))

    def next_wake(self, *, now: datetime, policies: Policies) -> datetime | None:
        """The earliest instant at which something may be claimed or given back; None for never."""
        found = [from_ms(at) for (at,) in self._database.execute("next_lapse", {}) if at is not None]
        waiting = self._database.execute("waiting", {})
        states = self._integration_states.known() if waiting else {}
        in_flight = self._in_flight(states, policies) if waiting else Counter()
        if policies.room(in_flight) >= 1:
            for integration, due_at in waiting:
                if not policies.serves(integration):
                    continue
                admitted_at = _state(states, integration).admits_at(
                    policies.of(integration), in_flight=in_flight[integration], now=now
                )
                if admitted_at is not None:
                    due = from_ms(due_at)
                    found.append(due if admitted_at == now else max(due, admitted_at))
        return min(found, default=None)

    def _in_flight(self, states: Mapping[str, IntegrationState], policies: Policies) -> Counter[str]:
        """How many of each integration are leased; nothing when nobody asks."""
        counted: Counter[str] = Counter()
        if policies.limit_concurrency or any(state.opened_at for state in states.values()):
            for integration, count in self._database.execute("in_flight", {}):
                counted[integration] += count
        return counted


def _state(states: Mapping[str, IntegrationState], integration: str) -> IntegrationState:
    return states.get(integration) or IntegrationState(integration=integration)
