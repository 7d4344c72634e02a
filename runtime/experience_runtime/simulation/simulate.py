"""Simulate: a story on a virtual clock. Nothing leaves the machine, and thirty days pass in a second.

Time jumps from one thing to the next: a step of the story, a timer of an open run, a due execution. The same
Scheduler, Dispatcher and host as in real life do the work, on a store in memory; integrations are played by
the story's answers.
"""

import hashlib
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache, partial
from typing import Any

from experience_runtime.clocks import VirtualClock, monotonic
from experience_runtime.documents.documents import Redact, execution_document
from experience_runtime.domain.admission import Policies, Policy
from experience_runtime.domain.clients import Client
from experience_runtime.domain.errors import LimitWall
from experience_runtime.domain.event_names import is_view
from experience_runtime.domain.executions import Execution, Filter
from experience_runtime.domain.visitor_events import VisitorEvent, check_event_data
from experience_runtime.domain.visitors import Visitor, make_visitor
from experience_runtime.engine.delivery import InlineDelivery
from experience_runtime.engine.dispatcher import Dispatcher
from experience_runtime.engine.ports import Integrations
from experience_runtime.engine.scheduler import Scheduler
from experience_runtime.engine.stores import Store
from experience_runtime.engine.unconfigured import unconfigured_warnings
from experience_runtime.running.boot import situation_of
from experience_runtime.running.guest import Limits, Sandbox, Script
from experience_runtime.running.opening import open_run
from experience_runtime.running.problems import wall_text
from experience_runtime.running.report import Report
from experience_runtime.running.run import ExperienceRun
from experience_runtime.simulation.expectations import Happened, goal_ids, judge
from experience_runtime.simulation.kept_states import KeptStates
from experience_runtime.simulation.names import check_names
from experience_runtime.simulation.scripted import NoHttp, Played
from experience_runtime.simulation.simulated import Simulated
from experience_runtime.simulation.story import (
    CancelStep,
    ConvertStep,
    EmitStep,
    RunStep,
    Step,
    Story,
)
from experience_runtime.store.opening import open_sqlite

MOST_TIMER_TURNS = 5000
"""Virtual timers take no time, so a run could tick very often within its wall limit; this is enough."""

MOST_OPEN_RUNS = 50
"""Each keeps a process of its own."""

_TOO_MANY_OPEN = (
    f"more than {MOST_OPEN_RUNS} runs of this simulation were open at once, with timers, or with listeners "
    "for an event to come; the first of them ends here: split the story"
)
_PAGE = 500
_INSTANT = timedelta(milliseconds=1)  # the least that two of a clock are apart
_NOBODY = Visitor(id=None)
_UNLIMITED = Policies(default=Policy(breaker_failures=0))  # a story tells of visitors, not of load


def simulate(
    script: Script,
    story: Story,
    *,
    sandbox: Sandbox,
    integrations: Integrations,
    conversions: Sequence[str],
    now: datetime,
    anonymous: Visitor = _NOBODY,
    limits: Limits | None = None,
    progress: Callable[[datetime], None] | None = None,
    client: Client,
    redact: Redact,
) -> Simulated:
    """Play a story and return what happened.

    `now` is the start when the story has none. `anonymous` is who a step without a visitor is for: nobody
    known, perhaps in a known zone. `progress` hears the virtual time at each jump. `client`: see `open_run`.
    `redact` takes the secrets out of the documents.
    """
    check_names(story, [*integrations.names(), *(script.experience.linked or ())])
    simulation = _Simulation(
        script, story, sandbox, integrations, conversions, now, anonymous, limits or Limits(), client, redact
    )
    try:
        simulation.play(progress)
        return simulation.result()
    finally:
        simulation.close()


@dataclass(slots=True)
class _OpenRun:
    run: ExperienceRun
    visitor: str | None
    seconds_left: float
    awake_since: datetime
    """From then on it has kept its timers; a page's event after a rest begins anew."""


