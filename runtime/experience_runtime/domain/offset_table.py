"""Offset tables: a zone's rules as numbers, for readers that know no zones."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache

from experience_runtime.domain.zones import Zone

FIRST_YEAR, LAST_YEAR = 1990, 2069
"""The years the tables cover; before and after, the nearest offset holds."""

_STEP = timedelta(days=7)  # no zone changes twice within a week in these years
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@lru_cache(maxsize=512)
def offset_table(zone: Zone) -> tuple[int, ...]:
    """The zone's offsets, minutes *ahead of* UTC: the first, then pairs of a change and the offset after it.

    A change is in whole minutes since 1970, UTC.
    """
    at = datetime(FIRST_YEAR, 1, 1, tzinfo=UTC)
    end = datetime(LAST_YEAR + 1, 1, 1, tzinfo=UTC)
    table = [_minutes(zone.offset_at(at))]
    while at < end:
        until = at + _STEP
        offset = _minutes(zone.offset_at(until))
        if offset != table[-1]:
            change = zone.next_change(at, until) or until
            table += [_minutes(change - _EPOCH), offset]
        at = until
    return tuple(table)


def _minutes(span: timedelta) -> int:
    return int(span.total_seconds()) // 60
