"""Instants: aware UTC datetimes of whole milliseconds, and the ways a caller writes one."""

import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from dateutil.parser import isoparse

from experience_runtime.domain.errors import BeyondLimit, InThePast, InvalidTime
from experience_runtime.domain.values import shown, whole_number

GRACE_MS = 60_000
"""How far in the past a requested instant may lie. Source: reference/schedule-options#time."""

HORIZON_MS = 30 * 86_400_000
"""How far ahead a requested instant may lie. Source: reference/schedule-options#thirty-days."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_LONGEST_TEXT = 100
_OWN_LENGTH = len("2026-03-04T10:30:15.250Z")
_FIRST_MS = -62_135_596_800_000  # 0001-01-01, the first instant a datetime can hold
_STARTS = range(1970, 9000)
_LAST_MS = 253_402_300_799_999  # the end of 9999, the last one
_PLAUSIBLE_SECONDS = range(978_307_200, 4_102_444_800)  # 2001 to the end of 2099

_FORM = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"(?P<time>[Tt ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?(?P<zone>[Zz]|[+-][0-9]{2}:?[0-9]{2})?)?"
)


@dataclass(frozen=True, slots=True)
class ParsedTime:
    """An instant as read; `zone_assumed` when it had a time of day and no zone, so that UTC was taken."""

    at: datetime
    zone_assumed: bool


def from_ms(ms: int) -> datetime:
    """Make the instant that lies `ms` Unix milliseconds after 1970."""
    return _EPOCH + ms * _MILLISECOND


def to_ms(dt: datetime) -> int:
    """Count the whole Unix milliseconds of an aware datetime, rounding down."""
    return (dt - _EPOCH) // _MILLISECOND


def iso(dt: datetime) -> str:
    """Spell an instant in UTC with milliseconds: `2026-03-04T10:30:15.250Z`."""
    if dt.tzinfo is not UTC:
        dt = dt.astimezone(UTC)
    return dt.isoformat(timespec="milliseconds")[:-6] + "Z"


def parse_time(value: object, *, now: datetime) -> ParsedTime:
    """Read `time`: Unix milliseconds or an ISO 8601 string, cut down to whole milliseconds.

    The horizon is checked in planning; `now` only tells seconds from milliseconds. A number no calendar
    reaches raises BeyondLimit or InThePast here, anything else unreadable InvalidTime.
    Source: reference/schedule-options#time.
    """
    if isinstance(value, str):
        return _from_text(value, now)
    number = whole_number(value)
    if number is None:
        raise InvalidTime(
            f"time {shown(value)} is neither whole Unix milliseconds nor an ISO 8601 string; "
            f'write {to_ms(now)} or "{iso(now)}"'
        )
    return ParsedTime(_from_number(number, now), zone_assumed=False)


def parse_start(value: str, *, now: datetime) -> datetime:
    """Read the instant at which a story or a question begins: any that zones and 30 days leave in a calendar.

    Raises InvalidTime.
    """
    at = parse_time(value, now=now).at
    if at.year not in _STARTS:
        raise InvalidTime(
            f"at {shown(value)} is at the edge of the calendar; write an instant of the years "
            f"{_STARTS[0]} to {_STARTS[-1]}"
        )
    return at


def _from_number(number: int, now: datetime) -> datetime:
    now_ms = to_ms(now)
    if number < now_ms - GRACE_MS:
        near_in_seconds = now_ms - GRACE_MS <= number * 1000 <= now_ms + HORIZON_MS
        if near_in_seconds or number in _PLAUSIBLE_SECONDS:
            raise InvalidTime(
                f"time {number} is in seconds; time is in Unix milliseconds: write {number * 1000}"
            )
    if number > _LAST_MS:
        raise BeyondLimit(
            f"time {shown(number)} is after the year 9999; at most 30 days ahead: "
            f"write Unix milliseconds up to {now_ms + HORIZON_MS}"
        )
    if number < _FIRST_MS:
        raise InThePast(
            f"time {shown(number)} is before the year 1; write Unix milliseconds from {now_ms} on, or delay 0"
        )
    return from_ms(number)


@lru_cache(maxsize=2_000)  # a simulation reads the instants of its story several times
def read_iso(text: str) -> ParsedTime:
    """Read an ISO 8601 string, cut down to whole milliseconds; ValueError says in words what is wrong.

    The vectors in tests/vectors/times.json decide which forms are read.
    """
    form = _FORM.fullmatch(text) if len(text) <= _LONGEST_TEXT else None
    if form is None:
        raise ValueError("is not ISO 8601")
    try:
        read = _read(text)
        # UTC for a text without a zone: the reader's own zone would make the same text mean two instants
        at = read.astimezone(UTC) if read.tzinfo else read.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise ValueError("does not exist in the calendar or on the clock") from None
    at = at.replace(microsecond=at.microsecond // 1000 * 1000)
    return ParsedTime(at, zone_assumed=form["time"] is not None and form["zone"] is None)


def _read(text: str) -> datetime:
    if len(text) == _OWN_LENGTH and text.endswith("Z"):  # as we write them: many times quicker
        with suppress(ValueError):  # 24:00, say
            return datetime.fromisoformat(text)
    return isoparse(text)


def _from_text(text: str, now: datetime) -> ParsedTime:
    try:
        return read_iso(text)
    except ValueError as fault:
        raise InvalidTime(f"time {shown(text)} {fault}; {_fix_for(text, now)}") from None


def _fix_for(text: str, now: datetime) -> str:
    if text.isascii() and text.isdigit():
        return f'write Unix milliseconds as a number, without quotes, or a text like "{iso(now)}"'
    return f'write it like "{iso(now)}" or as Unix milliseconds like {to_ms(now)}'
