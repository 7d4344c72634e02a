"""IntegrationState: whether an integration may be called now, and what its attempts say about it."""

import math
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from experience_runtime.domain.instants import iso
from experience_runtime.domain.pace import Pace, Receiver
from experience_runtime.domain.values import shown

BREAKER_FAILURES = 20
BREAKER_SECONDS = 30
MOST_BREAKER_SECONDS = 900
SLOW_SECONDS = 1.0
"""A call that has not ended by then leaves its slot to the others."""

UNLIMITED = sys.maxsize

# A fast rate may begin as much at once: a transaction an execution would not keep up.
_BATCH_SECONDS = 0.1
_OUT_OF_ORDER = timedelta(seconds=10)  # two may read the clock, and come in the other order


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """How an operator lets one integration be called; None is no limit.

    At most `rate_count` executions begin in any `rate_seconds`. The circuit breaker opens after
    `breaker_failures` failures in a row that may pass (0: never) for `breaker_seconds`, which double with
    each probe that fails, to 15 minutes. `isolate`: it is called in a process of its own. `broken`: what is
    wrong with its code; none begins then.
    """

    concurrency: int | None = None
    rate_count: int | None = None
    rate_seconds: int = 1
    breaker_failures: int = BREAKER_FAILURES
    breaker_seconds: int = BREAKER_SECONDS
    isolate: bool = False
    broken: str | None = None

    @property
    def batch(self) -> int:
        """How many a rate lets begin at one instant."""
        return max(1, math.floor((self.rate_count or 0) / self.rate_seconds * _BATCH_SECONDS))

    @property
    def spacing(self) -> timedelta:
        """The time one execution of a rate takes; with a batch at once, still no window holds too many."""
        count = max(1, (self.rate_count or 0) - self.batch + 1)
        # whole milliseconds would halve a rate of a thousand a second
        return timedelta(microseconds=math.ceil(self.rate_seconds * 1_000_000 / count))


def _no_pace(_: str) -> Pace | None:
    return None


def _not_broken(_: str) -> str | None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Policies:
    """The policy of each integration by its name; the others have `default`.

    `share` is the concurrency of those that have none of their own. `only` are the integrations that are
    meant (None: all); of these, `most` may be in flight together. `starts_at` tells the pace an integration
    begins with. Of one receiver that is not known to answer, `fresh` may be in flight, of those in `trusted`
    as many as it says. Those that are not known to, and those that let a call wait for SLOW_SECONDS, are
    doubtful: they take nothing of their integration's share, and have a room of their own, all together.
    `broken` says of an integration what is wrong with its code, at once: it is asked within a transaction.
    """

    by_name: Mapping[str, Policy] = field(default_factory=dict)
    default: Policy = field(default_factory=Policy)
    share: int | None = None
    only: frozenset[str] | None = None
    most: int | None = None
    starts_at: Callable[[str], Pace | None] = _no_pace
    fresh: int | None = None
    trusted: Mapping[Receiver, int] = field(default_factory=dict)
    broken: Callable[[str], str | None] = _not_broken

    def of(self, integration: str) -> Policy:
        policy = self.by_name.get(integration, self.default)
        why = None if integration == ALL else self.broken(integration)  # nothing has that name
        return policy if why is None else replace(policy, broken=why)

    def share_of(self, integration: str) -> int:
        """How many calls of an integration may be in flight at receivers that are not doubtful."""
        own = self.of(integration).concurrency  # then its state counts every one
        return UNLIMITED if self.share is None or own is not None else self.share

    @property
    def doubtful(self) -> int:
        """How many calls may be in flight at doubtful receivers."""
        return UNLIMITED if self.share is None else 2 * self.share

    @property
    def doubtful_at_once(self) -> int:
        """How many of these may be in their first second, in which they keep a slot from the others."""
        return UNLIMITED if self.share is None else self.share

    def is_silent(self, receiver: Receiver) -> bool:
        """Whether a receiver is known to keep calls waiting in vain."""
        return self.fresh is not None and self.trusted.get(receiver, self.fresh) < self.fresh

    def is_known(self, receiver: Receiver) -> bool:
        """Whether a receiver is known to answer."""
        return self.fresh is None or self.trusted.get(receiver, 0) > self.fresh

    def serves(self, integration: str) -> bool:
        return self.only is None or integration in self.only

    def room(self, in_flight: Mapping[str, int]) -> int:
        """How many more of those that are meant may begin, whatever the policy of each."""
        if self.most is None:
            return UNLIMITED
        return self.most - sum(count for name, count in in_flight.items() if self.serves(name))

    def start(self, integration: str) -> Pace | None:
        """The pace it begins with; none where the operator has set a rate of their own."""
        return None if self.of(integration).rate_count is not None else self.starts_at(integration)

    def allowance(self, receiver: Receiver) -> int:
        """How many calls of one receiver may be in flight."""
        return UNLIMITED if self.fresh is None else self.trusted.get(receiver, self.fresh)

    @property
    def limit_concurrency(self) -> bool:
        """Whether any of them does."""
        return (self.share, self.most, self.fresh) != (None, None, None) or any(
            policy.concurrency is not None for policy in (self.default, *self.by_name.values())
        )


