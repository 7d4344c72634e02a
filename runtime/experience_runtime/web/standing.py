"""Standing: how the store and this process's deliveries stand now, for whoever watches."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from experience_runtime.domain.admission import IntegrationState
from experience_runtime.domain.overview import Overview
from experience_runtime.runtime import Runtime


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """`waits`: the integrations that may not be called for their state or policy. `served`: those that some
    worker delivers for, None for all of them; `workers` is how many workers there are; `pruned` counts what
    was ever removed, by kind."""

    now: datetime
    overview: Overview
    states: Mapping[str, IntegrationState]
    waits: frozenset[str]
    held_by_pace: Mapping[str, int]
    workers: int
    served: frozenset[str] | None
    stuck: int
    pruned: Mapping[str, int]

    def held(self, integration: str) -> str:
        """What keeps an integration from being called: paused, breaker, policy, pace, no_worker, or ""."""
        state = self.states.get(integration)
        if state is not None and state.paused_at is not None:
            return "paused"
        if integration in self.waits:
            return "breaker" if state is not None and state.opened_at is not None else "policy"
        if self.workers == 0 or (self.served is not None and integration not in self.served):
            return "no_worker"
        return "pace" if self.held_by_pace.get(integration) else ""


def read_standing(runtime: Runtime) -> Standing:
    """Read it all, in a few short looks at the store."""
    now = runtime.clock.now()
    states = runtime.store.integration_states.all()
    overview = runtime.store.overview(now=now, failed_since=now, next_limit=0)
    names = {*states, *(each.integration for each in overview.backlog)}
    there = [each for each in runtime.store.workers.all() if each.is_there(now)]
    served: set[str] | None = set()
    for each in there:
        served = None if served is None or each.integrations is None else served | each.integrations
    return Standing(
        now=now,
        overview=overview,
        states=states,
        waits=frozenset(
            name
            for name in names
            if (states.get(name) or IntegrationState(integration=name)).waits_because(
                runtime.policies.of(name), now=now
            )
        ),
        held_by_pace=runtime.operations.held_by_pace(),
        workers=len(there),
        served=None if served is None else frozenset(served),
        pruned=runtime.store.pruning.removed(),
        stuck=len(runtime.dispatcher.stuck()),
    )
