"""Schedules: rows that fire executions, when the next one is due, and what a late one does."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from experience_runtime.domain.errors import InvalidParameter, InvalidWindow, MissingParameter
from experience_runtime.domain.executions import Execution
from experience_runtime.domain.instants import GRACE_MS
from experience_runtime.domain.local_times import date_of, end_of_date
from experience_runtime.domain.options import check_window_names, one_of
from experience_runtime.domain.payloads import json_text
from experience_runtime.domain.recurrences import KINDS, Recurrence, parse_recurrence
from experience_runtime.domain.values import nearest, shown
from experience_runtime.domain.windows import Window, parse_window, parse_window_text
from experience_runtime.domain.zones import Zone, iana_zone, parse_zone

SCHEDULE_OPTIONS = (*KINDS, "starting", "timezone", "window", "skip", "catch_up")
"""What `parse_timing` and `parse_catch_up` read."""

HORIZON = timedelta(days=5 * 366)
"""How far ahead the next instant is looked for."""

COUNTED = 200
"""Up to how many missed instants are counted one by one."""

_GRACE = timedelta(milliseconds=GRACE_MS)
_MILLISECOND = timedelta(milliseconds=1)
_NAME = re.compile(r"[A-Za-z0-9_-]{1,100}")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MOST_SKIPPED = 1000


class CatchUp(StrEnum):
    """What runs after an outage: the latest missed instant, or none.

    Source: reference/recurring-schedules#catch_up.
    """

    ONE = "one"
    NONE = "none"


RESTORABLE = timedelta(days=1)
"""How long a schedule that was removed can be restored."""


class Outcome(StrEnum):
    """What became of an instant of a schedule."""

    FIRED = "fired"
    SKIPPED = "skipped"  # the previous execution was not over
    MISSED = "missed"  # nothing was there to fire it in time
    FAILED = "failed"  # the schedule cannot be read on this machine


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """One recurring schedule, as it is stored: what may not be readable on every machine is text.

    `recurrence`, `payload` and `skip` are JSON texts. `next_at` is None while it is paused, and when nothing
    is left. `last` is the number of the execution it fired last. `version` counts the edits.
    """

    name: str
    integration: str
    recurrence: str
    zone: str
    window: str | None
    payload: str
    skip: str
    catch_up: CatchUp
    created_at: datetime
    updated_at: datetime
    next_at: datetime | None
    paused_at: datetime | None = None
    last: int | None = None
    version: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleRun:
    """What became of one instant, or of `count` of them; `execution` is the one fired or in the way."""

    at: datetime
    outcome: Outcome
    recorded_at: datetime
    execution: int | None = None
    reason: str | None = None
    count: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Firing:
    """One step of a schedule, as it was read: what to insert and record, and what comes next.

    `look_at` is when it is next looked at: `next_at`, or later after a failure.
    """

    schedule: Schedule
    next_at: datetime | None
    look_at: datetime | None
    record: ScheduleRun | None = None
    execution: Execution | None = None


@dataclass(frozen=True, slots=True)
class Timing:
    """When a schedule runs: a recurrence, moved by a window, without some dates of the zone's calendar."""

    recurrence: Recurrence
    zone: Zone
    window: Window | None = None
    skip: frozenset[date] = frozenset()

    def next_after(self, instant: datetime) -> datetime | None:
        """Find the next run strictly after a run or any other instant; None without one for five years.

        A day of the week that the window leaves out has no run. On the others, what the recurrence asks for
        outside the window's time moves to the next opening; several that move to the same one are one run.
        Skipped is what was asked for on a listed date, or moved to one.
        """
        asked_at = instant
        while (found := self.recurrence.next_after(asked_at)) is not None and found - instant <= HORIZON:
            run_at = found if self.window is None else self.window.next_inside(found)
            without_run = next((day for day in self._dates(found, run_at) if self._leaves_out(day)), None)
            if without_run is None:
                return run_at
            # nothing asked for before that date is over can run
            asked_at = max(found, end_of_date(without_run, self.zone) - _MILLISECOND)
        return None

    def _dates(self, *instants: datetime) -> list[date]:
        return [date_of(at, self.zone) for at in instants]

    def _leaves_out(self, day: date) -> bool:
        return day in self.skip or (self.window is not None and day.weekday() not in self.window.days)

    def not_before(self, instant: datetime) -> datetime:
        """Find when a run that is late may go out: inside the window, and on no date that is skipped."""
        at = instant
        for _ in range(_MOST_SKIPPED + 1):
            at = at if self.window is None else self.window.next_inside(at)
            day = date_of(at, self.zone)
            if day not in self.skip:
                return at
            at = end_of_date(day, self.zone)
        raise AssertionError("there are no more dates to skip than that")

    def next_five(self, instant: datetime) -> list[datetime]:
        """List up to five runs after an instant."""
        runs: list[datetime] = []
        while len(runs) < 5 and (at := self.next_after(runs[-1] if runs else instant)) is not None:
            runs.append(at)
        return runs

    def text_at(self, run_at: datetime) -> str:
        """Say what asked for a run, in at most 80 characters."""
        moved = self.recurrence.next_after(run_at - _MILLISECOND) != run_at
        return self.recurrence.asked[:60] + (" (moved by window)" if moved else "")

    def overdue(self, first_at: datetime, now: datetime) -> tuple[datetime, int]:
        """Find the latest run up to now, and how many there are from `first_at` on, counted up to COUNTED."""
        latest, count = first_at, 1
        while (following := self._not_after(latest, now)) is not None:
            if count == COUNTED:
                return self._latest(latest, now), count
            latest, count = following, count + 1
        return latest, count

    def _latest(self, known: datetime, now: datetime) -> datetime:
        """Find the latest run without walking from the first: look back from now, ever further."""
        back = timedelta(minutes=1)
        while (found := self._not_after(max(known, now - back), now)) is None and now - back > known:
            back *= 2
        latest = found or known
        while (following := self._not_after(latest, now)) is not None:
            latest = following
        return latest

    def _not_after(self, instant: datetime, now: datetime) -> datetime | None:
        following = self.next_after(instant)
        return None if following is None or following > now else following


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What a due schedule does: the instant that runs, how many others were missed, and what comes next."""

    run_at: datetime | None
    missed: int
    next_at: datetime | None


def take_turn(timing: Timing, due_at: datetime, catch_up: CatchUp, *, now: datetime) -> Turn:
    """Decide what a schedule does whose next instant has come. Older than 60 s is missed; with
    `CatchUp.ONE`, the latest runs all the same. Source: reference/recurring-schedules#catch_up."""
    if now - due_at <= _GRACE:
        return Turn(run_at=due_at, missed=0, next_at=timing.next_after(due_at))
    latest, count = timing.overdue(due_at, now)
    runs = catch_up is CatchUp.ONE or now - latest <= _GRACE
    return Turn(
        run_at=latest if runs else None,
        missed=count - 1 if runs else count,
        next_at=timing.next_after(latest),
    )


