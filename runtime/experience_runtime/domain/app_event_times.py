"""Event times: when an event of `App("utils/scheduler", …)` happens, between a minute and a month ahead."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from experience_runtime.domain.durations import ms_grammar, parse_delay
from experience_runtime.domain.errors import (
    BeyondLimit,
    DelayAndTime,
    InvalidDelay,
    InvalidTime,
    NoDelayOrTime,
    TooSoon,
)
from experience_runtime.domain.instants import from_ms, iso, read_iso, to_ms
from experience_runtime.domain.values import shown, whole_number

MONTH_DAYS = 31
NEAREST_MS = 60_000
FARTHEST_MS = MONTH_DAYS * 86_400_000
"""How far ahead an event may lie, both ends included. Source: reference/scheduled-events#limits."""

_MONTHS = re.compile(r"([0-9]{1,9}) *months?", re.IGNORECASE | re.ASCII)
_ALMOST_MONTHS = re.compile(r"\d *(?:months?|mos?|mon)\s*\Z", re.IGNORECASE | re.ASCII)
_SHOWN_IN_ASKED = 60
_LONGEST_TEXT = 100
_CALENDAR_MS = range(-62_135_596_800_000, 253_402_300_800_000)  # the years 1 to 9999


@dataclass(frozen=True, slots=True)
class EventTime:
    """The exact instant of an event; `asked` quotes the caller in at most 80 characters."""

    at: datetime
    asked: str


def event_time(parameters: Mapping[str, object], *, now: datetime) -> EventTime:
    """Read `delay` or `schedule_time`; null is left out. Raises the Refusal of the first rule it breaks."""
    delay, time = parameters.get("delay"), parameters.get("schedule_time")
    if delay is not None and time is not None:
        raise DelayAndTime(
            f"delay {shown(delay)} and schedule_time {shown(time)} are both set; "
            "exactly one is allowed: write one of them"
        )
    if delay is not None:
        ahead_ms = _delay_ms(delay)
        _require_inside("delay", delay, ahead_ms, now)
        at = now + timedelta(milliseconds=ahead_ms)
        return EventTime(at, f"delay {shown(delay, _SHOWN_IN_ASKED)}")
    if time is not None:
        at_ms = _time_ms(time, now)
        _require_inside("schedule_time", time, at_ms - to_ms(now), now)
        return EventTime(from_ms(at_ms), f"schedule_time {shown(time, _SHOWN_IN_ASKED)}")
    raise NoDelayOrTime(
        'neither delay nor schedule_time is set; exactly one is needed: write delay: "5 min", '
        f'or schedule_time: "{iso(now + timedelta(hours=1))}"'
    )


def _delay_ms(delay: object) -> int:
    if isinstance(delay, str):
        if months := _MONTHS.fullmatch(delay):
            return int(months[1]) * FARTHEST_MS
        if _ALMOST_MONTHS.search(delay[:_LONGEST_TEXT]):
            raise InvalidDelay(
                f'delay {shown(delay)} is not a duration; write "1 month", which is {MONTH_DAYS} days, '
                'or days: "30 days"'
            )
    number = ms_grammar(delay) if isinstance(delay, str) else whole_number(delay)
    if number is not None and number < 0:
        return -1  # whatever it is, it is too soon
    return parse_delay(delay)


def _instant_ms(time: Mapping[object, object]) -> int | None:
    """What a bot's `Time()` is as JSON: {"content": {"milliseconds": …}}."""
    content = time.get("content")
    number = _number(content.get("milliseconds")) if isinstance(content, Mapping) else None
    return None if number is None else math.floor(number)


def _number(time: object) -> int | float | None:
    """Seconds may have a fraction: a bot divides milliseconds by 1000."""
    if isinstance(time, float) and math.isfinite(time):
        return time
    return whole_number(time)


def _time_ms(time: object, now: datetime) -> int:
    if isinstance(time, str):
        return _text_ms(time, now)
    if isinstance(time, Mapping) and (instant := _instant_ms(time)) is not None:
        return instant
    number = _number(time)
    if number is None:
        raise InvalidTime(
            f"schedule_time {shown(time)} is neither Unix seconds nor an ISO 8601 string; {_fix(now)}"
        )
    # At most one reading is inside: a month of milliseconds and one of seconds have no number in common.
    now_ms = to_ms(now)
    readings = (round(number * 1000), round(number))
    inside = (at_ms for at_ms in readings if NEAREST_MS <= at_ms - now_ms <= FARTHEST_MS)
    return next(inside, min(readings, key=lambda at_ms: abs(at_ms - now_ms)))


def _text_ms(text: str, now: datetime) -> int:
    try:
        return to_ms(read_iso(text).at)
    except ValueError as fault:
        unquoted = "without quotes, " if text.isascii() and text.isdigit() else ""
        raise InvalidTime(f"schedule_time {shown(text)} {fault}; {unquoted}{_fix(now)}") from None


def _require_inside(name: str, value: object, ahead_ms: int, now: datetime) -> None:
    if ahead_ms < NEAREST_MS:
        raise TooSoon(
            f"{name} {shown(value)} is {_told(name, ahead_ms, now)}less than a minute ahead; "
            f"write at least {_limit(name, now, NEAREST_MS, '1 min')}"
        )
    if ahead_ms > FARTHEST_MS:
        raise BeyondLimit(
            f"{name} {shown(value)} is {_told(name, ahead_ms, now)}more than 1 month "
            f"({MONTH_DAYS} days) ahead; write at most {_limit(name, now, FARTHEST_MS, '1 month')}"
        )


def _told(name: str, ahead_ms: int, now: datetime) -> str:
    """The instant a schedule_time was read as, for the caller to see whether that was meant."""
    at_ms = to_ms(now) + ahead_ms
    is_told = name == "schedule_time" and at_ms in _CALENDAR_MS
    return f"{iso(from_ms(at_ms))}, and it is {iso(now)} now: " if is_told else ""


def _limit(name: str, now: datetime, limit_ms: int, text: str) -> str:
    if name == "delay":
        return f'"{text}" or {limit_ms}'
    at = now + timedelta(milliseconds=limit_ms)
    rounded_up = -(-to_ms(at) // 1000)
    return f'"{iso(at)}" or {rounded_up if limit_ms == NEAREST_MS else to_ms(at) // 1000}'


def _fix(now: datetime) -> str:
    at = now + timedelta(hours=1)
    return f'write it like "{iso(at)}" or as Unix seconds like {to_ms(at) // 1000}'
