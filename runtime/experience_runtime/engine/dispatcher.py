"""The dispatcher: due rows -> delivery -> integration call -> settled row. It never sleeps."""

import logging
import random as randomness
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from experience_runtime.clocks import monotonic
from experience_runtime.domain.admission import NO_POLICIES, Policies
from experience_runtime.domain.errors import CallFailed, IntegrationTimeout, InternalError, Refusal
from experience_runtime.domain.executions import LEASE_SECONDS, Execution, Settling, Status
from experience_runtime.domain.options import EXECUTE_TIMEOUT_SECONDS
from experience_runtime.domain.pace import HELD_TOO_LONG, Pace
from experience_runtime.engine.attempt import Isolation, Outcome, call, refused, timeout_of
from experience_runtime.engine.attempt_lines import tell_ended, tell_given_back, tell_span
from experience_runtime.engine.hearing import Hearing
from experience_runtime.engine.judging import (
    Ended,
    Judge,
    answer_again,
    closed,
    opening_of,
    too_long_held,
    window_of,
    withdrawn,
)
from experience_runtime.engine.ports import Clock, Delivery, Integrations, Relay
from experience_runtime.engine.stores import DispatcherStore
from experience_runtime.integration import Http
from experience_runtime.tracing import tracing
from experience_runtime.untrusted import Redact

Attempted = Callable[[Execution, str, datetime, datetime], None]
"""Hears of each attempt that was settled: the execution as it was claimed, its outcome, start and end."""

_ISOLATED_SECONDS = 45.0  # to start a process, and to end one, beside the time of its call
_MOST_AT_ONCE = 256  # of what is claimed for all workers, in one transaction

_logger = logging.getLogger(__name__)


