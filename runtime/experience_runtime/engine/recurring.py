"""The verbs of recurring schedules: set, pause, resume, run now, and fire what is due."""

import json
import logging
import random
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from experience_runtime.domain.errors import (
    Conflict,
    InvalidParameter,
    InvalidWindow,
    Refusal,
    UnknownSchedule,
)
from experience_runtime.domain.executions import Execution
from experience_runtime.domain.payloads import check_payload
from experience_runtime.domain.schedules import (
    COUNTED,
    Firing,
    Outcome,
    Schedule,
    ScheduleRun,
    Timing,
    check_name,
    check_schedule_names,
    parse_catch_up,
    parse_timing,
    take_turn,
    timing_of,
    timing_texts,
)
from experience_runtime.domain.state_changes import require_for_callers
from experience_runtime.domain.zones import rules_version
from experience_runtime.engine.claims import made_when_asked_at
from experience_runtime.engine.keeping import Schedules
from experience_runtime.engine.numbering import ExecutionNumbers
from experience_runtime.engine.ports import Clock, Integrations
from experience_runtime.engine.receivers import pace_key
from experience_runtime.engine.replacing import anchored_as, changed_meanwhile, replacing, require_version
from experience_runtime.engine.unconfigured import unconfigured_warnings

SHOWN_RUNS = 20
"""How many of its last runs a schedule is shown with."""

