"""A workload: every verb of the runtime, again and again, on one store and a clock that stands still."""

import itertools
import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from typing import Any

from experience_runtime.clocks import monotonic
from experience_runtime.domain.errors import InternalError
from experience_runtime.domain.executions import LEASE_SECONDS, Filter, Status
from experience_runtime.domain.visitors import Visitor
from experience_runtime.engine.stores import Store
from experience_runtime.integration import Context, IntegrationFailed

from tests.engine.conftest import World

BIG = "x" * 3000  # some rows take a page of their own


class Work:
    """A world whose integration is told by the payload how to answer. `calls` counts by execution id."""

    def __init__(self, store: Store, calls: Counter[str] | None = None) -> None:
        self.calls: Counter[str] = Counter() if calls is None else calls
        self.world = World(store)
        self.world.integrations.put("slack-update", self._answer)
        self.refused = 0

    def steps(self) -> Iterator[Callable[[], Any]]:
        """One verb after the other, without end."""
        world = self.world
        for number in itertools.count():
            visitor = f"visitor {number % 7}"
            schedule = partial(world.schedule, visitor=visitor)
            yield partial(schedule, key="replaced", payload=BIG, delay="1 day")
            yield partial(schedule, key="replaced", payload="succeeds")
            yield partial(
                world.store.remember_visitor,
                Visitor(id=visitor, timezone_offset=number),
                now=world.clock.now(),
            )
            yield partial(schedule, key="converted", delay="1 hour", cancelOnConversion=True)
            yield partial(world.scheduler.convert, visitor, event="bought")
            yield partial(schedule, key="cancelled", delay="1 hour")
            yield partial(
                world.scheduler.cancel,
                "slack-update",
                {"key": "cancelled", "reason": "no longer"},
                visitor=Visitor(id=visitor),
            )
            yield partial(schedule, payload="passes")
            yield partial(schedule, payload="stays")
            yield world.run_all
            yield partial(schedule, payload="succeeds")
            yield self._claim_and_forget
            yield self._execute
            yield partial(world.advance, seconds=LEASE_SECONDS + 1)
            yield world.run_all
            yield self._replay_a_failed_one

    def step(self, act: Callable[[], Any]) -> None:
        """Run one verb; a refusal by the storage is counted, anything else is raised."""
        try:
            act()
        except InternalError:
            self.refused += 1

    def end(self) -> None:
        """Deliver until nothing waits: as a worker that starts after a crash and has all the time."""
        world = self.world
        world.store.give_back(now=world.clock.now(), everything=True)
        for _ in range(100):
            world.run_all()
            if (wakes_at := world.dispatcher.next_wake()) is None:
                return
            world.clock.advance_to(wakes_at)
        raise AssertionError("something waits for ever")

    def _answer(self, payload: Any, context: Context[Any]) -> Any:
        self.calls[context.execution_id] += 1
        if payload == "stays" or (payload == "passes" and context.attempt == 1):
            raise IntegrationFailed("the other side is down", may_pass=payload == "passes", status=503)
        return {"ok": True}

    def _claim_and_forget(self) -> None:
        now = self.world.clock.now()
        self.world.store.claim_due(now=now, lease_until=now + timedelta(seconds=LEASE_SECONDS), limit=1)

    def _execute(self) -> None:
        execution = self.world.scheduler.begin_execute(
            "slack-update", "succeeds", key=None, visitor=None, experience=None
        )
        self.world.dispatcher.call_now(execution)

    def _replay_a_failed_one(self) -> None:
        failed = self.world.store.find(Filter(statuses=[Status.FAILED]), limit=1).executions
        for execution in failed:
            self.world.scheduler.replay(execution.id)


def assert_ended_well(store: Store, calls: Counter[str]) -> None:
    """Every execution ended, and was called as often as its history says; a lost attempt may have called."""
    page = store.find(Filter(), limit=100_000)
    for execution in page.executions:
        attempts = store.attempts(execution.number)
        lost = sum(attempt.outcome == "lost" for attempt in attempts)
        assert execution.status in (Status.SUCCEEDED, Status.FAILED, Status.CANCELLED), execution
        assert len(attempts) - lost <= calls[execution.id] <= len(attempts), (execution, attempts, calls)
        assert execution.status is Status.SUCCEEDED or execution.reason, execution
    assert not set(calls) - {execution.id for execution in page.executions}


def until(is_so: Callable[[], bool], *, seconds: float = 120) -> None:
    """Look again and again; AssertionError when it does not come true."""
    waiting, ends_at = threading.Event(), monotonic() + seconds
    while not is_so():
        assert monotonic() < ends_at, "it never came true"
        waiting.wait(0.005)


def random_of(*seed: object) -> random.Random:
    """A source that gives the same for the same words."""
    return random.Random(repr(seed))
