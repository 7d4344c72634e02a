"""The dispatcher: due rows -> delivery -> integration call -> settled row. It never sleeps."""

import logging
import random as randomness
import threading
from collections import deque
from datetime import datetime, timedelta
from typing import Any

from experience_runtime.calls import Outcome, Redact, call, refused
from experience_runtime.domain.errors import CallFailed, IntegrationTimeout, InternalError, Refusal
from experience_runtime.domain.executions import Execution, Settlement, Status
from experience_runtime.domain.health import NO_POLICIES, Policies
from experience_runtime.domain.retries import decide
from experience_runtime.domain.windows import Window, parse_window_text
from experience_runtime.domain.zones import parse_zone
from experience_runtime.integration import Http
from experience_runtime.ports import Clock, Delivery, Integrations, Store

LEASE_SECONDS = 120
"""Renewed at half its time while the call runs: a lease that lapses belongs to a process that went away."""

EXECUTE_TIMEOUT_SECONDS = 5.0

_logger = logging.getLogger(__name__)


class Dispatcher:
    """The one way out. `wake` is set when room for more has come free."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        integrations: Integrations,
        http: Http,
        delivery: Delivery,
        random: randomness.Random | None = None,
        redact: Redact = str,
        policies: Policies = NO_POLICIES,
        lease_seconds: int = LEASE_SECONDS,
    ) -> None:
        self._policies = policies
        self._failing: frozenset[str] | None = None  # integrations whose last attempt failed
        self._store = store
        self._clock = clock
        self._integrations = integrations
        self._http = http
        self._delivery = delivery
        self._random = random or randomness.SystemRandom()
        self._redact = redact
        self._lease = timedelta(seconds=lease_seconds)
        self._unsettled: deque[tuple[Execution, Settlement]] = deque()
        self._mutex = threading.Lock()
        self._unstarted: deque[Execution] = deque()
        self._held: set[tuple[int, int]] = set()  # (number, attempt), from the claim until it is done
        self._renew_at = clock.now()
        self._refill_at = 0  # how few must be in flight before a claim that was full is repeated
        self.wake = threading.Event()

    def run_due(self) -> int:
        """Hand what is due now to the delivery, as much as it welcomes; return how many."""
        self._settle_again()
        now = self._clock.now()
        self._renew(now)
        next_wake = self.next_wake()
        if next_wake is None or next_wake > now:
            return 0
        for lost in self._store.give_back(now=now):
            _logger.warning("%s came back: its lease had lapsed; it is %s now", lost.id, lost.status)
        limit = self._delivery.free()
        if limit < 1:
            return 0
        claimed = self._store.claim_due(
            now=now, lease_until=now + self._lease, limit=limit, policies=self._policies
        )
        with self._mutex:
            self._held.update((execution.number, execution.attempt) for execution in claimed)
            in_flight = len(self._held)
            self._refill_at = in_flight // 2 if len(claimed) == limit else in_flight
        if claimed:
            self._failing = self._read_failing()
            self._delivery.submit(claimed, self._deliver_one)
        return len(claimed)

    def next_wake(self) -> datetime | None:
        """When `run_due` may next find something; None while only news can bring it something."""
        return self._store.next_wake(now=self._clock.now(), policies=self._policies)

    def in_flight(self) -> int:
        """How many executions are handed over and not done."""
        with self._mutex:
            return len(self._held)

    def has_room(self) -> bool:
        """Whether claiming now is worth a transaction; `wake` is set when this turns true."""
        with self._mutex:
            return len(self._held) <= self._refill_at

    def close(self) -> None:
        """Finish what runs. What was handed over and has not begun is left to its lease."""
        self._delivery.close()
        self._settle_again()

    def deliver(self, execution: Execution) -> None:
        """Run one claimed execution to its settled row, or give it back when its window is closed.

        Does nothing when the row was cancelled, converted or claimed again since; gives it back when its
        integration was paused. Source: contract 4.
        """
        now = self._clock.now()
        window, refusal = _window_of(execution)
        if window is not None and not window.contains(now):
            opening = window.next_inside(now)
            self._store.postpone(execution.number, execution.attempt, due_at=opening, now=now)
            return
        lease_until = now + self._lease
        if not self._store.start(execution.number, execution.attempt, now=now, lease_until=lease_until):
            self._store.postpone(execution.number, execution.attempt, due_at=execution.due_at, now=now)
            return
        outcome = refused(refusal, self._redact) if refusal else self._call(execution)
        self._conclude(execution, outcome, window)

    def call_now(self, execution: Execution, timeout_seconds: float = EXECUTE_TIMEOUT_SECONDS) -> Any:
        """Carry out an `execute` whose row is running already; return the integration's answer, a JSON value.

        Raises IntegrationTimeout, CallFailed, or the Refusal that kept the call from leaving (NotConfigured,
        BlockedAddress). A call that outlives its timeout is recorded as failed at once; what it still comes
        to is only logged, for its caller has been told. Source: contract 2, `execute`.
        """
        outcomes: list[Outcome] = []
        timed_out = threading.Event()

        def carry_out() -> None:
            outcomes.append(self._call(execution))
            if timed_out.is_set():
                late = outcomes[0].error or "it succeeded"
                _logger.warning("%s ended after its timeout: %s", execution.id, late)

        thread = threading.Thread(target=carry_out, name=f"execute {execution.id}", daemon=True)
        thread.start()
        thread.join(min(timeout_seconds, threading.TIMEOUT_MAX))
        if outcomes:
            outcome = outcomes[0]
        else:
            timed_out.set()
            error = (
                f"{execution.integration} did not answer within {timeout_seconds:g} s and may still act; "
                f"raise timeout above {timeout_seconds * 1000:.0f}, or schedule it with delay: 0"
            )
            outcome = Outcome(code=IntegrationTimeout.code, error=error)
        self._conclude(execution, outcome, None)
        if outcome.code is None:
            return outcome.answer
        if outcome.refusal is not None:
            raise outcome.refusal
        kind = IntegrationTimeout if outcome.code == IntegrationTimeout.code else CallFailed
        raise kind(outcome.error or outcome.code)

    def _call(self, execution: Execution) -> Outcome:
        return call(
            execution,
            clock=self._clock,
            integrations=self._integrations,
            http=self._http,
            redact=self._redact,
        )

    def _conclude(self, execution: Execution, outcome: Outcome, window: Window | None) -> None:
        settlement = self._judge(execution, outcome, window)
        try:
            # while its lease holds: an open breaker admits no second probe before it has heard of this
            self._observe(execution.integration, outcome)
        finally:
            self._settle(execution, settlement)

    def _judge(self, execution: Execution, outcome: Outcome, window: Window | None) -> Settlement:
        """Decide the state that follows an attempt."""
        again = (
            None
            if not outcome.may_pass
            else decide(
                may_pass=True,
                retry_after=outcome.retry_after,
                begun=self._begun(execution),
                retries=execution.retries,
                now=self._clock.now(),
                random=self._random.random(),
                window=window,
                backoff=self._integrations.get(execution.integration).backoff,
            )
        )
        return Settlement(
            status=_status_after(outcome, again),
            reason=outcome.code,
            due_at=again,
            http_status=outcome.http_status,
            error=outcome.error,
            answer=outcome.excerpt,
        )

    @staticmethod
    def _begun(execution: Execution) -> int:
        """The attempts begun, with this one: a claimed row was read before it began, an `execute` after."""
        return execution.begun + (execution.status is Status.PENDING)

    def _settle(self, execution: Execution, settlement: Settlement) -> None:
        try:
            settled = self._store.settle(
                execution.number, execution.attempt, settlement, now=self._clock.now()
            )
        except InternalError:
            # The store is away, and the call has happened: forgetting how it ended would repeat it.
            self._unsettled.append((execution, settlement))
            raise
        if settled is None:
            _logger.warning(
                "attempt %d of %s ended as %s, but the row had moved on; nothing was changed",
                execution.attempt,
                execution.id,
                settlement.status,
            )

    def _observe(self, integration: str, outcome: Outcome) -> None:
        """Let the circuit breaker know how an attempt went; what never left says nothing."""
        policy = self._policies.of(integration)
        failed = outcome.may_pass
        answered = outcome.code is None or outcome.http_status is not None
        if not policy.breaker_failures or not (failed or answered):
            return
        failing = self._read_failing() if self._failing is None else self._failing
        if not failed and integration not in failing:
            return  # the usual case costs nothing
        before, after = self._store.healths.change(
            integration,
            lambda health: health.after_attempt(policy, failed=failed, now=self._clock.now()),
        )
        self._failing = self._read_failing()
        if after.probe_at is not None and after.probe_at != before.probe_at:
            _logger.warning("%s", after.waits_because(policy, now=self._clock.now()))
        if before.opened_at is not None and after.opened_at is None:
            _logger.warning("the circuit breaker of %s is closed again: a call was answered", integration)

    def _read_failing(self) -> frozenset[str]:
        return frozenset(each.integration for each in self._store.healths.all().values() if each.failures)

    def _renew(self, now: datetime) -> None:
        """Keep what runs here from being given back, however long it takes and wherever the clock jumps."""
        with self._mutex:
            held = {*self._held, *((each.number, each.attempt) for each, _ in tuple(self._unsettled))}
        # before that interval: the clock was put back, and what began since has a lease by the new time
        if held and self._renew_at - self._lease / 2 <= now < self._renew_at:
            return
        if held:
            self._store.renew(held, lease_until=now + self._lease)
        self._renew_at = now + self._lease / 2

    def _settle_again(self) -> None:
        """Settle what the store could not take when it ended, and give back what it could not start."""
        while self._unstarted:
            each = self._unstarted[0]
            self._store.postpone(each.number, each.attempt, due_at=each.due_at, now=self._clock.now())
            self._unstarted.popleft()
        for _ in range(len(self._unsettled)):
            self._settle(*self._unsettled.popleft())

    def _deliver_one(self, execution: Execution) -> None:
        try:
            self.deliver(execution)
        except Exception:  # a thread of the delivery has nobody to tell
            _logger.exception("%s was interrupted; it is taken up again", execution.id)
            self._unstarted.append(execution)  # nothing happens to one that had started: its lease ends it
        finally:
            with self._mutex:
                self._held.discard((execution.number, execution.attempt))
                has_room = len(self._held) <= self._refill_at
            if has_room:
                self.wake.set()


def _window_of(execution: Execution) -> tuple[Window | None, Refusal | None]:
    if execution.window is None:
        return None, None
    try:
        return parse_window_text(execution.window, parse_zone(execution.zone)), None
    except Refusal as refusal:  # a zone that this machine does not know (any more): better never than outside
        return None, refusal


def _status_after(outcome: Outcome, again: datetime | None) -> Status:
    if outcome.code is None:
        return Status.SUCCEEDED
    return Status.FAILED if again is None else Status.PENDING
