"""Durations: the texts and numbers that say how long to wait."""

import math
import re
from collections.abc import Iterator
from itertools import pairwise

from experience_runtime.domain.errors import InvalidDelay
from experience_runtime.domain.values import nearest, shown, whole_number

_LONGEST_TEXT = 100
_SECOND_MS = 1000.0
_MINUTE_MS = 60 * _SECOND_MS
_HOUR_MS = 60 * _MINUTE_MS
_DAY_MS = 24 * _HOUR_MS
_UNIT_MS = {
    **dict.fromkeys(("", "milliseconds", "millisecond", "msecs", "msec", "ms"), 1.0),
    **dict.fromkeys(("seconds", "second", "secs", "sec", "s"), _SECOND_MS),
    **dict.fromkeys(("minutes", "minute", "mins", "min", "m"), _MINUTE_MS),
    **dict.fromkeys(("hours", "hour", "hrs", "hr", "h"), _HOUR_MS),
    **dict.fromkeys(("days", "day", "d"), _DAY_MS),
    **dict.fromkeys(("weeks", "week", "w"), 7 * _DAY_MS),
    **dict.fromkeys(("years", "year", "yrs", "yr", "y"), 365.25 * _DAY_MS),
}

# re.ASCII also keeps IGNORECASE from taking U+017F for an s
_ASCII = re.ASCII | re.IGNORECASE
_SINGLE = re.compile(r"(-?(?:\d+)?\.?\d+) *([a-z]*)", _ASCII)
_PAIR = re.compile(
    r"(?:\d+(?:\.\d+)?|\.\d+) *"
    r"(?:weeks?|w|days?|d|hours?|hrs?|h|minutes?|mins?|m|seconds?|secs?|s|milliseconds?|msecs?|ms)(?![a-z])",
    _ASCII,
)
_COMPOUND = re.compile(rf"{_PAIR.pattern}(?:(?:, | *){_PAIR.pattern})+", _ASCII)
_HOURS_AND_MINUTES = re.compile(r"(\d{1,4}) ?(?:h|hrs?|hours?|:) ?(\d{1,2})", _ASCII)
_CLOCK = re.compile(r"(\d{1,3}):([0-5]\d):([0-5]\d)", re.ASCII)
_UNIT_WORD = re.compile(r"(?<=[\d ])[a-z]{3,20}\b\.?", _ASCII)
_ABBREVIATED = re.compile(r"(?<=[a-z])\.", _ASCII)
_AND = re.compile(r" *\b(?:and|und)\b *|,", _ASCII)
_ISO = re.compile(
    r"P(?:(\d{1,4})W)?(?:(\d{1,4})D)?(?:T(?:(\d{1,4})H)?(?:(\d{1,4})M)?(?:(\d{1,4})S)?)?", _ASCII
)
_ISO_UNITS = ("w", "d", "h", "m", "s")
_AROUND = re.compile(r"^(?:in|after) +| +(?:later|from now|time)$", _ASCII)
_SAID = (
    (re.compile(r"(?<=\d),(?=\d{1,2}(?!\d))"), "."),
    (re.compile(r"\bhalf an? (?=hour)|\bhalf (?=hour)"), "0.5 "),
    (re.compile(r"\bhalf a (?=day|minute|week)"), "0.5 "),
    *(
        (re.compile(rf"\b(?:{words}) (?=[a-z])"), f"{number} ")
        for number, words in (
            *((24, "twenty[- ]four"), (48, "forty[- ]eight"), (45, "forty[- ]five")),
            *((1, "an?|one"), (2, "two"), (3, "three"), (4, "four"), (5, "five"), (6, "six"), (7, "seven")),
            *((8, "eight"), (9, "nine"), (10, "ten"), (12, "twelve"), (15, "fifteen"), (20, "twenty")),
            (30, "thirty"),
        )
    ),
)
_MONTHS = re.compile(r"\d *(?:months?|mos?|mon)(?![a-z])", _ASCII)


