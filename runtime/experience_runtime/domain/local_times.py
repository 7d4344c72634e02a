"""Local times: the instant at which a zone's clock first shows a date and a minute."""

from datetime import UTC, date, datetime, time, timedelta

from experience_runtime.domain.zones import Zone

_MIDNIGHT = time()
_DAY = timedelta(days=1)
_MILLISECOND = timedelta(milliseconds=1)
_LONGEST_GAP_DAYS = 2


def instant_of(local: datetime, zone: Zone) -> datetime | None:
    """Find the instant of a local time (naive): the first pass where the clock is put back over it.

    A time that the clock jumps over gives the first instant after the jump; None when the whole date is
    jumped over. A later local time never gives an earlier instant.
    """
    by_the_clock_before = _utc(local, zone, fold=0)
    if zone.local(by_the_clock_before).replace(tzinfo=None) == local:
        return by_the_clock_before
    jump = zone.next_change(_utc(local, zone, fold=1) - _MILLISECOND, by_the_clock_before)
    if jump is None:
        raise AssertionError("a time that the clock never shows is one it jumps over")
    resumes = zone.local(jump).replace(tzinfo=None)
    stopped = resumes - (zone.offset_at(jump) - zone.offset_at(jump - _MILLISECOND))
    midnight = datetime.combine(local.date(), _MIDNIGHT)
    return None if stopped <= midnight and midnight + _DAY <= resumes else jump


def date_of(instant: datetime, zone: Zone) -> date:
    """Tell the date that the zone's calendar shows."""
    return zone.local(instant).date()


def end_of_date(day: date, zone: Zone) -> datetime:
    """Find the first instant of the date that follows this one in the zone."""
    for days in range(1, _LONGEST_GAP_DAYS + 1):
        midnight = datetime.combine(day + days * _DAY, _MIDNIGHT)
        if (at := instant_of(midnight, zone)) is not None:
            return at
    raise AssertionError("no zone jumps over two dates")


def _utc(local: datetime, zone: Zone, *, fold: int) -> datetime:
    return local.replace(tzinfo=zone.rules, fold=fold).astimezone(UTC)
