"""Recurrences: how often a schedule asks to run, and the instants that makes."""

import re
from collections.abc import Iterator, Mapping
from copy import copy
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

from cronsim import CronSim, CronSimError

from experience_runtime.domain.durations import parse_delay
from experience_runtime.domain.errors import InvalidDelay, InvalidParameter, InvalidTime, InvalidWindow
from experience_runtime.domain.instants import iso, parse_time
from experience_runtime.domain.local_times import instant_of
from experience_runtime.domain.values import shown
from experience_runtime.domain.windows import Window, parse_window
from experience_runtime.domain.zones import Zone

KINDS = ("every", "daily", "weekly", "cron")
"""The options that say how often; exactly one is set. `starting` goes with `every`."""

_MINUTE_MS = 60_000
_LONGEST_EVERY_MINUTES = 31 * 24 * 60
_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)
_DAYS_TO_TRY = 16  # one day a week, and a week of which it is missing
_LONGEST_TEXT = 100
_EVERY_DAY = frozenset(range(7))
_TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")
_LOOSE_TIME = re.compile(r" *([0-9]{1,2}):([0-9]{2}) *")
_CALENDAR_START = datetime(2000, 1, 1)  # noqa: DTZ001 - a wall calendar has no zone
_MACROS: Final = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}


@dataclass(frozen=True, slots=True)
class Every:
    """Elapsed time, counted from an anchor; no clock that is put forward or back changes it."""

    minutes: int
    anchor_at: datetime

    @property
    def asked(self) -> str:
        return f"every {self._count}"

    @property
    def document(self) -> dict[str, str]:
        return {"every": self._count, "starting": iso(self.anchor_at)}

    @property
    def _count(self) -> str:
        hours, rest = divmod(self.minutes, 60)
        number, unit = (self.minutes, "minute") if rest else (hours, "hour")
        return f"{number} {unit}{'' if number == 1 else 's'}"

    def next_after(self, instant: datetime) -> datetime | None:
        """Find the first instant strictly after this one; never one before the anchor."""
        step = timedelta(minutes=self.minutes)
        return self.anchor_at + max(0, (instant - self.anchor_at) // step + 1) * step


@dataclass(frozen=True, slots=True)
class Weekly:
    """A minute of the zone's clock on some days of the week (Monday is 0), or on all seven: daily.

    Once on each such date: in a jump of the clock at the first instant after it, where the clock is put back
    in the first pass. Source: reference/recurring-schedules#clock-changes.
    """

    days: frozenset[int]
    minute: int
    zone: Zone

    @property
    def asked(self) -> str:
        return f"daily at {self._time}" if self._is_daily else f"weekly on {self._days} at {self._time}"

    @property
    def document(self) -> dict[str, str]:
        return {"daily": self._time} if self._is_daily else {"weekly": f"{self._days} {self._time}"}

    @property
    def _is_daily(self) -> bool:
        return self.days == _EVERY_DAY

    @property
    def _time(self) -> str:
        return "{:02}:{:02}".format(*divmod(self.minute, 60))

    @property
    def _days(self) -> str:
        return Window(self.days, 0, 0, self.zone).text.partition(" ")[0]

    def next_after(self, instant: datetime) -> datetime | None:
        """Find the first instant strictly after this one."""
        midnight = _calendar(instant, self.zone).replace(hour=0, minute=0, second=0, microsecond=0)
        for days_ahead in range(_DAYS_TO_TRY):
            local = midnight + timedelta(days=days_ahead, minutes=self.minute)
            if local.weekday() in self.days:
                at = instant_of(local, self.zone)
                if at is not None and at > instant:
                    return at
        return None


@dataclass(frozen=True, slots=True)
class Cron:
    """A cron expression of five fields, read by cronsim, on the zone's clock.

    With fixed hours, each listed time happens once a date, as for Weekly. One whose hours begin with `*` (or
    are all 24) follows the clock as it goes: an hour that is jumped over has none, and a repeated one has
    them twice. A day of the month and a day of the week are both needed when either begins with `*`, else
    one of the two is enough, as in Debian's cron.
    """

    expression: str
    zone: Zone

    @property
    def asked(self) -> str:
        return f"cron {self.expression}"

    @property
    def document(self) -> dict[str, str]:
        return {"cron": self.expression}

    def next_after(self, instant: datetime) -> datetime | None:
        """Find the first instant strictly after this one; None when there is none for 50 years."""
        hours = self.expression.split(" ")[1]
        follows_the_clock = hours.startswith("*") or len(_parsed(self.expression).hours) == 24
        return self._following_the_clock(instant) if follows_the_clock else self._once_a_date(instant)

    def _once_a_date(self, instant: datetime) -> datetime | None:
        # cronsim would do it for a fixed minute; with "*/15 2" it leaves a jump out and repeats an hour,
        # and it gives a date that never was (Apia, 2011-12-30) to the one after
        for local in _listed_after(self.expression, _calendar(instant, self.zone)):
            at = instant_of(local, self.zone)
            if at is not None and at > instant:
                return at
        return None

    def _following_the_clock(self, instant: datetime) -> datetime | None:
        at, local = instant, _calendar(instant, self.zone)
        while (listed := next(_listed_after(self.expression, local), None)) is not None:
            found = at + (listed - _calendar(at, self.zone))
            # that was counted on a clock that may be put forward or back before it is over
            change = self.zone.next_change(at, found)
            if change is None:
                return found
            at = change
            local = _calendar(change, self.zone) - _SECOND  # the minute of the change itself counts
        return None


Recurrence = Every | Weekly | Cron
"""`next_after` makes the instants; `asked` says it to people, `document` as an object of options."""


def parse_recurrence(options: Mapping[str, object], zone: Zone, *, now: datetime) -> Recurrence:
    """Read the one of KINDS that is set, and `starting`. Raises InvalidParameter.

    `every` without `starting` counts from this minute; a `starting` without a zone is read in the schedule's.
    What `Recurrence.document` gave reads back.
    Source: reference/recurring-schedules#clock-changes.
    """
    given = {kind: options[kind] for kind in KINDS if options.get(kind) is not None}
    if len(given) != 1:
        has = f"has {' and '.join(given)}" if given else "does not say how often"
        raise InvalidParameter(
            f"the schedule {has}; exactly one of {', '.join(KINDS)} is needed: "
            'write every: "15 minutes", daily: "09:00", weekly: "monday,friday 09:00" or cron: "0 9 * * 1-5"'
        )
    ((kind, value),) = given.items()
    starting = options.get("starting")
    if starting is not None and kind != "every":
        raise InvalidParameter(f"starting {shown(starting)} goes with every, not with {kind}; leave it out")
    match kind:
        case "every":
            return Every(_every_minutes(value), _anchor(starting, zone, now))
        case "daily":
            return Weekly(_EVERY_DAY, _minute("daily", value, value), zone)
        case "weekly":
            return _weekly(value, zone)
        case _:
            return Cron(_cron(value), zone)


def _every_minutes(value: object) -> int:
    try:
        milliseconds = parse_delay(value)
    except InvalidDelay:
        raise InvalidParameter(
            f'every {shown(value)} is not a duration; write it like "15 minutes" or "2 hours"'
        ) from None
    minutes, rest = divmod(milliseconds, _MINUTE_MS)
    if rest or not 1 <= minutes <= _LONGEST_EVERY_MINUTES:
        fix = f'"{minutes} minutes"' if 1 < minutes <= _LONGEST_EVERY_MINUTES else '"15 minutes" or "2 hours"'
        raise InvalidParameter(
            f"every {shown(value)} is not whole minutes from 1 minute to 31 days; write it like {fix}"
        )
    return minutes


def _anchor(starting: object, zone: Zone, now: datetime) -> datetime:
    if starting is None:
        return now.replace(second=0, microsecond=0)
    if not isinstance(starting, str):
        raise InvalidParameter(f'starting {shown(starting)} is not a string; write it like "{iso(now)}"')
    try:
        parsed = parse_time(starting, now=now)
    except InvalidTime as refusal:
        raise InvalidParameter(f"starting: {refusal.message}") from None
    if not parsed.zone_assumed and len(starting) > len("2026-03-06"):
        return parsed.at
    try:
        at = instant_of(parsed.at.replace(tzinfo=None), zone)  # without a zone, it is the schedule's clock
    except OverflowError:
        raise InvalidParameter(
            f'starting {shown(starting)} is out of the calendar in {zone.name}; write it like "{iso(now)}"'
        ) from None
    if at is None:
        raise InvalidParameter(
            f"starting {shown(starting)} is a date that {zone.name} left out; write another"
        )
    return at


def _weekly(value: object, zone: Zone) -> Weekly:
    if not isinstance(value, str):
        raise InvalidParameter(
            f'weekly {shown(value)} is not days and a time; write it like "monday,friday 09:00"'
        )
    days, _, time = value.strip(" ").rpartition(" ")
    minute = _minute("weekly", time, value)
    if not days:
        raise InvalidParameter(f'weekly {shown(value)} names no day; write it like "monday,friday {time}"')
    try:
        return Weekly(parse_window(days, None, zone).days, minute, zone)
    except InvalidWindow as refusal:
        raise InvalidParameter(refusal.message.replace("window.day", "weekly", 1)) from None


def _minute(kind: str, time: object, value: object) -> int:
    if isinstance(time, str) and (form := _TIME.fullmatch(time)):
        return int(form[1]) * 60 + int(form[2])
    fix = "09:00"
    if isinstance(time, str) and (loose := _LOOSE_TIME.fullmatch(time)):
        padded = f"{loose[1]:0>2}:{loose[2]}"
        fix = padded if _TIME.fullmatch(padded) else fix
    days = "monday,friday " if kind == "weekly" else ""
    raise InvalidParameter(
        f'{kind} {shown(value)} has no time HH:MM between 00:00 and 23:59; write it like "{days}{fix}"'
    )


def _cron(value: object) -> str:
    if not isinstance(value, str) or len(value) > _LONGEST_TEXT:
        raise InvalidParameter(
            f"cron {shown(value)} is not a string of at most {_LONGEST_TEXT} characters; "
            'write it like "0 9 * * 1-5"'
        )
    fields = value.split()
    if fields[:1] and fields[0].startswith("@"):
        meant = _MACROS.get(fields[0].lower(), "0 9 * * 1-5")
        raise InvalidParameter(f'cron {shown(value)} is a macro; write the five fields: "{meant}"')
    if len(fields) != 5:
        raise InvalidParameter(
            f"cron {shown(value)} has {len(fields)} fields; "
            "five are needed: minute, hour, day of the month, month, day of the week: write "
            + (f'"{" ".join(fields[1:])}", without seconds' if len(fields) == 6 else '"0 9 * * 1-5"')
        )
    expression = " ".join(fields)
    try:
        fires = next(_listed_after(expression, _CALENDAR_START), None) is not None
    except CronSimError as error:
        if _is_read([*fields[:2], "*", "*", fields[4]]) and _is_read([*fields[:3], "*", fields[4]]):
            # cronsim refuses a day that none of the months has
            raise InvalidParameter(_never(value)) from None
        plain = ["*" if field == "?" else field for field in fields]
        if plain != fields and _is_read(plain):
            raise InvalidParameter(
                f'cron {shown(value)} has a "?", which some programs write for any day; '
                f'write "{" ".join(plain)}"'
            ) from None
        raise InvalidParameter(
            f"cron {shown(value)} cannot be read ({error}); the fields are minute 0-59, hour 0-23, "
            'day of the month 1-31, month 1-12, day of the week 0-7: write it like "0 9 * * 1-5"'
        ) from None
    if not fires:
        raise InvalidParameter(_never(value))
    return expression


def _never(value: object) -> str:
    return (
        f"cron {shown(value)} never comes: its days and months exclude each other; "
        'write it like "0 9 * * 1-5"'
    )


def _is_read(fields: list[str]) -> bool:
    try:
        _parsed(" ".join(fields))
    except CronSimError:
        return False
    return True


def _calendar(instant: datetime, zone: Zone) -> datetime:
    """What the zone's calendar and clock show, without the zone."""
    return zone.local(instant).replace(tzinfo=None)


def _listed_after(expression: str, local: datetime) -> Iterator[datetime]:
    """List the local times of an expression strictly after this one, on a calendar without changes."""
    listing = copy(_parsed(expression))
    listing.dt = local.replace(microsecond=0)
    return listing


@lru_cache(maxsize=1024)
def _parsed(expression: str) -> CronSim:
    return CronSim(expression, _CALENDAR_START)