def parse_delay(value: object) -> int:
    """Read `delay` as whole milliseconds, zero or more; the limit of 30 days is checked in planning.

    Raises InvalidDelay. Source: reference/schedule-options#delay.
    """
    if isinstance(value, str):
        return _from_text(value)
    number = whole_number(value)
    if number is None:
        raise InvalidDelay(
            f"delay {shown(value)} is not whole milliseconds or a duration string; write {_whole_fix(value)}"
        )
    if number < 0:
        raise InvalidDelay(
            f"delay {shown(number)} is negative; write 0 to run at once, or milliseconds from 0"
        )
    return number


def ms_grammar(text: str) -> float | None:
    """Read a text as version 2.1 of npm's `ms` does, in milliseconds; None where `ms` refuses.

    The vectors in tests/vectors/ms.json decide.
    """
    if len(text) > _LONGEST_TEXT or (form := _SINGLE.fullmatch(text)) is None:
        return None
    unit_ms = _UNIT_MS.get(form[2].lower())
    return None if unit_ms is None else float(form[1]) * unit_ms


def _from_text(text: str) -> int:
    ms = _read(text)
    if ms is None:
        raise InvalidDelay(f"delay {shown(text)} {_fault_of(text)}")
    if ms < 0:
        raise InvalidDelay(
            f'delay {shown(text)} is negative; write 0 to run at once, or a text like "90 min"'
        )
    return _rounded(ms)


def _read(text: str) -> float | None:
    ms = ms_grammar(text)
    return _compound(text) if ms is None else ms


def _compound(text: str) -> float | None:
    """Read "1h 30m" and the like: two or more pairs, each unit once, the larger first."""
    if len(text) > _LONGEST_TEXT or _COMPOUND.fullmatch(text) is None:
        return None
    pairs = [form for pair in _PAIR.findall(text) if (form := _SINGLE.fullmatch(pair)) is not None]
    units = [_UNIT_MS[form[2].lower()] for form in pairs]
    if any(larger <= smaller for larger, smaller in pairwise(units)):
        return None
    return sum(float(form[1]) * unit_ms for form, unit_ms in zip(pairs, units, strict=True))


def _rounded(ms: float) -> int:
    # not floor(ms + 0.5): the addition itself rounds 0.49999999999999994 up
    below = math.floor(ms)
    return below + (ms - below >= 0.5)


def _fault_of(text: str) -> str:
    if _MONTHS.search(text[:_LONGEST_TEXT]):
        return 'counts in months, which differ in length; the limit is 30 days: write "30 days" or less'
    if len(text) > _LONGEST_TEXT:
        return f'has {len(text)} characters, at most {_LONGEST_TEXT} are read; write "90 min" or 5400000'
    plain = text.strip()
    for repaired in (*_spaced(plain), plain, plain + "s"):
        ms = _read(repaired)
        if ms is not None and ms >= 0:
            return f"is not a duration; write {shown(repaired)} or {_rounded(ms)}"
    return 'is not a duration; write "90 min" or 5400000'


def _spaced(text: str) -> Iterator[str]:
    """What "1h30", "1:30", "PT1H", "half an hour" or "5 minuets" mean, written so that it is read."""
    if (form := _ISO.fullmatch(text)) is not None:
        yield " ".join(f"{int(n)}{unit}" for n, unit in zip(form.groups(), _ISO_UNITS, strict=True) if n)
    said = _AROUND.sub("", text.lower())
    for word, meant in _SAID:
        said = word.sub(meant, said)
    if (form := _HOURS_AND_MINUTES.fullmatch(text)) is not None and int(form[2]) < 60:
        yield f"{int(form[1])}h {int(form[2])}m"
    if (form := _CLOCK.fullmatch(text)) is not None:
        parts = zip(form.groups(), ("h", "m", "s"), strict=True)
        yield " ".join(f"{int(n)}{unit}" for n, unit in parts if int(n))
    spelled = _UNIT_WORD.sub(_nearest_unit, _ABBREVIATED.sub("", said))
    for each in (text, said, spelled):
        yield " ".join(_AND.sub(" ", each).split())


def _nearest_unit(word: re.Match[str]) -> str:
    return nearest(word[0], (unit for unit in _UNIT_MS if len(unit) > 2)) or word[0]


def _whole_fix(value: object) -> str:
    if isinstance(value, float) and math.isfinite(value) and value >= 0:
        return str(_rounded(value))
    return '"90 min" or 5400000'