def check_name(name: str) -> str:
    """Return the name of a schedule. Raises InvalidParameter."""
    if _NAME.fullmatch(name):
        return name
    raise InvalidParameter(
        f"schedule {shown(name)} is not a name; write 1 to 100 letters, digits, - and _, such as daily-digest"
    )


def check_schedule_names(options: Mapping[str, object]) -> None:
    """Refuse options that are not SCHEDULE_OPTIONS. Raises InvalidParameter."""
    for name in options:
        if name not in SCHEDULE_OPTIONS:
            meant = nearest(str(name), SCHEDULE_OPTIONS)
            raise InvalidParameter(
                f"a schedule has no option {shown(name)}; "
                + (f'did you mean "{meant}"?' if meant else f"it has {', '.join(SCHEDULE_OPTIONS)}")
            )


def parse_timing(options: Mapping[str, object], *, now: datetime) -> Timing:
    """Read when a schedule runs. Raises InvalidParameter, MissingParameter or InvalidWindow."""
    zone = _zone(options.get("timezone"))
    recurrence = parse_recurrence(options, zone, now=now)
    return Timing(recurrence, zone, _window(options.get("window"), zone), _skip(options.get("skip")))


def parse_catch_up(options: Mapping[str, object]) -> CatchUp:
    """Read what runs after an outage. Raises InvalidParameter."""
    return CatchUp(one_of("catch_up", options.get("catch_up"), tuple(CatchUp), CatchUp.ONE))


def timing_texts(timing: Timing) -> tuple[str, str, str | None, str]:
    """Write a timing as a schedule stores it: recurrence, zone, window and skip."""
    window = None if timing.window is None else timing.window.text
    skip = json_text([day.isoformat() for day in sorted(timing.skip)])
    return json_text(timing.recurrence.document), timing.zone.name, window, skip


def timing_of(schedule: Schedule) -> Timing:
    """Read a stored schedule's timing back. Raises InvalidWindow for a zone this machine does not know."""
    zone = parse_zone(schedule.zone)
    window = None if schedule.window is None else parse_window_text(schedule.window, zone)
    recurrence = parse_recurrence(json.loads(schedule.recurrence), zone, now=schedule.updated_at)
    return Timing(recurrence, zone, window, frozenset(map(date.fromisoformat, json.loads(schedule.skip))))


def _zone(name: object) -> Zone:
    if name is None:
        raise MissingParameter(
            'timezone is not set; write the IANA zone of the schedule, such as "Europe/Paris", or "UTC"'
        )
    try:
        return iana_zone(name)
    except InvalidWindow as refusal:  # its advice about offsets is for windows
        raise InvalidParameter(refusal.message.partition(" (for a fixed offset")[0]) from None


def _window(given: object, zone: Zone) -> Window | None:
    if given is None:
        return None
    window = check_window_names(given)
    for name in ("timezone", "timezoneOffset"):
        if window.get(name) is not None:
            raise InvalidWindow(
                f"window has {name} {shown(window[name])}; a schedule's window is read in the schedule's own "
                "timezone: leave it out"
            )
    return parse_window(window.get("day"), window.get("time"), zone)


def _skip(given: object) -> frozenset[date]:
    if given is None:
        return frozenset()
    if not isinstance(given, list | tuple) or len(given) > _MOST_SKIPPED:
        raise InvalidParameter(
            f'skip {shown(given)} is not a list of at most {_MOST_SKIPPED} dates; write ["2026-12-25"]'
        )
    return frozenset(map(_date, given))


def _date(given: object) -> date:
    try:
        if isinstance(given, str) and _DATE.fullmatch(given):
            return date.fromisoformat(given)
    except ValueError:
        pass
    raise InvalidParameter(f'skip {shown(given)} is not a date of the calendar; write it like "2026-12-25"')