class Dispatcher:
    """The one way out. `wake` is set when an attempt has ended. One thread runs what is due.

    What is claimed is delivered here; or, with a relay, by whichever process the relay takes it to. The rules
    of a delivery are the same.
    """

    def __init__(
        self,
        *,
        store: DispatcherStore,
        clock: Clock,
        integrations: Integrations,
        http: Http,
        delivery: Delivery,
        random: randomness.Random | None = None,
        redact: Redact = str,
        policies: Policies = NO_POLICIES,
        lease_seconds: int = LEASE_SECONDS,
        relay: Relay | None = None,
        attempted: Attempted = lambda *_: None,
        isolation: Isolation | None = None,
    ) -> None:
        """`isolation` calls those whose policy says so."""
        self._policies = policies
        self._relay = relay
        self._attempted = attempted
        self._isolation = isolation
        self._store = store
        self._clock = clock
        self._integrations = integrations
        self._http = http
        self._delivery = delivery
        self._judge = Judge(
            clock=clock, integrations=integrations, random=random or randomness.SystemRandom()
        )
        self._hearing = Hearing(store=store, clock=clock)
        self._redact = redact
        self._lease = timedelta(seconds=lease_seconds)
        self._ended: deque[Ended] = deque()  # filled by the delivery's threads
        self._calls: dict[tuple[int, int], _Call] = {}  # those that run, each ended by whoever takes it out
        self._unstarted: list[tuple[int, int, datetime]] = []  # (number, attempt, due_at) to be given back
        self._held: dict[tuple[int, int], float] = {}  # when each started, monotonic, until it is settled
        self._renew_at = clock.now()
        self._seen: tuple[datetime | None] | None = None  # the `next_wake` of a `run_due` that found nothing
        self.wake = threading.Event()

    def run_due(
        self, *, policies: Policies | None = None, claims: bool = True, ahead_until: datetime | None = None
    ) -> int:
        """Settle what has ended, and start what is due, as much as the delivery welcomes; return how much.

        `policies` are those of this moment where they change, as those of one worker of several do; else its
        own. Without `claims`, nothing is started. `ahead_until` is for an inline delivery on a clock that it
        moves to the instant of each itself, when no call can hold another back: all that is due by then
        starts.

        Everything that is stored for deliveries is stored here, in batches: their threads only call.
        """
        self._seen = None
        self._settle_ended()
        now = self._clock.now()
        self._renew(now)
        if not claims:
            return 0
        taken = self._take_arrived()
        if ahead_until is None:
            next_wake = self.next_wake(policies)
            if next_wake is None or next_wake > now:
                self._seen = (next_wake,)
                return taken
        for lost in self._store.give_back(now=now, retry_at=self._judge.lost_until):
            tell_given_back(lost, "came back, for its lease had lapsed")
        limit = self._delivery.free() if self._relay is None else _MOST_AT_ONCE
        if limit < 1:
            return taken
        claimed = self._store.claim_due(
            now=now,
            lease_until=(ahead_until or now) + self._lease,
            limit=limit,
            policies=self._learned(policies),
            hand_over=None if self._relay is None else self._relay.hand_over,
            ahead_until=ahead_until,
        )
        if claimed and self._relay is None:
            self._deliver(claimed, ahead=ahead_until is not None)
        return taken + len(claimed)

    def give_everything_back(self) -> Sequence[Execution]:
        """Return what an earlier worker has left behind to the waiting room."""
        return self._store.give_back(now=self._clock.now(), everything=True, retry_at=self._judge.lost_until)

    def open(self) -> None:
        """Take from now on what others claimed for this process."""
        if self._relay is not None:
            self._relay.start(self.wake)

    def next_wake(self, policies: Policies | None = None) -> datetime | None:
        """When `run_due` may next find something; None while only news can bring it something."""
        return self._store.next_wake(now=self._clock.now(), policies=self._learned(policies))

    def wakes_at(self, policies: Policies | None = None) -> datetime | None:
        """`next_wake`, as the last `run_due` has seen it where it found nothing; so that it is asked once."""
        return self.next_wake(policies) if self._seen is None else self._seen[0]

    def _learned(self, policies: Policies | None = None) -> Policies:
        """With what is known of the receivers: the paces they begin with, and whom to trust."""
        return replace(policies or self._policies, starts_at=self._pace_of, trusted=self._hearing.trusted)

    def _pace_of(self, integration: str) -> Pace | None:
        try:
            return self._integrations.get(integration).pace
        except Refusal:  # one that is gone: its executions fail for that
            return None

    def in_flight(self, policies: Policies | None = None) -> int:
        """How many executions are started and not settled; with a relay, those on their way too."""
        held = len(self._held)
        return held if self._relay is None else max(held, self._store.in_flight(policies or self._policies))

    def has_room(self) -> bool:
        """Whether more can be claimed now; `wake` is set when something ends."""
        return self._relay is not None or self._delivery.free() > 0

    def close(self) -> None:
        """Finish what runs, and give back what has come and not begun."""
        if self._relay is not None and (left := self._relay.close()):
            self._store.unclaim_all(left)
        self._delivery.close()
        self._settle_ended()

    def deliver(self, execution: Execution) -> None:
        """Run one claimed execution to its settled row, or give it back when its window is closed.

        Does nothing when the row was cancelled, converted or claimed again since; gives it back when its
        integration was paused. Source: reference/executions#pausing.
        """
        for started in self._start([execution]):
            self._carry_out(started)
        self._settle_ended()

    def _take_arrived(self) -> int:
        room = 0 if self._relay is None else self._delivery.free()
        arrived = self._relay.arrived(room) if self._relay is not None and room > 0 else ()
        # What ran already, was cancelled, or came back meanwhile is not among them any more.
        if arrived and (claimed := self._store.claimed(arrived)):
            self._deliver(claimed)
        return len(arrived)

    def _deliver(self, claimed: Sequence[Execution], *, ahead: bool = False) -> None:
        self._hearing.refresh()
        self._delivery.submit(self._start(claimed, ahead=ahead), self._carry_out)
        self._settle_ended()  # what an inline delivery has done already, and what could not be started

    def _start(self, claimed: Sequence[Execution], *, ahead: bool = False) -> list[Execution]:
        """Start what may run at this instant (`ahead`: at its own), and give the rest back."""
        now, since = self._clock.now(), monotonic()
        at = {(each.number, each.attempt): max(now, each.due_at) if ahead else now for each in claimed}
        ready: dict[tuple[int, int], Execution] = {}
        for each in claimed:
            opening = opening_of(each, at[each.number, each.attempt])
            if opening is None:
                ready[each.number, each.attempt] = each
            self._unstarted.append((each.number, each.attempt, opening or each.due_at))
        lease_until = max(at.values(), default=now) + self._lease
        started = self._store.start_all(ready, now=now, lease_until=lease_until, at=at if ahead else None)
        self._held.update(dict.fromkeys(started, since))
        self._unstarted = [back for back in self._unstarted if back[:2] not in started]
        began_at = self._clock.now()  # a busy store may have kept it waiting beyond the end of a window
        running = []
        for key, execution in ready.items():
            if key not in started:
                continue
            if (opening := opening_of(execution, max(began_at, at[key]) if ahead else began_at)) is None:
                running.append(execution)
            else:
                self._ended.append(closed(execution, opening, began_at))
        return running

    def _carry_out(self, execution: Execution) -> None:
        """Call the integration, and leave the ending to be settled. Never raises."""
        began_at = self._clock.now()
        try:
            window, refusal = window_of(execution)
            refusal = refusal or too_long_held(execution, HELD_TOO_LONG, began_at)
            if refusal is None and window is not None and not window.contains(began_at):
                # it has waited for a thread, or the machine has slept
                self._end(closed(execution, window.next_inside(began_at), began_at))
                return
            key = (execution.number, execution.attempt)
            if refusal is None and self._hearing.was_refused(execution, since=self._held[key]):
                self._end(withdrawn(execution, began_at))
                return
            seconds = timeout_of(self._integrations, execution.integration)
            room = _ISOLATED_SECONDS if self._is_isolated(execution.integration) else 0.0
            self._calls[key] = _Call(execution, began_at, monotonic() + seconds + room)
            outcome = refused(refusal, self._redact) if refusal else self._call(execution, seconds)
            if self._calls.pop(key, None) is None:
                said = outcome.error or "it succeeded"
                _logger.warning(
                    "%s of %s ended after its deadline: %s", execution.id, execution.integration, said
                )
                return
            if outcome.asks_to_wait:
                self._hearing.refused(execution)
            settlement = self._judge.after(execution, outcome, window)
            self._end(Ended(execution, outcome, settlement, began_at, self._clock.now()))
        except Exception:  # a thread of the delivery has nobody to tell
            self._calls.pop((execution.number, execution.attempt), None)
            self._held.pop((execution.number, execution.attempt), None)
            _logger.exception("%s was interrupted; its lease brings it back", execution.id)
            self.wake.set()

    def _end(self, ended: Ended) -> None:
        self._ended.append(ended)
        self.wake.set()

    def _end_overdue(self) -> None:
        """Settle the calls that run past their deadline, and give their slots back."""
        now = monotonic()
        for key, running in list(self._calls.items()):
            if running.ends_at > now or self._calls.pop(key, None) is None:
                continue
            execution = running.execution
            self._delivery.abandon(execution)
            seconds = timeout_of(self._integrations, execution.integration)
            error = (
                f"{execution.integration} did not end within {seconds:g} s, its timeout, and may still act"
            )
            about = {"execution": execution.id, "integration": execution.integration}
            stuck = len(self._delivery.stuck())
            _logger.error("%s: %s; %d such calls are stuck", execution.id, error, stuck, extra=about)
            outcome = Outcome(code=IntegrationTimeout.code, error=error, may_pass=True)
            window, _ = window_of(execution)
            settlement = self._judge.after(execution, outcome, window)
            self._ended.append(Ended(execution, outcome, settlement, running.began_at, self._clock.now()))

    def stuck(self) -> Sequence[Execution]:
        """The calls of this process that were given up and have not ended."""
        return self._delivery.stuck()

    def call_now(self, execution: Execution, timeout_seconds: float = EXECUTE_TIMEOUT_SECONDS) -> Any:
        """Carry out an `execute` whose row is running already; return the integration's answer, a JSON value.

        Raises IntegrationTimeout, CallFailed, or the Refusal that kept the call from leaving (NotConfigured,
        BlockedAddress). A call that outlives its timeout is recorded as failed at once; what it still comes
        to is only logged, for its caller has been told. Source: reference/schedule-options#execute.
        """
        if execution.status is not Status.RUNNING:  # by the first try of a request that was interrupted
            return answer_again(execution, self._store.attempts(execution.number))
        outcomes: list[Outcome] = []
        timed_out = threading.Event()

        def carry_out() -> None:
            outcomes.append(self._call(execution, timeout_seconds))
            if timed_out.is_set():
                late = outcomes[0].error or "it succeeded"
                _logger.warning("%s ended after its timeout: %s", execution.id, late)

        thread = threading.Thread(target=carry_out, name=f"execute {execution.id}", daemon=True)
        thread.start()
        room = _ISOLATED_SECONDS if self._is_isolated(execution.integration) else 0.0
        thread.join(min(timeout_seconds + room, threading.TIMEOUT_MAX))
        if outcomes:
            outcome = outcomes[0]
        else:
            timed_out.set()
            error = (
                f"{execution.integration} did not answer within {timeout_seconds:g} s and may still act; "
                f"raise timeout above {timeout_seconds * 1000:.0f}, or schedule it with delay: 0"
            )
            outcome = Outcome(code=IntegrationTimeout.code, error=error)
        settlement = self._judge.after(execution, outcome, None)
        ended = Ended(execution, outcome, settlement, execution.created_at, self._clock.now())
        try:
            self._hearing.hear([ended], self._learned())
            self._settle([ended])
        except InternalError as error:  # who hears that nothing was stored asks for it once more
            _logger.error("%s ended, which is written down later: %s", execution.id, error)
            self._ended.append(ended)
            self.wake.set()
        if outcome.code is None:
            return outcome.answer
        if outcome.refusal is not None:
            raise outcome.refusal
        kind = IntegrationTimeout if outcome.code == IntegrationTimeout.code else CallFailed
        raise kind(outcome.error or outcome.code)

    def _is_isolated(self, integration: str) -> bool:
        return self._isolation is not None and self._policies.of(integration).isolate

    def _call(self, execution: Execution, seconds: float) -> Outcome:
        with tracing().attempt(execution.id) as span:
            if self._isolation is not None and self._is_isolated(execution.integration):
                outcome = self._isolation.call(execution, seconds=seconds)
            else:
                at, known = self._clock, self._integrations
                outcome = call(execution, clock=at, integrations=known, http=self._http, redact=self._redact)
            tell_span(span, execution, outcome)
            return outcome

    def _settle_ended(self) -> None:
        """Settle what has ended, and give back what could not be started, all that there is at once."""
        self._end_overdue()
        unstarted, self._unstarted = self._unstarted, []
        ended = [self._ended.popleft() for _ in range(len(self._ended))]
        try:
            if unstarted:
                self._store.postpone_all(unstarted)
                unstarted = []
            if ended:
                # while its lease holds: an open breaker admits no second probe before it has heard of this
                self._hearing.hear(ended, self._learned())
                self._settle(ended)
        except InternalError:
            # The store is away, and the calls have happened: forgetting how they ended would repeat them.
            self._unstarted.extend(unstarted)
            self._ended.extendleft(reversed(ended))
            raise
        for each in ended:
            self._held.pop((each.execution.number, each.execution.attempt), None)

    def _settle(self, ended: Sequence[Ended]) -> None:
        settled = self._store.settle_all(
            [
                Settling(each.execution.number, each.execution.attempt, each.settlement, each.ended_at)
                for each in ended
            ]
        )
        for each, row in zip(ended, settled, strict=True):
            self._attempted(each.execution, each.settlement.outcome, each.began_at, each.ended_at)
            tell_ended(each, row)

    def _renew(self, now: datetime) -> None:
        """Keep what runs here from being given back, however long it takes and wherever the clock jumps."""
        held = self._held.copy()
        # before that interval: the clock was put back, and what began since has a lease by the new time
        if held and self._renew_at - self._lease / 2 <= now < self._renew_at:
            return
        if held:
            self._store.renew(held, lease_until=now + self._lease)
        self._renew_at = now + self._lease / 2


@dataclass(frozen=True, slots=True)
class _Call:
    """A call that runs; `ends_at` is its deadline, monotonic."""

    execution: Execution
    began_at: datetime
    ends_at: float
