"""The gate of `execute`: the rate and pace of its integration, and one for each key and interval."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType

from experience_runtime.domain.admission import IntegrationState, Policies, state_of
from experience_runtime.domain.errors import Conflict, RateLimited
from experience_runtime.engine.stores import SchedulerStore

EXECUTE_EVERY_SECONDS = 60
"""How long one key's `execute` keeps the next one out. Source: reference/schedule-options#execute."""

NO_INTERVALS: Mapping[str, int] = MappingProxyType({})
"""No integration with an interval of its own."""


class ExecuteGate:
    """Lets an `execute` pass, or refuses it; `every_seconds` are the intervals by integration, 0 for none."""

    def __init__(
        self, *, store: SchedulerStore, every_seconds: Mapping[str, int], policies: Policies
    ) -> None:
        self._store = store
        self._every_seconds = every_seconds
        self._policies = policies

    def admit(self, integration: str, key_of_pace: str, now: datetime) -> None:
        """Spend of its rate; RateLimited when that is used up or its pace holds it, Conflict when paused."""
        policy = self._policies.of(integration)
        # its caller waits for it: only the rate counts, not the limit or the breaker of what is due
        rate = replace(policy, concurrency=None, breaker_failures=0)

        def spend(state: IntegrationState) -> IntegrationState:
            if state.room(rate, in_flight=0, now=now) < 1:
                raise RateLimited(f"{state.waits_because(rate, now=now)}; wait, or schedule it with delay: 0")
            return state.after_claim(rate, taken=1, now=now)

        state = state_of(self._store.integration_states.all(), integration)
        if state.paused_at is not None:
            raise Conflict(f"{state.waits_because(policy, now=now)}; or schedule it, and it waits")
        for pace in self._store.paces.all():
            is_meant = (pace.integration, pace.key) == (integration, key_of_pace) and pace.is_current(now)
            if is_meant and pace.held_until is not None and pace.held_until > now:
                raise RateLimited(f"{pace.because(now=now)}; wait, or schedule it with delay: 0")
        if policy.rate_count is not None:
            self._store.integration_states.change(integration, spend)

    def take(
        self, integration: str, canonical: str, *, key_digest: bytes, key_owner: str, now: datetime
    ) -> None:
        """Take the one `execute` of this key and interval; RateLimited when it was taken."""
        seconds = self._every_seconds.get(integration, EXECUTE_EVERY_SECONDS)
        if seconds and not self._store.allow_execute(
            key_digest=key_digest, key_owner=key_owner, now=now, per_seconds=seconds
        ):
            raise RateLimited(
                f"{integration} was executed for the key {canonical[:100]} less than {seconds} s ago; "
                f"wait, or schedule it with delay: {seconds * 1000}"
            )
