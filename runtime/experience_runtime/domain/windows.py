"""Windows: when in the week an execution may run."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from experience_runtime.domain.errors import InvalidWindow
from experience_runtime.domain.spoken_windows import full_day, spoken_days, spoken_time
from experience_runtime.domain.values import nearest, shown
from experience_runtime.domain.zones import Zone

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
"""In the order of `datetime.weekday()`: Monday is 0."""

ANY_DAY = "sunday-saturday"
ANY_TIME = "00:00-23:59"

_DAY_MINUTES = 24 * 60
_LONGEST_TEXT = 200
_NO_WAIT = timedelta()
_TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])-([01][0-9]|2[0-3]):([0-5][0-9])")
_GROUPS = {
    "weekdays": "monday-friday",
    "weekday": "monday-friday",
    "workdays": "monday-friday",
    "business days": "monday-friday",
    "working days": "monday-friday",
    "workweek": "monday-friday",
    "weekend": "saturday-sunday",
    "weekends": "saturday-sunday",
    "daily": ANY_DAY,
    "everyday": ANY_DAY,
    "every day": ANY_DAY,
    "all": ANY_DAY,
    "*": ANY_DAY,
}


@dataclass(frozen=True, slots=True)
class Window:
    """Days x minutes of a zone's clock. Days count from Monday = 0; both end minutes are inside, whole.

    An end before the start wraps over midnight, and each instant is judged by its own local day.
    Source: reference/schedule-options#window.
    """

    days: frozenset[int]
    start_minute: int
    end_minute: int
    zone: Zone

    @property
    def text(self) -> str:
        """The normalized spelling, without the zone: `monday-friday 09:00-17:00`."""
        return _text(self.days, self.start_minute, self.end_minute)

    def contains(self, instant: datetime) -> bool:
        """Tell whether an execution may run at this instant."""
        return self._wait(self.zone.local(instant)) == _NO_WAIT

    def next_inside(self, instant: datetime) -> datetime:
        """Find the earliest instant inside, not before this one."""
        at = instant
        while wait := self._wait(self.zone.local(at)):
            opening = at + wait
            # the wait was counted on a clock that may be put forward or back before it is over
            change = self.zone.next_change(at, opening)
            if change is None:
                return opening
            at = change
        return at

    def open_for(self, start: datetime, end: datetime) -> timedelta:
        """Count how long it is open from one instant to another."""
        counted = timedelta(0)
        at = self.next_inside(start)
        while at < end:
            until = min(self._next_edge(at), end)
            counted += until - at
            at = self.next_inside(until)
        return counted

    def _next_edge(self, instant: datetime) -> datetime:
        """The first instant after one inside at which it may close: its end, midnight, a change of clock."""
        local = self.zone.local(instant)
        minute = local.hour * 60 + local.minute
        closing = self.end_minute + 1
        edge = closing if minute < closing < _DAY_MINUTES else _DAY_MINUTES
        left = timedelta(minutes=edge - minute, seconds=-local.second, microseconds=-local.microsecond)
        return self.zone.next_change(instant, instant + left) or instant + left

    def _wait(self, local: datetime) -> timedelta:
        """Count how long until the window opens on a clock that is never changed; zero when inside."""
        minute, today = local.hour * 60 + local.minute, local.weekday()
        start, end = self.start_minute, self.end_minute
        wraps = start > end
        inside = (minute >= start or minute <= end) if wraps else start <= minute <= end
        if inside and today in self.days:
            return _NO_WAIT
        openings = (0, start) if wraps else (start,)
        for days_ahead in range(8):
            if (today + days_ahead) % 7 not in self.days:
                continue
            for opening in openings:
                minutes = days_ahead * _DAY_MINUTES + opening - minute
                if minutes > 0:
                    return timedelta(minutes=minutes, seconds=-local.second, microseconds=-local.microsecond)
        raise AssertionError("a window has at least one day")


def parse_window(day: object, time: object, zone: Zone) -> Window:
    """Read `window.day` and `window.time`; None takes the default of either. Raises InvalidWindow."""
    day = ANY_DAY if day is None else day
    time = ANY_TIME if time is None else time
    if not isinstance(day, str) or len(day) > _LONGEST_TEXT:
        raise InvalidWindow(f"window.day {shown(day)} is not days of the week; write {_day_fix(day)}")
    if not isinstance(time, str) or len(time) > _LONGEST_TEXT:
        raise InvalidWindow(f'window.time {shown(time)} is not a range of the day; write "09:00-17:00"')
    return _window(day, time, zone)


def parse_window_text(text: str, zone: Zone) -> Window:
    """Read a stored `Window.text` back. Raises InvalidWindow."""
    day, _, time = text.partition(" ")
    return parse_window(day, time, zone)


@lru_cache(maxsize=1024)
def _window(day: str, time: str, zone: Zone) -> Window:
    start_minute, end_minute = _minutes(time)
    return Window(_days(day), start_minute, end_minute, zone)


def _days(text: str) -> frozenset[int]:
    days: set[int] = set()
    for item in text.lower().split(","):
        first, dash, last = item.strip(" ").partition("-")
        begin = _day(first, text)
        end = _day(last, text) if dash else begin
        days.update((begin + step) % 7 for step in range((end - begin) % 7 + 1))
    return frozenset(days)


def _day_fix(value: object) -> str:
    """A list of days as the string that it should be."""
    days = [full_day(each, DAYS) for each in value[:7]] if isinstance(value, list) else []
    return f'"{",".join(days)}"' if days and all(days) else '"monday-friday"'


def _day(word: str, text: str) -> int:
    if word in DAYS:
        return DAYS.index(word)
    word = word.strip()
    if word in _GROUPS:
        raise InvalidWindow(f'window.day {shown(text)} names no day; write "{_GROUPS[word]}"')
    fix = spoken_days(text, DAYS)
    if fix is not None and fix not in DAYS:
        raise InvalidWindow(
            f'window.day {shown(text)} is not days in full, joined by "-" or ","; write {shown(fix)}'
        )
    meant = next((day for day in DAYS if len(word) > 1 and day.startswith(word)), None) or nearest(word, DAYS)
    raise InvalidWindow(
        f"window.day {shown(text)}: {shown(word)} is not a day of the week in full; "
        + (f'did you mean "{meant}"?' if meant else 'write days like "monday-friday" or "monday,thursday"')
    )


def _minutes(text: str) -> tuple[int, int]:
    if form := _TIME.fullmatch(text):
        hour, minute, end_hour, end_minute = map(int, form.groups())
        return hour * 60 + minute, end_hour * 60 + end_minute
    raise InvalidWindow(
        f"window.time {shown(text)} is not HH:MM-HH:MM between 00:00 and 23:59; write {_time_fix(text)}"
    )


def _time_fix(text: str) -> str:
    spoken = spoken_time(text)
    return 'it like "09:00-17:00"' if spoken is None else shown(spoken)


@lru_cache(maxsize=1024)
def _text(days: frozenset[int], start_minute: int, end_minute: int) -> str:
    start = "{:02}:{:02}".format(*divmod(start_minute, 60))
    end = "{:02}:{:02}".format(*divmod(end_minute, 60))
    return f"{_days_text(days)} {start}-{end}"


def _days_text(days: frozenset[int]) -> str:
    if len(days) == 7:
        return ANY_DAY
    spans = []
    for first in sorted(day for day in days if (day - 1) % 7 not in days):
        last = first
        while (last + 1) % 7 in days:
            last = (last + 1) % 7
        spans.append(DAYS[first] if first == last else f"{DAYS[first]}-{DAYS[last]}")
    return ",".join(spans)
