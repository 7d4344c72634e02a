"""Retention: the `[retention]` table of the settings, read."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from experience_runtime.domain.durations import parse_delay
from experience_runtime.domain.errors import InvalidDelay, InvalidParameter
from experience_runtime.domain.retention import (
    DEFAULTS,
    KINDS,
    SHORTEST,
    SHORTEST_OF_ANSWERS,
    Kind,
    Retention,
)
from experience_runtime.domain.values import nearest, shown

_LONGEST = timedelta(days=36_525)


def read_retention(table: Mapping[str, Any], *, where: str) -> Retention:
    """Read the table; each value is a duration such as "30 days", or "off". `where` names the file."""
    for key in table:
        if key not in KINDS:
            meant = nearest(key, KINDS)
            hint = f'did you mean "{meant}"?' if meant else f"known are: {', '.join(KINDS)}"
            raise InvalidParameter(f'{where}: "retention.{key}" is not a setting; {hint}')
    kept = {kind: _kept(kind, table[kind], where) if kind in table else DEFAULTS[kind] for kind in KINDS}
    return Retention(kept)


def _kept(kind: Kind, value: object, where: str) -> timedelta | None:
    if value == "off":
        return None
    shortest = SHORTEST_OF_ANSWERS if kind == "answers" else SHORTEST
    try:
        if not isinstance(value, str):
            raise InvalidDelay("a number says no unit")
        kept = timedelta(milliseconds=parse_delay(value))
    except (InvalidDelay, OverflowError):
        kept = None
    if kept is None or not shortest <= kept <= _LONGEST:
        raise InvalidParameter(
            f"{where}: retention.{kind} = {shown(value)} must be a duration of at least "
            f'{shortest // timedelta(hours=1)} h and at most 100 years, or "off"; write {kind} = "30 days"'
        )
    return kept
