"""Hearing: what attempts say of their receivers' paces and of their integrations' circuit breakers."""

import logging
from collections.abc import Mapping, Sequence

from experience_runtime.clocks import monotonic
from experience_runtime.domain.admission import IntegrationState, Policies, Policy
from experience_runtime.domain.executions import Execution
from experience_runtime.domain.pace import Learned, Receiver, Spoken
from experience_runtime.engine.judging import Ended
from experience_runtime.engine.ports import Clock
from experience_runtime.engine.receivers import Receivers
from experience_runtime.engine.stores import DispatcherStore

_MOST_REFUSED = 1000  # what is forgotten is only sent, and refused

_logger = logging.getLogger(__name__)


class Hearing:
    """What one dispatcher has heard. It writes only where an attempt changes what is known."""

    def __init__(self, *, store: DispatcherStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._failing: frozenset[str] | None = None  # integrations whose last attempt failed
        self._paced: set[Receiver] = set()  # those with a pace to be kept
        self._receivers = Receivers()
        self._refused: dict[Receiver, float] = {}  # when each said "not now" last, monotonic

    def refused(self, execution: Execution) -> None:
        """Remember at once that its receiver said "not now"; from any thread, before it is heard."""
        if len(self._refused) >= _MOST_REFUSED:
            self._refused.clear()
        self._refused[execution.integration, execution.pace_key] = monotonic()

    def was_refused(self, execution: Execution, *, since: float) -> bool:
        """Whether its receiver has said so to a call of this process since then."""
        at = self._refused.get((execution.integration, execution.pace_key))
        return at is not None and at >= since

    @property
    def trusted(self) -> Mapping[Receiver, int]:
        """How many calls of each receiver may be in flight."""
        return self._receivers.trusted

    def refresh(self) -> None:
        """Read what other workers have heard meanwhile."""
        self._failing = self._read_failing()
        self._paced = {(pace.integration, pace.key) for pace in self._store.paces.all()}

    def hear(self, ended: Sequence[Ended], policies: Policies) -> None:
        """Let the paces and the circuit breakers know how these attempts ended, before they are settled."""
        self._learn(ended, policies)
        self._observe(ended, policies)

    def _learn(self, ended: Sequence[Ended], policies: Policies) -> None:
        """Let the paces know what receivers said; where none said "not now", there is nothing to keep."""
        heard: dict[Receiver, list[Ended]] = {}
        for each in ended:
            receiver = (each.execution.integration, each.execution.pace_key)
            is_answered = each.outcome.is_answered and not each.outcome.asks_to_wait
            self._receivers.ended(
                receiver, began_at=each.began_at, ended_at=each.ended_at, is_answered=is_answered
            )
            if is_answered or each.outcome.asks_to_wait:
                heard.setdefault(receiver, []).append(each)
        starts = {name: pace for name, _ in heard if (pace := policies.start(name)) is not None}
        lessons = {
            receiver: self._lesson(receiver, attempts)
            for receiver, attempts in heard.items()
            if receiver in self._paced
            or receiver[0] in starts
            or any(each.outcome.asks_to_wait for each in attempts)
        }
        if not lessons:
            return  # the usual case costs nothing
        now = self._clock.now()
        for receiver, state in self._store.paces.learn(lessons, starts, now=now).items():
            if state.says_something:
                self._paced.add(receiver)
            else:
                self._paced.discard(receiver)
            # told by whom it began with, and not by the calls that were on their way then, here or elsewhere
            taught = {each.ended_at for each in lessons[receiver].spoken if each.refused}
            if state.held_until is not None and state.since == state.refused_at and state.since in taught:
                _logger.warning("%s", state.because(now=now))

    def _lesson(self, receiver: Receiver, attempts: Sequence[Ended]) -> Learned:
        waits = [each.outcome.retry_after or 0.0 for each in attempts if each.outcome.asks_to_wait]
        seconds = max(1.0, *waits, 0.0)
        return Learned(
            spoken=[
                Spoken(
                    began_at=each.began_at,
                    ended_at=each.ended_at,
                    refused=each.outcome.asks_to_wait,
                    wait_seconds=each.outcome.retry_after,
                )
                for each in sorted(attempts, key=lambda each: each.ended_at)
            ],
            recent=self._receivers.per_second(receiver, now=attempts[0].ended_at, seconds=seconds),
        )

    def _observe(self, ended: Sequence[Ended], policies: Policies) -> None:
        """Let the circuit breakers know how attempts went; what never left, and "not now", say nothing."""
        told: dict[str, list[Ended]] = {}
        for each in ended:
            if each.outcome.asks_to_wait or each.outcome.is_defect:
                continue
            if each.outcome.may_pass or each.outcome.is_answered:
                told.setdefault(each.execution.integration, []).append(each)
        for integration, attempts in told.items():
            self._observe_one(integration, attempts, policies.of(integration))

    def _observe_one(self, integration: str, attempts: Sequence[Ended], policy: Policy) -> None:
        failing = self._read_failing() if self._failing is None else self._failing
        if not policy.breaker_failures or (
            integration not in failing and not any(each.outcome.may_pass for each in attempts)
        ):
            return  # the usual case costs nothing

        def after(state: IntegrationState) -> IntegrationState:
            for each in attempts:
                state = state.after_attempt(
                    policy, failed=each.outcome.may_pass, now=each.ended_at, began_at=each.began_at
                )
            return state

        before, now_known = self._store.integration_states.change(integration, after)
        self._failing = self._read_failing()
        if now_known.probe_at is not None and now_known.probe_at != before.probe_at:
            _logger.warning("%s", now_known.waits_because(policy, now=self._clock.now()))
        if before.opened_at is not None and now_known.opened_at is None:
            _logger.warning("the circuit breaker of %s is closed again: a call was answered", integration)

    def _read_failing(self) -> frozenset[str]:
        return frozenset(
            each.integration for each in self._store.integration_states.all().values() if each.failures
        )
