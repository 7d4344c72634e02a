"""Recurrences where the clock is put forward or back. Source: reference/recurring-schedules#clock-changes."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from experience_runtime.domain.recurrences import Recurrence, parse_recurrence
from experience_runtime.domain.zones import Zone, iana_zone, iso_local
from hypothesis import given, settings
from hypothesis import strategies as st

ZONES = (
    "Africa/Cairo",
    "Africa/Casablanca",
    "America/Havana",  # back at 01:00 to midnight
    "America/New_York",
    "America/Nuuk",
    "America/Santiago",  # forward at midnight, back at midnight to 23:00
    "America/Scoresbysund",  # forward at 23:00, so that the next day begins an hour early
    "America/St_Johns",
    "Antarctica/Troll",  # two hours
    "Asia/Beirut",
    "Asia/Tokyo",
    "Australia/Lord_Howe",  # half an hour
    "Europe/Paris",
    "Pacific/Chatham",
    "UTC",
)


def _listed(recurrence: Recurrence, after: datetime, until: datetime) -> list[datetime]:
    found: list[datetime] = []
    at = recurrence.next_after(after)
    while at is not None and at < until:
        found.append(at)
        at = recurrence.next_after(at)
    return found


def _local(options: dict[str, Any], name: str, first_day: str, days: int) -> list[str]:
    zone = iana_zone(name)
    start = datetime.fromisoformat(first_day).replace(tzinfo=zone.rules).astimezone(UTC)
    recurrence = parse_recurrence(options, zone, now=start)
    instants = _listed(recurrence, start - timedelta(milliseconds=1), start + timedelta(days=days))
    return [iso_local(at, zone).replace(":00.000", "")[5:] for at in instants]


@pytest.mark.parametrize(
    ("name", "minute_and_hour", "first_day", "local"),
    [
        # forward: the first instant after the jump
        ("America/New_York", "30 2", "2026-03-07", ["03-07T02:30-05:00", "03-08T03:00-04:00"]),
        ("Europe/Paris", "0 2", "2026-03-28", ["03-28T02:00+01:00", "03-29T03:00+02:00"]),
        ("Europe/Paris", "59 2", "2026-03-28", ["03-28T02:59+01:00", "03-29T03:00+02:00"]),
        ("Europe/Paris", "0 3", "2026-03-28", ["03-28T03:00+01:00", "03-29T03:00+02:00"]),
        ("Australia/Lord_Howe", "15 2", "2026-10-03", ["10-03T02:15+10:30", "10-04T02:30+11:00"]),
        ("Africa/Cairo", "0 0", "2026-04-23", ["04-23T00:00+02:00", "04-24T01:00+03:00"]),
        ("America/Santiago", "30 0", "2026-09-05", ["09-05T00:30-04:00", "09-06T01:00-03:00"]),
        ("Antarctica/Troll", "30 1", "2026-03-28", ["03-28T01:30+00:00", "03-29T03:00+02:00"]),
        # forward over midnight: the date was there, its time comes with the next one
        ("America/Scoresbysund", "30 23", "2025-03-28", ["03-28T23:30-02:00", "03-30T00:00-01:00"]),
        # back: the first pass
        ("America/New_York", "30 1", "2026-10-31", ["10-31T01:30-04:00", "11-01T01:30-04:00"]),
        ("Europe/Paris", "0 2", "2026-10-24", ["10-24T02:00+02:00", "10-25T02:00+02:00"]),
        ("Europe/Paris", "0 3", "2026-10-24", ["10-24T03:00+02:00", "10-25T03:00+01:00"]),
        ("Australia/Lord_Howe", "45 1", "2026-04-04", ["04-04T01:45+11:00", "04-05T01:45+11:00"]),
        ("Africa/Cairo", "30 23", "2026-10-29", ["10-29T23:30+03:00", "10-30T23:30+02:00"]),
        ("America/Santiago", "30 23", "2026-04-04", ["04-04T23:30-03:00", "04-05T23:30-04:00"]),
        ("America/Havana", "0 0", "2026-10-31", ["10-31T00:00-04:00", "11-01T00:00-04:00"]),
        # a date that never was has no run
        ("Pacific/Apia", "0 9", "2011-12-29", ["12-29T09:00-10:00", "12-31T09:00+14:00"]),
        ("Pacific/Apia", "0 0", "2011-12-29", ["12-29T00:00-10:00", "12-31T00:00+14:00"]),
    ],
)
def test_a_daily_time_comes_once_on_the_day_of_a_change(
    name: str, minute_and_hour: str, first_day: str, local: list[str]
) -> None:
    minute, hour = map(int, minute_and_hour.split())

    daily = _local({"daily": f"{hour:02}:{minute:02}"}, name, first_day, 5)
    weekly = _local({"weekly": f"monday-sunday {hour:02}:{minute:02}"}, name, first_day, 5)
    cron = _local({"cron": f"{minute_and_hour} * * *"}, name, first_day, 5)

    assert daily[:2] == local
    assert weekly == cron == daily


@pytest.mark.parametrize(
    ("name", "cron", "first_day", "local"),
    [
        # fixed hours: each listed time once, and those that a jump swallows are one
        ("Europe/Paris", "*/20 2 * * *", "2026-03-29", ["03-29T03:00+02:00"]),
        (
            "Europe/Paris",
            "*/20 2 * * *",
            "2026-10-25",
            ["10-25T02:00+02:00", "10-25T02:20+02:00", "10-25T02:40+02:00"],
        ),
        ("Europe/Paris", "0 2,3 * * *", "2026-03-29", ["03-29T03:00+02:00"]),
        ("Pacific/Apia", "0 9 30 12 *", "2011-12-29", []),
        # any hour: as the clock goes
        (
            "Europe/Paris",
            "30 * 29 3 *",
            "2026-03-29T01:00",
            ["03-29T01:30+01:00", "03-29T03:30+02:00", "03-29T04:30+02:00"],
        ),
        (
            "Europe/Paris",
            "0 * 25 10 *",
            "2026-10-25T01:00",
            ["10-25T01:00+02:00", "10-25T02:00+02:00", "10-25T02:00+01:00", "10-25T03:00+01:00"],
        ),
        (
            "Europe/Paris",
            "0 0-23 25 10 *",
            "2026-10-25T01:00",
            ["10-25T01:00+02:00", "10-25T02:00+02:00", "10-25T02:00+01:00", "10-25T03:00+01:00"],
        ),
        ("America/Santiago", "0 */3 * * *", "2026-09-06", ["09-06T03:00-03:00", "09-06T06:00-03:00"]),
        ("America/Santiago", "0 * 6 9 *", "2026-09-06", ["09-06T01:00-03:00", "09-06T02:00-03:00"]),
        (
            "Australia/Lord_Howe",
            "45 * 5 4 *",
            "2026-04-05T01:00",
            ["04-05T01:45+11:00", "04-05T01:45+10:30", "04-05T02:45+10:30"],
        ),
        (
            "Australia/Lord_Howe",
            "0,30 * 4 10 *",
            "2026-10-04T01:30",
            ["10-04T01:30+10:30", "10-04T02:30+11:00"],
        ),
    ],
)
def test_a_cron_expression_with_fixed_hours_comes_once_and_with_any_hour_as_the_clock_goes(
    name: str, cron: str, first_day: str, local: list[str]
) -> None:
    assert _local({"cron": cron}, name, first_day, 1)[: max(1, len(local))] == local


@pytest.mark.parametrize("name", ZONES)
@pytest.mark.parametrize("minute", [0, 30, 60, 90, 120, 150, 1410])
def test_over_two_years_a_daily_schedule_runs_once_for_each_local_date(name: str, minute: int) -> None:
    zone = iana_zone(name)
    start, end = datetime(2025, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
    time = "{:02}:{:02}".format(*divmod(minute, 60))

    daily = _listed(parse_recurrence({"daily": time}, zone, now=start), start, end)
    expression = f"{minute % 60} {minute // 60} * * *"
    cron = _listed(parse_recurrence({"cron": expression}, zone, now=start), start, end)

    # by the clock on the wall, walked through minute by minute on the days of a change
    assert daily == _by_walking(zone, minute, start, end)
    assert cron == daily


def _by_walking(zone: Zone, minute: int, start: datetime, end: datetime) -> list[datetime]:
    """For each local date, the first instant at which the clock shows this minute or jumps past it."""
    found = []
    for day in range(start.toordinal() - 1, end.toordinal() + 2):
        wanted = datetime.fromordinal(day) + timedelta(minutes=minute)
        # zoneinfo counts from one side of a change or the other: what is wanted lies between, or on either
        near = sorted(wanted.replace(tzinfo=zone.rules, fold=fold).astimezone(UTC) for fold in (0, 1))
        at = near[0]
        while zone.local(at).replace(tzinfo=None) < wanted:
            at += timedelta(minutes=1)
        found.append(at)
    return [at for at in found if start < at < end]


def test_a_daily_schedule_has_each_date_of_two_years_in_apia_but_the_one_that_never_was() -> None:
    zone = iana_zone("Pacific/Apia")
    start, end = datetime(2011, 1, 1, 10, tzinfo=UTC), datetime(2013, 1, 1, tzinfo=UTC)

    runs = _listed(parse_recurrence({"daily": "09:00"}, zone, now=start), start, end)

    dates = Counter(zone.local(at).date() for at in runs)
    assert set(dates.values()) == {1}
    assert date(2011, 12, 30) not in dates
    assert len(dates) == (max(dates) - min(dates)).days  # all but one


@settings(deadline=None)
@given(
    name=st.sampled_from(ZONES),
    cron=st.sampled_from(["*/7 * * * *", "0 */3 * * *", "15,45 0-23 * * *"]),
    change=st.integers(0, 3),
    minutes=st.integers(-400, 400),
)
def test_any_hour_comes_exactly_when_the_clock_shows_it(
    name: str, cron: str, change: int, minutes: int
) -> None:
    zone = iana_zone(name)
    start = _change(zone, change) + timedelta(minutes=minutes)
    recurrence = parse_recurrence({"cron": cron}, zone, now=start)

    found = recurrence.next_after(start)

    assert found is not None
    later = (start + timedelta(minutes=n) for n in range(1, (found - start) // timedelta(minutes=1) + 1))
    assert [at for at in later if _shows(cron, zone.local(at))] == [found]


def _change(zone: Zone, number: int) -> datetime:
    """The clock's change of this number from 2025 on, or, where there is none, the start of that year."""
    start = at = datetime(2025, 1, 1, tzinfo=UTC)
    for _ in range(number + 1):
        at = zone.next_change(at, start + timedelta(days=730)) or start
    return at


def _shows(cron: str, local: datetime) -> bool:
    """Read the few expressions above plainly."""
    match cron:
        case "*/7 * * * *":
            return local.minute % 7 == 0
        case "0 */3 * * *":
            return local.minute == 0 and local.hour % 3 == 0
        case _:
            return local.minute in (15, 45)
