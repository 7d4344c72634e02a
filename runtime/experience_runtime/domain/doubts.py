"""Doubts: requests that break no rule and are seldom meant, each as a line for the author's log."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta

from experience_runtime.domain.values import shown, whole_number
from experience_runtime.domain.zones import Zone

_MOST_SECONDS = 30 * 24 * 60 * 60
_MOST_HOURS = 14
_MORNING_TO_MORNING = re.compile(r"(0[5-9]|1[01]):([0-5][0-9])-(0[0-9]|1[01]):([0-5][0-9])")
_DIGITS = re.compile(r"[0-9]{1,9}")
_DATE_ALONE = re.compile(r"\d{4}-\d{2}-\d{2}|\d{8}")


def doubts_of(options: Mapping[str, object]) -> list[str]:
    """What is doubtful in a request's own values, whoever it is for; values of a wrong type are none's."""
    found = [
        _seconds(options.get("delay")),
        _no_time_of_day(options.get("time")),
    ]
    window = options.get("window")
    if isinstance(window, Mapping):
        found.append(_one_minute(window.get("time")))
        found.append(_through_the_night(window.get("time")))
        found.append(_hours(window.get("timezoneOffset")))
    return [each for each in found if each is not None]


def opposite_offset(window: Mapping[str, object], *, visitor_zone: Zone, now: datetime) -> str | None:
    """The sign of a window's offset, when the visitor's clock has exactly the other one."""
    given = whole_number(window.get("timezoneOffset"))
    behind = -visitor_zone.offset_at(now) // timedelta(minutes=1)
    if not given or given != -behind:
        return None
    return (
        f"window.timezoneOffset {given} is the opposite of the visitor's own, {behind}: it counts the "
        f"minutes behind UTC, as getTimezoneOffset does; write timezoneOffset: {behind}, or leave it out"
    )


def _seconds(delay: object) -> str | None:
    if isinstance(delay, str):
        return _no_unit(delay)
    number = whole_number(delay)
    # nobody waits for 3.6 seconds, and many programs count an hour as 3600
    if number is None or not 60 <= number <= _MOST_SECONDS or number % 60 or number % 1000 == 0:
        return None
    return (
        f"delay {number} is milliseconds, {number / 1000:g} s; if seconds were meant, "
        f"write {number * 1000} or {shown(f'{number // 60} min')}"
    )


def _no_unit(delay: str) -> str | None:
    form = _DIGITS.fullmatch(delay)
    # a text of whole seconds may be a number that was read from somewhere
    if form is None or int(delay) % 1000 == 0:
        return None
    return (
        f"delay {shown(delay)} has no unit, so it is milliseconds; write {shown(f'{delay} s')}, "
        f"{shown(f'{delay} min')} or {shown(f'{delay} ms')}"
    )


def _no_time_of_day(time: object) -> str | None:
    if not isinstance(time, str) or _DATE_ALONE.fullmatch(time) is None:
        return None
    return f"time {shown(time)} has no time of day, so it is midnight in UTC; write {shown(time + 'T09:00Z')}"


def _hours(offset: object) -> str | None:
    number = whole_number(offset)
    # no zone is so few minutes from UTC
    if not number or abs(number) > _MOST_HOURS:
        return None
    return (
        f"window.timezoneOffset {number} is {abs(number)} min {'behind' if number > 0 else 'ahead of'} UTC; "
        f"if hours were meant, write {-60 * abs(number)} for UTC+{abs(number)}, or {60 * abs(number)} for "
        f"UTC-{abs(number)}"
    )


def _one_minute(time: object) -> str | None:
    first, dash, last = time.partition("-") if isinstance(time, str) else ("", "", "")
    if not dash or first != last:
        return None
    return (
        f'window.time {shown(time)} is one minute long; for the whole day write "00:00-23:59", '
        "or leave time out"
    )


def _through_the_night(time: object) -> str | None:
    form = _MORNING_TO_MORNING.fullmatch(time) if isinstance(time, str) else None
    if form is None or not time or form[3] + form[4] >= form[1] + form[2]:
        return None
    evening = f"{form[1]}:{form[2]}-{int(form[3]) + 12}:{form[4]}"
    return (
        f"window.time {shown(time)} is open through the night, until {form[3]}:{form[4]} of the next day; "
        f"if the afternoon was meant, write {shown(evening)}"
    )