NO_POLICIES = Policies()


ALL = "*"
"""The name under which the hold of everything is known. No integration has it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IntegrationState:
    """What is known of one integration: paused or not, its circuit breaker, its rate.

    `failures` counts those in a row that may pass. While `opened_at` is set the breaker is open, and from
    `probe_at` on one execution at a time may try; `openings` counts the probes that failed. `free_at` is
    when the rate admits the next, to the microsecond; every other instant is of whole milliseconds.
    """

    integration: str
    paused_at: datetime | None = None
    pause_reason: str | None = None
    failures: int = 0
    opened_at: datetime | None = None
    probe_at: datetime | None = None
    openings: int = 0
    free_at: datetime | None = None

    def admits_at(self, policy: Policy, *, in_flight: int, now: datetime) -> datetime | None:
        """The earliest instant, `now` or later, at which one more may begin.

        None while only a change of this state, or the end of what is in flight, can let one begin.
        """
        if self.paused_at is not None or policy.broken is not None:
            return None
        if policy.concurrency is not None and in_flight >= policy.concurrency:
            return None
        at = now
        if self._is_open(policy, now):
            if in_flight:
                return None
            at = max(at, self._probe_at(policy, now))
        if (free_at := self._free_at(policy, now)) is not None:
            at = max(at, _next_millisecond(free_at))
        return at

    def room(self, policy: Policy, *, in_flight: int, now: datetime) -> int:
        """How many more may begin now."""
        if self.admits_at(policy, in_flight=in_flight, now=now) != now:
            return 0
        room = UNLIMITED if policy.concurrency is None else policy.concurrency - in_flight
        if (free_at := self._free_at(policy, now)) is not None:
            earliest = max(free_at, now - (policy.batch - 1) * policy.spacing)
            room = min(room, (now - earliest) // policy.spacing + 1)
        return 1 if self._is_open(policy, now) else room

    def after_claim(self, policy: Policy, *, taken: int, now: datetime) -> "IntegrationState":
        """Spend the rate on what was claimed; the same state when there is no rate."""
        if policy.rate_count is None or not taken:
            return self
        free_at = self._free_at(policy, now) or now
        earliest = max(free_at, now - (policy.batch - 1) * policy.spacing)
        return replace(self, free_at=earliest + taken * policy.spacing)

    def after_attempt(
        self, policy: Policy, *, failed: bool, now: datetime, began_at: datetime | None = None
    ) -> "IntegrationState":
        """Count an attempt that the receiver answered, or (`failed`) one whose failure may pass.

        `began_at` is its start (`now` unless given): one that began before the breaker's probe is no probe.
        """
        if not failed:
            return replace(self, failures=0, opened_at=None, probe_at=None, openings=0)
        failures = self.failures + 1
        if not policy.breaker_failures or failures < policy.breaker_failures:
            return replace(self, failures=failures)
        if self._is_open(policy, now) and self.probe_at is not None and (began_at or now) < self.probe_at:
            return replace(self, failures=failures)
        openings = 0 if self.opened_at is None else self.openings + 1
        seconds = min(policy.breaker_seconds * 2 ** min(openings, 16), MOST_BREAKER_SECONDS)
        return replace(
            self,
            failures=failures,
            opened_at=self.opened_at if self._is_open(policy, now) else now,
            probe_at=now + timedelta(seconds=max(seconds, policy.breaker_seconds)),
            openings=openings,
        )

    def waits_because(self, policy: Policy, *, now: datetime) -> str | None:
        """Tell people why due executions of this integration wait; None when they need not."""
        if self.paused_at is not None:
            because = f": {shown(self.pause_reason, 300)[1:-1]}" if self.pause_reason else ""
            if self.integration == ALL:
                since = iso(self.paused_at)
                return f"everything is held since {since}{because}; `experience resume all` lets it go on"
            return (
                f"{self.integration} is paused since {iso(self.paused_at)}{because}; "
                f"`experience integrations resume {self.integration}` lets it go on"
            )
        if policy.broken is not None:
            return f"{self.integration} waits: {policy.broken}"
        if self._is_open(policy, now) and self.opened_at is not None:
            probe_at = self._probe_at(policy, now)
            tried = f"the next try is at {iso(probe_at)}" if probe_at > now else "one at a time is tried now"
            return (
                f"the circuit breaker of {self.integration} is open since {iso(self.opened_at)}, after "
                f"{self.failures} failures in a row; {tried}"
            )
        if policy.concurrency == 0:
            return f"{self.integration} may not be called: its concurrency is 0"
        if (free_at := self._free_at(policy, now)) is not None and free_at > now:
            return (
                f"the rate of {self.integration} is used up ({policy.rate_count} in {policy.rate_seconds} s);"
                f" the next may begin at {iso(_next_millisecond(free_at))}"
            )
        return None

    def _probe_at(self, policy: Policy, now: datetime) -> datetime:
        # Further ahead than a breaker ever rests: the clock was put back.
        latest = now + timedelta(seconds=max(MOST_BREAKER_SECONDS, policy.breaker_seconds))
        return now if self.probe_at is None or self.probe_at > latest else self.probe_at

    def _is_open(self, policy: Policy, now: datetime) -> bool:
        # Opened in the future: the machine's clock was put back, and what was planned then holds no more.
        # Without a breaker (any more), nothing would ever close it.
        return policy.breaker_failures > 0 and self.opened_at is not None and self.opened_at <= now

    def _free_at(self, policy: Policy, now: datetime) -> datetime | None:
        """When the rate admits the next; None without a rate."""
        if policy.rate_count is None:
            return None
        batch = policy.batch * policy.spacing
        if self.free_at is None:
            return now - batch
        # Further ahead than one batch takes: the clock was put back, or the rate was raised.
        return now if self.free_at > now + batch + _OUT_OF_ORDER else self.free_at


def state_of(states: Mapping[str, IntegrationState], integration: str) -> IntegrationState:
    """What decides whether an integration may be called: the hold of everything, else its own state."""
    hold = states.get(ALL)
    if hold is not None and hold.paused_at is not None:
        return hold
    return states.get(integration) or IntegrationState(integration=integration)


def hold_of(holds: Mapping[str, str], integration: str) -> str | None:
    """Why an integration waits, of what `Operations.holds` tells: the hold of everything, else its own."""
    return holds.get(ALL) or holds.get(integration)


def _next_millisecond(at: datetime) -> datetime:
    """The first instant of a clock, whose milliseconds are whole, that is not before `at`."""
    return at + timedelta(microseconds=-at.microsecond % 1000)
