"""Moments: instants and days as people type them, read by the clock of a zone."""

import re
from datetime import date, datetime, time, timedelta

from experience_runtime.domain.errors import InvalidTime
from experience_runtime.domain.instants import parse_time
from experience_runtime.domain.local_times import date_of, end_of_date, instant_of
from experience_runtime.domain.values import shown
from experience_runtime.domain.zones import Zone

_DAYS = {"yesterday": -1, "today": 0, "tomorrow": 1}
_SPOKEN = re.compile(r"(?:(yesterday|today|tomorrow)(?: |$))?(?:(noon|midnight)|([01]?\d|2[0-3]):([0-5]\d))?")
_HAS_OFFSET = re.compile(r"T.*(?:[Z+]|-\d)", re.IGNORECASE)
_DAY = timedelta(days=1)


def read_moment(text: str, *, zone: Zone, now: datetime) -> datetime:
    """Read an ISO 8601 instant, `now`, or a day and a time of day: `12:00`, `noon`, `yesterday 9:00`.

    What says no offset is by the zone's clock; a time that it jumps over is the first one after. Raises
    InvalidTime.
    """
    text = text.strip()
    if text.lower() == "now":
        return now
    try:
        if text and (spoken := _SPOKEN.fullmatch(text.lower())):
            day = date_of(now, zone) + _DAYS.get(spoken[1] or "today", 0) * _DAY
            at = time(12) if spoken[2] == "noon" else time(int(spoken[3] or 0), int(spoken[4] or 0))
            return _on(day, at, zone)
        instant = parse_time(text, now=now).at
        if _HAS_OFFSET.search(text):
            return instant
        return _on(instant.date(), instant.time(), zone)
    except (OverflowError, ValueError):
        raise InvalidTime(f"time {shown(text)} is at the edge of the calendar; write a later one") from None


def read_day(text: str, *, zone: Zone, now: datetime) -> date:
    """Read `today`, `tomorrow`, `yesterday` or a date such as `2026-03-04`. Raises InvalidTime."""
    word = text.strip().lower()
    if word in _DAYS:
        return date_of(now, zone) + _DAYS[word] * _DAY
    try:
        day = date.fromisoformat(word) if len(word) == 10 else None
    except ValueError:
        day = None
    if day is None or day.year not in range(1970, 9000):
        raise InvalidTime(
            f"{shown(text)} is not a day; write today, tomorrow, yesterday or a date like "
            f'"{date_of(now, zone).isoformat()}"'
        )
    return day


def day_bounds(day: date, zone: Zone) -> tuple[datetime, datetime]:
    """The first instant of a date in the zone, and that of the date that follows."""
    return end_of_date(day - _DAY, zone), end_of_date(day, zone)


def _on(day: date, at: time, zone: Zone) -> datetime:
    found = instant_of(datetime.combine(day, at), zone)
    return end_of_date(day, zone) if found is None else found