class _Simulation:
    def __init__(
        self,
        script: Script,
        story: Story,
        sandbox: Sandbox,
        integrations: Integrations,
        conversions: Sequence[str],
        now: datetime,
        anonymous: Visitor,
        limits: Limits,
        client: Client,
        redact: Redact,
    ) -> None:
        self._client = client
        self._redact = redact
        self._anonymous = anonymous
        self._script = script
        self._story = story
        self._sandbox = sandbox
        self._limits = limits
        self._began_at = story.starts_at(now)
        self._ends_at = self._began_at + timedelta(milliseconds=story.horizon_ms(self._began_at))
        self._steps = sorted(
            zip(story.step_instants(self._began_at), range(len(story.steps)), story.steps, strict=True),
            key=lambda each: each[:2],
        )
        self._states = KeptStates(story)
        self._seed = hashlib.sha256(f"{script.experience.name} {self._began_at}".encode()).digest()
        self._clock = VirtualClock(self._began_at)
        self._store: Store = open_sqlite(":memory:")
        self._integrations = integrations
        chance = random.Random(self._seed)
        self._scheduler = Scheduler(
            store=self._store,
            clock=self._clock,
            integrations=integrations,
            conversions=conversions,
            source=chance,
        )
        self._dispatcher = Dispatcher(
            store=self._store,
            clock=self._clock,
            integrations=Played(integrations, story.answers, self._store),
            http=NoHttp(),
            delivery=InlineDelivery(self._reach),
            random=chance,
            policies=_UNLIMITED,
        )
        self._progress: Callable[[datetime], None] | None = None
        self._is_cut = False
        self._wake: tuple[datetime | None] | None = None
        self._open: list[_OpenRun] = []
        self._reports: list[Report] = []
        self._remember_visitors()

    def play(self, progress: Callable[[datetime], None] | None) -> None:
        """Jump from what is next to what is next, until nothing is left or the horizon is reached."""
        self._progress = progress
        while True:
            instants = (self._next_step_at(), self._next_timer_at(), self._next_wake())
            due = [at for at in instants if at is not None]
            if not due or min(due) > self._ends_at:
                self._is_cut = bool(due)
                break
            self._advance_to(min(due))
            # At one instant a step comes first: a conversion at the due instant still cancels.
            if self._next_step_at() is not None and self._steps[0][0] <= self._clock.now():
                self._take(self._steps.pop(0)[2])
            elif not self._fire_timers():
                self._wake = None
                self._dispatcher.run_due(ahead_until=self._nothing_happens_until())
            self._finish_runs(lambda each: each.run.is_over and not self._may_hear_more(each))
        for each in self._open:
            if each.run.wake_at is not None:
                self._end_by_wall(each)
        self._finish_runs(lambda _: True)

    def _next_wake(self) -> datetime | None:
        """When an execution may be due; asked anew only where something may have changed it."""
        if self._wake is None or self._story.answers:
            self._wake = (self._dispatcher.next_wake(),)
        return self._wake[0]

    def _advance_to(self, instant: datetime) -> None:
        self._clock.advance_to(instant)
        if self._progress is not None:
            self._progress(self._clock.now())

    def _reach(self, execution: Execution) -> None:
        if execution.due_at > self._clock.now():
            self._advance_to(execution.due_at)

    def _nothing_happens_until(self) -> datetime | None:
        """Until when only executions are due, and each is answered at once; None where one may fail."""
        if self._story.answers:
            return None
        others = [at for at in (self._next_step_at(), self._next_timer_at()) if at is not None]
        return min([self._ends_at, *(at - _INSTANT for at in others)])

    def result(self) -> Simulated:
        executions = sorted(self._all(), key=lambda each: (each.created_at, each.number))
        stories = self._store.stories(executions)
        histories = {each.id: changes for each, (_, changes) in zip(executions, stories, strict=True)}

        @cache  # nobody asks for those of a backtest
        def tell() -> list[dict[str, Any]]:
            return [
                execution_document(each, attempts, redact=self._redact, shown=self._integrations.shown)
                for each, (attempts, _) in zip(executions, stories, strict=True)
            ]

        ended = {number: history[-1].at for number, history in histories.items()}
        happened = Happened(
            executions=executions,
            tell=tell,
            ended=ended,
            reports=self._reports,
            goals=goal_ids(self._script.experience.meta),
        )
        judged = judge(self._story.expect, happened, self._began_at, others_fail=self._story.others_fail)
        return Simulated(
            experience=self._script.experience.name,
            began_at=self._began_at,
            ended_at=self._clock.now(),
            watched_until=self._ends_at if self._is_cut else self._clock.now(),
            is_cut=self._is_cut,
            reports=self._reports,
            executions=executions,
            tell=tell,
            histories=histories,
            differences=judged.differences,
            met_expectations=judged.met,
            expected_failures=judged.expected_failures,
            unconfigured=self._unconfigured(executions),
        )

    def _unconfigured(self, executions: Sequence[Execution]) -> frozenset[str]:
        """The integrations whose calls would fail in real life; where the story answers, it decides."""
        called = {each.integration for each in executions} - set(self._story.answers)
        return frozenset(name for name in called if unconfigured_warnings(self._integrations, name))

    def close(self) -> None:
        self._finish_runs(lambda _: True)
        self._store.close()

    def _take(self, step: Step) -> None:
        match step:
            case RunStep():
                self._run(step)
            case EmitStep():
                self._emit(step)
            case ConvertStep():
                self._wake = None
                self._scheduler.convert(step.visitor, event=step.event)
            case CancelStep():
                self._wake = None
                options = {"key": step.key, "reason": step.reason, "scope": step.scope}
                self._scheduler.cancel(step.integration, options, visitor=self._visitor(step.visitor))

    def _run(self, step: RunStep) -> None:
        visitor, facts = self._visitor(step.visitor), self._states.facts(step)
        if step.new_page:
            self._finish_runs(lambda each: each.visitor == visitor.id and each.run.wake_at is None)
        run = open_run(
            self._script,
            replace(situation_of(visitor, step.data, facts), seed=self._run_seed()),
            sandbox=self._sandbox,
            scheduler=self._scheduler,
            events=self._store.events,
            integrations=self._integrations,
            clock=self._clock,
            call_now=self._dispatcher.call_now,
            limits=self._limits,
            client=self._client,
        )
        opened = _OpenRun(run, visitor.id, self._limits.wall_seconds, self._clock.now())
        self._reports.append(run.report)
        self._open.append(opened)
        self._in_real_time(opened, run.start)
        if len(self._open) > MOST_OPEN_RUNS:
            oldest = self._open[0]
            oldest.run.end_by(LimitWall.code, _TOO_MANY_OPEN)
            self._finish_runs(lambda each: each is oldest)

    def _run_seed(self) -> int:
        return int.from_bytes(hashlib.sha256(b"%b %d" % (self._seed, len(self._reports))).digest()[:16])

    def _emit(self, step: EmitStep) -> None:
        if step.visitor is not None:
            self._record(step.visitor, step)
            if self._scheduler.is_conversion(step.type):
                self._wake = None
                self._scheduler.convert(step.visitor, event=step.type)
        for each in list(self._open):
            if each.visitor == step.visitor:
                if each.run.wake_at is None:
                    each.awake_since = self._clock.now()
                self._in_real_time(each, partial(each.run.receive, step.type, step.data))

    def _record(self, visitor: str, step: EmitStep) -> None:
        now = self._clock.now()
        data = check_event_data(step.data)
        self._store.events.record(
            VisitorEvent(visitor=visitor, type=step.type, data=data, at=now, received_at=now)
        )

    def _fire_timers(self) -> bool:
        fired = False
        now = self._clock.now()
        for each in list(self._open):
            at = self._timer_at(each)
            if at is None or at > now:
                continue
            fired = True
            if each.run.wake_at != at:  # in real life the run would have been ended by now
                self._end_by_wall(each)
                continue
            self._in_real_time(each, each.run.advance)
            if each.run.timer_turns >= MOST_TIMER_TURNS:
                self._end_by_wall(each)
        return fired

    def _timer_at(self, each: _OpenRun) -> datetime | None:
        """When a run's next timer is due, or when the run has to end before that."""
        if each.run.wake_at is None:
            return None
        return min(each.run.wake_at, each.awake_since + timedelta(seconds=self._limits.wall_seconds))

    def _end_by_wall(self, each: _OpenRun) -> None:
        each.run.end_by(LimitWall.code, wall_text(self._limits.wall_seconds, len(each.run.report.calls)))

    def _in_real_time(self, each: _OpenRun, act: Callable[[], None]) -> None:
        """Take a turn, and those its answers lead to, on what is left of the run's real seconds."""
        self._on_the_clock(each, act)
        while each.run.has_answers:
            self._on_the_clock(each, each.run.advance)

    def _on_the_clock(self, each: _OpenRun, act: Callable[[], None]) -> None:
        each.run.real_seconds_left = each.seconds_left
        began, asked = monotonic(), each.run.report.asked
        act()
        if each.run.report.asked != asked:
            self._wake = None
        each.seconds_left -= monotonic() - began
        if each.seconds_left <= 0 and not each.run.is_over:
            self._end_by_wall(each)

    def _finish_runs(self, which: Callable[[_OpenRun], bool]) -> None:
        for each in [each for each in self._open if which(each)]:
            self._open.remove(each)
            each.run.finish()

    def _may_hear_more(self, each: _OpenRun) -> bool:
        coming = [
            step.type
            for _, _, step in self._steps
            if isinstance(step, EmitStep) and step.visitor == each.visitor
        ]
        return bool(coming) and (each.run.listens or (self._awaits_view(each) and any(map(is_view, coming))))

    def _awaits_view(self, each: _OpenRun) -> bool:
        # the page of the visitor's latest run is the one that is open
        latest = [other for other in self._open if other.visitor == each.visitor][-1]
        return each.run.restarts and each is latest

    def _next_step_at(self) -> datetime | None:
        return self._steps[0][0] if self._steps else None

    def _next_timer_at(self) -> datetime | None:
        instants = (self._timer_at(each) for each in self._open)
        return min((at for at in instants if at is not None), default=None)

    def _remember_visitors(self) -> None:
        for each in self._story.visitors:
            known = make_visitor(each.id, timezone=each.timezone, timezone_offset=each.timezone_offset)
            self._store.remember_visitor(known, now=self._began_at)

    def _visitor(self, visitor_id: str | None) -> Visitor:
        if visitor_id is None:
            return self._anonymous
        return self._store.visitor(visitor_id) or Visitor(id=visitor_id)

    def _all(self) -> list[Execution]:
        found: list[Execution] = []
        cursor = None
        while True:
            page = self._store.find(Filter(), cursor=cursor, limit=_PAGE)
            found.extend(page.executions)
            cursor = page.next
            if cursor is None:
                return found
