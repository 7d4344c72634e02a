"""The worker: the only loop, and the only wait."""

import logging
import threading
from datetime import datetime, timedelta
from typing import Protocol

from experience_runtime.domain.admission import Policies
from experience_runtime.domain.audit import Actor
from experience_runtime.domain.errors import DatabaseUnavailable
from experience_runtime.engine.attempt_lines import tell_given_back
from experience_runtime.engine.auditing import acting
from experience_runtime.engine.dispatcher import Dispatcher
from experience_runtime.engine.fleet import Fleet
from experience_runtime.engine.noticing import Noticing
from experience_runtime.engine.planning_again import PlanningAgain
from experience_runtime.engine.ports import Clock
from experience_runtime.engine.pruning import Pruner
from experience_runtime.engine.recurring import Recurring
from experience_runtime.engine.stores import DispatcherStore

POLL_SECONDS = 0.2
"""How soon work that another process stored is seen."""

LONGEST_BACKOFF_SECONDS = 10.0

_logger = logging.getLogger(__name__)


class Lock(Protocol):
    """Admits one delivering process; `store.lock.FileLock` on SQLite."""

    def try_take(self) -> bool: ...

    def holder(self) -> int | None: ...

    def release(self) -> None: ...


class Worker:
    """Runs due executions until it is told to stop. `lock` is None where the store admits many workers."""

    def __init__(
        self,
        dispatcher: Dispatcher,
        store: DispatcherStore,
        clock: Clock,
        *,
        recurring: Recurring | None = None,
        lock: Lock | None = None,
        fleet: Fleet | None = None,
        pruner: Pruner | None = None,
        poll_seconds: float = POLL_SECONDS,
    ) -> None:
        self._dispatcher = dispatcher
        self._store = store
        self._planning_again = PlanningAgain(store, clock)
        self._noticing = Noticing(store, clock)
        self._clock = clock
        self._recurring = recurring
        self._lock = lock
        self._fleet = fleet
        self._pruner = pruner
        self._poll_seconds = poll_seconds

    def run(self, stop: threading.Event, *, until_idle: bool = False) -> None:
        """Deliver until `stop` is set; what runs then is finished before this returns.

        With `until_idle`, return as soon as nothing is due and nothing runs; later executions are not waited
        for. Waits while another process holds the lock. A worker runs once.
        """
        if not self._take_lock(stop):
            return
        try:
            self._dispatcher.open()
            with acting(Actor("worker")):
                self._loop(stop, until_idle=until_idle)
        finally:
            self._close()

    def _loop(self, stop: threading.Event, *, until_idle: bool) -> None:
        failures = 0
        policies: Policies | None = None  # the dispatcher's own, where there is no fleet
        given_back = self._lock is None
        wake = self._dispatcher.wake
        while not stop.is_set():
            wake.clear()
            now = self._clock.now()
            try:
                if self._fleet is not None:
                    policies = self._fleet.report()
                self._noticing.step()
                if not given_back:
                    self._give_everything_back()
                    given_back = True
                may_deliver = self._fleet is None or self._fleet.may_deliver
                if may_deliver:
                    self._planning_again.step()
                fired = self._fire_due() if may_deliver else 0
                delivered = self._dispatcher.run_due(policies=policies, claims=may_deliver)
                if may_deliver and self._pruner is not None:
                    self._pruner.step()
                if until_idle and not fired and not delivered and self._is_idle(policies):
                    return
                # With no room, only a delivery that ends is news; what was found is seldom all there is.
                may_claim = may_deliver and self._dispatcher.has_room()
                until = None if not may_claim else now if delivered else self._next_wake(policies)
            except Exception as error:  # the store may be back in a moment
                failures += 1
                seconds = min(self._poll_seconds * 2 ** min(failures, 10), LONGEST_BACKOFF_SECONDS)
                if not isinstance(error, DatabaseUnavailable):
                    _logger.exception("the worker could not reach its store; trying again in %.1f s", seconds)
                elif failures == 1:
                    _logger.error("the worker waits for its store: %s", error.message)
                self._clock.wait(self._clock.now() + timedelta(seconds=seconds), stop, at_most=seconds)
                continue
            if failures:
                _logger.warning("the worker has its store again")
            failures = 0
            self._clock.wait(until, wake, at_most=self._poll_seconds)

    def _is_idle(self, policies: Policies | None) -> bool:
        if self._dispatcher.in_flight(policies):
            return False
        now = self._clock.now()
        fires_at = None if self._recurring is None else self._recurring.next_at()
        # of the policies only whose it is: what is due and waits for its rate is waited for
        meant = Policies() if policies is None else Policies(only=policies.only, broken=policies.broken)
        instants = (self._store.next_wake(now=now, policies=meant), fires_at)
        return all(at is None or at > now for at in instants)

    def _fire_due(self) -> int:
        try:
            return 0 if self._recurring is None else self._recurring.fire_due()
        except DatabaseUnavailable:
            raise
        except Exception:  # a schedule that cannot be read holds up no delivery
            _logger.exception("schedules could not be read; deliveries go on")
            return 0

    def _next_wake(self, policies: Policies | None) -> datetime | None:
        fires_at = None if self._recurring is None else self._recurring.fires_at()
        instants = (self._dispatcher.wakes_at(policies), fires_at)
        return min((at for at in instants if at is not None), default=None)

    def _give_everything_back(self) -> None:
        for execution in self._dispatcher.give_everything_back():
            tell_given_back(execution, "was left behind by an earlier worker")

    def _take_lock(self, stop: threading.Event) -> bool:
        """Take the lock, if there is one; False when `stop` came first."""
        said = False
        while self._lock is not None and not self._lock.try_take():
            if stop.is_set():
                return False
            if not said:
                _logger.warning(
                    "another worker (process %s) delivers from this store; waiting for it to end",
                    self._lock.holder() or "of another user",
                )
                said = True
            self._clock.wait(None, stop, at_most=self._poll_seconds)
        return True

    def _close(self) -> None:
        try:
            self._dispatcher.close()
            if self._fleet is not None:
                self._fleet.leave()
        except Exception:  # what was not settled comes back when its lease lapses
            _logger.exception("the worker ended while its store could not be reached")
        finally:
            if self._lock is not None:
                self._lock.release()
