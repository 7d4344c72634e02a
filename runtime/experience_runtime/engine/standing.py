"""Standing: how the store and what delivers from it stand now, for whoever watches."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from experience_runtime.domain.admission import ALL, IntegrationState, Policies, state_of
from experience_runtime.domain.errors import ExperienceError
from experience_runtime.domain.overview import Overview
from experience_runtime.engine.operations import Operations
from experience_runtime.engine.ports import Integrations
from experience_runtime.engine.stores import Store

MOST_COUNTED = 100_000
"""Of a state, and of what waits for an integration: who watches asks several times a minute."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """`waits`: the integrations that may not be called for their state or policy. `served`: those that some
    worker delivers for, None for all of them; `workers` is how many workers there are; `fires_at`: when the
    next recurring schedule is to be looked at; `bytes`: what the database takes; `pruned` counts what was
    ever removed, by kind."""

    now: datetime
    overview: Overview
    states: Mapping[str, IntegrationState]
    broken: frozenset[str]
    waits: frozenset[str]
    held_by_pace: Mapping[str, int]
    unconfigured: frozenset[str]
    workers: int
    served: frozenset[str] | None
    fires_at: datetime | None
    bytes: int
    pruned: Mapping[str, int]

    @property
    def is_held(self) -> bool:
        """Whether everything is."""
        return ALL in self.states and self.states[ALL].paused_at is not None

    def held(self, integration: str) -> str:
        """What keeps an integration from being called: paused, broken, breaker, policy, no_worker,
        unconfigured, pace, or ""."""
        state = state_of(self.states, integration)
        if state.paused_at is not None:
            return "paused"
        if integration in self.broken:
            return "broken"
        if integration in self.waits:
            return "breaker" if state.opened_at is not None else "policy"
        if self.workers == 0 or (self.served is not None and integration not in self.served):
            return "no_worker"
        if integration in self.unconfigured:
            return "unconfigured"
        return "pace" if self.held_by_pace.get(integration) else ""


def read_standing(
    store: Store, *, now: datetime, operations: Operations, policies: Policies, integrations: Integrations
) -> Standing:
    """Read it all, in a few short looks at the store."""
    states = store.integration_states.all()
    overview = store.overview(now=now, failed_since=now, next_limit=0, most=MOST_COUNTED)
    names = {*states, *(each.integration for each in overview.backlog)} - {ALL}
    there = [each for each in store.workers.all() if each.is_there(now)]
    served: set[str] | None = set()
    for each in there:
        served = None if served is None or each.integrations is None else served | each.integrations
    return Standing(
        now=now,
        overview=overview,
        states=states,
        broken=frozenset(name for name in names if policies.of(name).broken is not None),
        waits=frozenset(
            name for name in names if state_of(states, name).waits_because(policies.of(name), now=now)
        ),
        held_by_pace=operations.held_by_pace(),
        unconfigured=frozenset(name for name in names if not _is_configured(integrations, name)),
        workers=len(there),
        served=None if served is None else frozenset(served),
        fires_at=store.schedules.next_at(),
        bytes=store.pruning.size(),
        pruned=store.pruning.removed(),
    )


def _is_configured(integrations: Integrations, name: str) -> bool:
    try:
        integrations.settings(name)
    except ExperienceError:  # also one that is gone or broken
        return False
    return True