_AT_ONCE = 100
_LOOK_EVERY = timedelta(minutes=1)
_LOOK_AGAIN = timedelta(hours=1)
_MOST_MOVED = timedelta(hours=49)  # by a window: to the next day at most, and a day may be longer
_MOST_CHANGED = timedelta(hours=3)  # by which a country has changed its clocks
_TRIES = 5
_DEFAULT_RETRIES = 5

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """What `set` did, or would do; `next` lists the next five runs, `warnings` are lines for people."""

    schedule: Schedule
    is_new: bool
    timing: Timing
    next: Sequence[datetime]
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One schedule, its next five runs (none while it is paused) and the last, newest first."""

    schedule: Schedule
    next: Sequence[datetime]
    runs: Sequence[ScheduleRun]


class Recurring:
    """The one way to a schedule, for pages, HTTP and CLI; `fire_due` is the worker's.

    Source: reference/recurring-schedules.
    """

    def __init__(
        self,
        *,
        store: Schedules,
        clock: Clock,
        integrations: Integrations,
        source: random.Random | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._integrations = integrations
        self._seen: tuple[datetime | None] | None = None  # the `next_at` of a `fire_due` that found nothing
        self._looked_at = clock.now() - _LOOK_EVERY
        self._numbers = ExecutionNumbers(source or random.SystemRandom())

    def set(
        self,
        name: str,
        integration: str,
        payload: object,
        options: Mapping[str, object],
        *,
        expected: int | None = None,
        dry_run: bool = False,
    ) -> Saved:
        """Save a schedule under its name, or only check it. Raises the Refusal of the first rule it breaks.

        One that exists is replaced; it stays paused, and keeps its next instant and its anchor when how
        often it runs is as before. Missing settings of the integration are a warning. `expected`: the version
        that was read; Conflict with what differs where it is another now.
        """
        check_name(name)
        require_for_callers(integration)
        self._integrations.get(integration)
        payload_text = check_payload(payload)
        self._integrations.parse_payload(integration, json.loads(payload_text))
        check_schedule_names(options)
        catch_up = parse_catch_up(options)
        for _ in range(_TRIES):
            now = self._clock.now()
            before = self.find(name)
            timing = anchored_as(before, parse_timing(options, now=now), options)
            upcoming = _some(timing, now)
            recurrence, zone, window, skip = timing_texts(timing)
            schedule = Schedule(
                name=name,
                integration=integration,
                recurrence=recurrence,
                zone=zone,
                window=window,
                payload=payload_text,
                skip=skip,
                catch_up=catch_up,
                created_at=now,
                updated_at=now,
                next_at=upcoming[0],
            )
            if before is not None:
                schedule = replacing(before, schedule)
            is_made = made_when_asked_at() is not None
            if expected is not None and not is_made:
                require_version(expected, before, schedule, shown=self._integrations.shown)
            if dry_run or self._store.put(schedule, replacing=before):
                if is_made:
                    schedule = self._store.schedule(name)
                return Saved(
                    schedule=schedule,
                    is_new=schedule.version == 1,
                    timing=timing,
                    next=upcoming,
                    warnings=unconfigured_warnings(self._integrations, integration),
                )
        raise changed_meanwhile(name)

    def preview(self, options: Mapping[str, object]) -> tuple[Timing, Sequence[datetime]]:
        """Tell the next five runs of a schedule that would be saved now; nothing is."""
        check_schedule_names(options)
        now = self._clock.now()
        timing = parse_timing(options, now=now)
        return timing, _some(timing, now)

    def list(self) -> Sequence[Schedule]:
        """All schedules, by name."""
        return self._store.schedules()

    def show(self, name: str) -> Shown:
        """One schedule with what comes and what was. Raises UnknownSchedule."""
        schedule = self._store.schedule(name)
        runs = self._store.runs(name, limit=SHOWN_RUNS)
        return Shown(schedule=schedule, next=_upcoming(schedule), runs=runs)

    def get(self, name: str) -> Schedule:
        """One schedule. Raises UnknownSchedule."""
        return self._store.schedule(name)

    def find(self, name: str) -> Schedule | None:
        """One schedule, or None when there is none of this name."""
        try:
            return self._store.schedule(name)
        except UnknownSchedule:
            return None

    def remove(self, name: str) -> None:
        """Forget a schedule; an execution of it that waits still runs. Raises UnknownSchedule."""
        self._store.remove(name, now=self._clock.now())

    def pause(self, name: str) -> Schedule:
        """Fire nothing until it is resumed; nothing of then is caught up. Raises UnknownSchedule."""

        def paused(schedule: Schedule, now: datetime) -> Schedule:
            return schedule if schedule.paused_at else replace(schedule, paused_at=now, next_at=None)

        return self._edit(name, paused)

    def resume(self, name: str) -> Schedule:
        """Go on with the next instant from now. Raises UnknownSchedule."""

        def resumed(schedule: Schedule, now: datetime) -> Schedule:
            if schedule.paused_at is None:
                return schedule
            return replace(schedule, paused_at=None, next_at=timing_of(schedule).next_after(now))

        return self._edit(name, resumed)

    def run_now(self, name: str) -> Execution:
        """Fire one execution at once, also while paused; its window still holds.

        Raises UnknownSchedule, or Conflict while the previous one is pending or running.
        """
        schedule = self._store.schedule(name)
        now = self._clock.now()
        execution = self._execution(schedule, timing_of(schedule), asked="run now", run_at=now, now=now)
        return self._store.fire_now(name, execution, now=now)

    def next_at(self) -> datetime | None:
        """When `fire_due` next has something to do; None for never."""
        return self._store.next_at()

    def fires_at(self) -> datetime | None:
        """`next_at`, as the last `fire_due` has seen it where it found nothing; so that it is asked once."""
        return self.next_at() if self._seen is None else self._seen[0]

    def fire_due(self) -> int:
        """Fire the executions of the schedules that are due; return how many instants were taken up.

        A schedule that cannot be read is recorded as failed and looked at again in an hour.
        """
        now = self._clock.now()
        self._plan_again(now)
        self._seen = None
        next_at = self._store.next_at()
        if next_at is None or next_at > now:
            self._seen = (next_at,)
            return 0
        due = self._store.due(now=now, limit=_AT_ONCE)
        if not due:
            return 0
        runs = self._store.fire([self._firing(schedule, now) for schedule in due], now=now)
        for schedule, run in zip(due, runs, strict=True):
            if run is not None and run.outcome is Outcome.SKIPPED:
                _logger.info("the schedule %s skipped a run: %s", schedule.name, run.reason)
        return len(due)

    def _plan_again(self, now: datetime) -> None:
        """Plan again what its own rule does not plan so.

        A clock that was ahead has put it further away than its next run but one (one that was put back a
        little must not fire the same instant twice), or the rules of its time zone were others then.
        """
        if self._looked_at <= now < self._looked_at + _LOOK_EVERY:
            return
        self._looked_at = now

        def planned(schedule: Schedule, at: datetime) -> Schedule:
            again = _misplaced(schedule, at)
            return schedule if again is None else replace(schedule, next_at=again[0])

        for schedule in self._store.schedules():
            with suppress(UnknownSchedule, Conflict):  # removed, or edited by somebody else at this moment
                if (again := _misplaced(schedule, now)) is not None:
                    after = self._edit(schedule.name, planned)
                    _logger.warning(
                        "the next run of %s lay at %s, %s; it is %s now",
                        schedule.name,
                        schedule.next_at,
                        again[1],
                        after.next_at,
                    )

    def _firing(self, schedule: Schedule, now: datetime) -> Firing:
        due_at = schedule.next_at or now
        try:
            timing = timing_of(schedule)
            turn = take_turn(timing, due_at, schedule.catch_up, now=now)
            execution = (
                None
                if turn.run_at is None
                else self._execution(
                    schedule, timing, asked=timing.text_at(turn.run_at), run_at=turn.run_at, now=now
                )
            )
        except Exception as error:  # whatever is wrong with one schedule must not stop the others
            _logger.exception(
                "the schedule %s fired nothing; it is looked at again in an hour", schedule.name
            )
            failed = ScheduleRun(at=due_at, outcome=Outcome.FAILED, recorded_at=now, reason=str(error)[:1000])
            return Firing(schedule=schedule, next_at=due_at, look_at=now + _LOOK_AGAIN, record=failed)
        missed = None
        if turn.missed:
            reason = "no worker ran in time"
            if turn.missed >= COUNTED - 1:
                reason += f"; {turn.missed:,} were counted, there may be more"
            missed = ScheduleRun(
                at=due_at, outcome=Outcome.MISSED, recorded_at=now, reason=reason, count=turn.missed
            )
        return Firing(
            schedule=schedule,
            next_at=turn.next_at,
            look_at=turn.next_at,
            record=missed,
            execution=execution,
        )

    def _execution(
        self, schedule: Schedule, timing: Timing, *, asked: str, run_at: datetime, now: datetime
    ) -> Execution:
        retries, key_of_pace = _DEFAULT_RETRIES, ""
        with suppress(Refusal):  # gone, or its payload fits no more: it fails for that, and can be replayed
            retries = self._integrations.get(schedule.integration).retries
            parsed = self._integrations.parse_payload(schedule.integration, json.loads(schedule.payload))
            key_of_pace = pace_key(self._integrations, schedule.integration, parsed)
        return Execution(
            number=self._numbers.next(now),
            integration=schedule.integration,
            payload=schedule.payload,
            created_at=now,
            requested_at=run_at,
            due_at=timing.not_before(now),
            zone=schedule.zone,
            zone_from="window",
            zone_rules=rules_version(),
            asked=asked,
            window=schedule.window,
            schedule=schedule.name,
            pace_key=key_of_pace,
            retries=retries,
        )

    def _edit(self, name: str, edited: "_Edit") -> Schedule:
        for _ in range(_TRIES):
            before = self._store.schedule(name)
            now = self._clock.now()
            after = edited(before, now)
            if after == before:
                return before
            after = replace(after, updated_at=now, version=before.version + 1)
            if self._store.put(after, replacing=before):
                return after
        raise changed_meanwhile(name)


class _Edit(Protocol):
    def __call__(self, schedule: Schedule, now: datetime, /) -> Schedule: ...


def _misplaced(schedule: Schedule, now: datetime) -> tuple[datetime, str] | None:
    """When a schedule runs next by its rule, and why not when it was planned to; None when it was well."""
    planned_at = schedule.next_at
    if planned_at is None or planned_at <= now:
        return None
    try:
        timing = timing_of(schedule)
    except Refusal:  # `fire_due` records it when it is due
        return None
    due = timing.next_after(now)
    following = None if due is None else timing.next_after(due)
    if due is None or following is None or planned_at in (due, following):
        return None
    if planned_at > following:
        return due, "further ahead than its rule allows"
    if _is_run(timing, planned_at):  # asked for before now, and moved by its window
        return None
    nearest = min(due, following, key=lambda at: abs(at - planned_at))
    if abs(nearest - planned_at) > _MOST_CHANGED:
        return None
    return nearest, "by other rules of its time zone than are known now"


def _is_run(timing: Timing, instant: datetime) -> bool:
    at: datetime | None = instant - _MOST_MOVED
    while at is not None and at < instant:
        at = timing.next_after(at)
    return at == instant


def _some(timing: Timing, now: datetime) -> Sequence[datetime]:
    upcoming = timing.next_five(now)
    if not upcoming:
        raise InvalidParameter(
            f"{timing.recurrence.asked}, with this window and these dates to skip, does not come within "
            "five years; change one of them"
        )
    return upcoming


def _upcoming(schedule: Schedule) -> Sequence[datetime]:
    if schedule.next_at is None:
        return []
    try:
        return [schedule.next_at, *timing_of(schedule).next_five(schedule.next_at)[:4]]
    except InvalidWindow:  # a zone that this machine does not know: the rest can be shown
        return [schedule.next_at]
