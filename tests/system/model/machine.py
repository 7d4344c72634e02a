"""A state machine does what people, visitors, integrations and crashes do; the model says what follows."""

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from experience_runtime.clocks import VirtualClock
from experience_runtime.domain.errors import AlreadyScheduled, Conflict
from experience_runtime.domain.executions import Filter, Status
from experience_runtime.domain.instants import to_ms
from experience_runtime.integration import Context, IntegrationFailed
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from tests.engine.conftest import DictIntegrations

from .asked import ASKED, Asked, again
from .model import DAY, HOUR, LEASE, MINUTE, SECOND, Model, Row, backoff, opening
from .parts import (
    MONDAY,
    Died,
    Jitter,
    OpenStore,
    Process,
    assert_same_past,
    seen,
    since_monday,
)
from .steps import (
    BOTH,
    ENDINGS,
    INTEGRATIONS,
    KNOWN,
    MEANWHILE,
    PICKS,
    RETRIES,
    VISITORS,
    a_step,
    step,
)


class Machine(RuleBasedStateMachine):
    """The runtime on the left hand, the model on the right; every rule does one thing to both."""

    def __init__(self, open_store: OpenStore) -> None:
        super().__init__()
        self.open_store = open_store
        self.folder = Path(tempfile.mkdtemp(prefix="model-"))
        self.model = Model()
        self.clock = VirtualClock(MONDAY)
        self.integrations = DictIntegrations()
        for name, retries in RETRIES.items():
            self.integrations.put(name, self.receive, retries=retries)
        self.jitter = Jitter(1)
        self.received: list[tuple[str, int, int]] = []
        self.during: Callable[[], Any] = lambda: None
        self.rows: dict[int, Row] = {}
        self.compared: dict[int, Row] = {}
        self.broken: AssertionError | None = None
        self.process = Process(self.open_store(self.folder), self.clock, self.integrations, self.jitter)

    # --- the world around

    @property
    def now(self) -> int:
        return to_ms(self.clock.now()) - to_ms(MONDAY)

    def advance(self, milliseconds: int) -> None:
        self.clock.advance_to(self.clock.now() + timedelta(milliseconds=milliseconds))

    def receive(self, _: Any, context: Context[Any]) -> Any:
        """The integration: what it saw is the truth about what was delivered."""
        row = self.model.rows[context.execution_id]
        try:
            assert row.state == "running", f"{row.id} was called, and it is {row.state}"
            assert opening(row.window, self.now) == self.now, f"{row.id} was called outside its window"
            assert row.integration not in self.model.paused, f"{row.id} was called while paused"
            self.received.append((context.execution_id, context.attempt, self.now))
            return self.during()
        except AssertionError as broken:
            self.broken = broken  # the dispatcher takes it for a failure of the integration
            raise

    def pick(self, pick: int, state: str | None = None) -> Row:
        rows = [row for row in self.model.rows.values() if state in (None, row.state)]
        rows = rows or list(self.model.rows.values())
        return rows[pick % len(rows)]

    # --- schedule and cancel

    @step(weight=9, **ASKED)
    def schedule(self, **chosen: Any) -> None:
        asked = Asked(**chosen)
        twin = self.model.pending_under(asked.key)
        options = asked.options(self.clock.now())

        try:
            done = self.process.scheduler.schedule(asked.integration, 1, options, visitor=asked.who)
        except AlreadyScheduled:
            assert twin is not None
            assert asked.if_exists == "reject"
            return

        assert twin is None or asked.if_exists != "reject"
        if twin is not None and asked.if_exists == "keep":
            assert (done.execution.id, done.is_new) == (twin.id, False)
            return
        assert done.is_new
        assert done.execution.id not in self.model.rows
        assert done.replaced == (twin.id if twin else None)
        self.rows[done.execution.number] = asked.row(done.execution.id, self.now)
        self.model.add(self.rows[done.execution.number])

    @step(weight=2, **{**ASKED, "name": ["a", "b"]})
    def cancel_key(self, **chosen: Any) -> None:
        asked = Asked(**chosen)
        options = {"key": {"k": asked.name}, "scope": asked.scope, "reason": "changed my mind"}

        done = self.process.scheduler.cancel(asked.integration, options, visitor=asked.who)

        twin = self.model.pending_under(asked.key)
        assert [*done.ids] == self.model.cancel([twin] if twin else [], "changed my mind")
        others = [row.key for row in self.model.pending() if row.key and row.key != asked.key]
        elsewhere = any(other[:2] == (asked.integration, asked.name) for other in others)
        assert done.elsewhere == (elsewhere and not done.ids)

    @step(pick=PICKS, state=["pending", None])
    def cancel_id(self, pick: int, state: str | None) -> None:
        if not self.model.rows:
            return
        row = self.pick(pick, state)
        expected = self.model.cancel([row], None)

        try:
            self.process.scheduler.cancel_execution(row.id, reason=None)
        except Conflict:
            assert not expected
        else:
            assert expected

    @step(integration=INTEGRATIONS, visitor=VISITORS)
    def cancel_matching(self, integration: str | None, visitor: str | None) -> None:
        rows = self.matching(integration, visitor)

        meant = Filter(integration=integration, visitor=visitor)
        ids = self.process.operations.cancel_matching(meant, reason="all of them")

        assert sorted(ids) == self.model.cancel(rows, "all of them")

    @step(weight=2, visitor=KNOWN)
    def convert(self, visitor: str) -> None:
        ids = self.process.scheduler.convert(visitor, event="bought")

        assert ids == self.model.convert(visitor, self.now)

    # --- replay

    @step(weight=2, pick=PICKS, state=["failed", "failed", "succeeded", None])
    def replay(self, pick: int, state: str | None) -> None:
        if not self.model.rows:
            return
        row = self.pick(pick, state)
        expected = self.model.replay(row, self.now)

        try:
            self.process.scheduler.replay(row.id)
        except (Conflict, AlreadyScheduled):
            assert not expected
        else:
            assert expected

    @step(
        integration=[None, *INTEGRATIONS],
        states=[("failed",), ("succeeded",), ("failed", "succeeded")],
    )
    def replay_matching(self, integration: str | None, states: tuple[str, ...]) -> None:
        newest_first = sorted(self.matching(integration, None), key=lambda row: row.id, reverse=True)
        meant = [row for row in newest_first if row.state in states]

        ids = self.process.operations.replay_matching(
            Filter(integration=integration, statuses=[Status(state) for state in states])
        )

        assert ids == [row.id for row in meant if self.model.replay(row, self.now)]

    def matching(self, integration: str | None, visitor: str | None) -> list[Row]:
        rows = self.model.rows.values()
        return [
            row for row in rows if integration in (None, row.integration) and visitor in (None, row.visitor)
        ]

    # --- time, pauses, crashes

    @step(weight=2, step=[1, SECOND, MINUTE, LEASE // 2, LEASE, 7 * HOUR, DAY, 5 * DAY])
    def time_passes(self, step: int) -> None:
        self.advance(step)

    @step(past=[0, 1])
    def time_passes_until_something_is_due(self, past: int) -> None:
        wake = self.model.next_wake()
        if wake is not None and wake > self.now:
            self.advance(wake - self.now + past)

    @step(integration=INTEGRATIONS)
    def pause(self, integration: str) -> None:
        is_new = integration not in self.model.paused
        self.model.paused.add(integration)

        try:
            self.process.operations.pause(integration)
        except Conflict:
            assert not is_new
        else:
            assert is_new

    @step(weight=3)
    def resume(self) -> None:
        if not self.model.paused:
            return
        integration = min(self.model.paused)
        self.model.paused.remove(integration)

        self.process.operations.resume(integration)

    @step(at_once=BOTH)
    def crash(self, at_once: bool) -> None:
        """A worker gives everything back when it begins; until one does, leases lapse."""
        self.process.store.close()
        self.process = Process(self.open_store(self.folder), self.clock, self.integrations, self.jitter)
        if at_once:
            self.process.store.give_back(now=self.clock.now(), everything=True)
            self.model.give_back(self.now, everything=True)

    @step(weight=2, lapses=BOTH)
    def the_worker_stalls_and_another_takes_over(self, lapses: bool) -> None:
        self.process.start_dispatcher()
        if lapses:
            self.advance(LEASE)
            self.claim(3)

    # --- deliver

    @step(weight=3, room=[1, 2, 3])
    def claim(self, room: int) -> None:
        claimed_now = self.process.claim(room)

        wake = self.model.next_wake()
        if wake is not None and wake <= self.now:
            self.model.give_back(self.now)
        ready = [row for row in self.model.waiting() if row.due <= self.now]
        claimed = [self.model.rows[execution.id] for execution in claimed_now]
        assert len(claimed) == min(room, len(ready))
        assert {row.id for row in claimed} <= {row.id for row in ready}
        for integration in {row.integration for row in claimed}:  # of several, the least busy is first
            of_it = [row.due for row in claimed if row.integration == integration]
            passed_over = [row.due for row in ready if row not in claimed and row.integration == integration]
            assert max(of_it) <= min(passed_over, default=self.now)
        for row in claimed:
            self.model.claim(row, self.now)

    @step(weight=9, room=[1, 2, 3], before=MEANWHILE, **ENDINGS)
    def the_next_is_delivered(self, room: int, before: str | None, pick: int, **ending: Any) -> None:
        """Most chains of rules would never come to a delivery, did not one rule do the whole way."""
        self.time_passes_until_something_is_due(0)
        self.claim(room)
        if held := self.process.waiting:
            self.happens_meanwhile(before, self.model.rows[held[pick % len(held)].id])
            self.deliver(pick, **ending)

    @step(weight=4, **ENDINGS)
    def deliver(
        self, pick: int, outcome: str, retry_after: int | None, jitter: float, meanwhile: str | None
    ) -> None:
        held = self.process.waiting + self.process.left_alone
        if not held:
            return
        execution = held[pick % len(held)]
        for kept in (self.process.waiting, self.process.left_alone):
            kept[:] = [each for each in kept if each is not execution]
        row, token = self.model.rows[execution.id], execution.attempt
        expected = len(self.received) + self.model.begin(row, token, self.now)
        self.jitter.next_one = jitter

        def during() -> str:
            self.happens_meanwhile(meanwhile, row)
            if outcome == "died":
                raise Died
            if outcome == "succeeded":
                return "done"
            raise IntegrationFailed("no", may_pass=outcome == "may pass", status=500, retry_after=retry_after)

        self.during = during
        try:
            self.process.dispatcher.deliver(execution)
        except Died:
            self.raise_broken()
            assert len(self.received) == expected
            self.crash(at_once=bool(pick % 2))
            return

        self.raise_broken()
        assert len(self.received) == expected
        wait = backoff(max(row.begun, 1), jitter, retry_after)
        self.model.end(row, token, outcome, opening(row.window, self.now + wait))

    def raise_broken(self) -> None:
        if self.broken is not None:
            raise self.broken

    def happens_meanwhile(self, what: str | None, row: Row) -> None:
        if what == "convert" and row.visitor is not None:
            self.convert(row.visitor)
        elif what == "schedule":
            self.schedule(**again(row))
        elif what == "cancel":
            self.cancel_id(list(self.model.rows).index(row.id), None)
        elif what == "pause":
            self.pause(row.integration)
        elif what == "lapse":
            self.advance(LEASE)
            self.process.store.give_back(now=self.clock.now())
            self.model.give_back(self.now)

    @rule(step=st.deferred(a_step))
    def do(self, step: tuple[str, dict[str, Any]]) -> None:
        """One rule that chooses: rules would be left out by turns, and few chains come to a delivery then."""
        name, arguments = step
        getattr(self, name)(**arguments)

    # --- what must hold after every step

    @invariant()
    def the_store_agrees_with_the_model(self) -> None:
        stored = self.process.store.find(Filter(), limit=1000).executions

        assert [execution.number for execution in stored] == sorted(self.rows, reverse=True)
        for execution in stored:
            row = self.rows[execution.number]
            assert seen(execution) == (row.state, row.reason, row.due, row.begun, row.token, row.lease), row
            if row != self.compared.get(execution.number):
                assert_same_past(self.process.store, execution.number, row, self.received)
                self.compared[execution.number] = replace(row, walk=[*row.walk], calls=[*row.calls])
        keyed = [row.key for row in self.model.pending() if row.key is not None]
        assert len(keyed) == len(set(keyed))

    @invariant()
    def the_worker_will_wake_when_something_can_be_done(self) -> None:
        assert since_monday(self.process.dispatcher.next_wake()) == self.model.next_wake()

    def teardown(self) -> None:
        self.process.store.close()
        shutil.rmtree(self.folder)
