"""Schedules: windows and dates to skip, what a late one does, and how one is stored.

Source: reference/recurring-schedules.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from experience_runtime.domain.errors import InvalidParameter, InvalidWindow, MissingParameter
from experience_runtime.domain.schedules import (
    COUNTED,
    CatchUp,
    Schedule,
    Turn,
    check_name,
    check_schedule_names,
    parse_catch_up,
    parse_timing,
    take_turn,
    timing_of,
    timing_texts,
)

NOW = datetime(2026, 3, 6, 16, 30, tzinfo=UTC)  # a Friday, 17:30 in Paris
OFFICE = {"day": "monday-friday", "time": "09:00-17:00"}
PARIS = {"timezone": "Europe/Paris"}


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("options", "runs"),
    [
        # what is asked for while the window is closed is one run, at the opening
        (
            {"every": "15 minutes", "window": OFFICE},
            ["2026-03-09T08:00Z", "2026-03-09T08:15Z", "2026-03-09T08:30Z"],
        ),
        ({"daily": "03:00", "window": OFFICE}, ["2026-03-09T08:00Z", "2026-03-10T08:00Z"]),
        ({"cron": "0 16,20 * * *", "window": OFFICE}, ["2026-03-09T08:00Z", "2026-03-09T15:00Z"]),
        ({"daily": "12:00", "window": {"time": "09:00-17:00"}}, ["2026-03-07T11:00Z"]),
        # a day the window leaves out has no run: nobody is woken at Monday's first minute
        ({"daily": "12:00", "window": {"day": "monday-friday"}}, ["2026-03-09T11:00Z", "2026-03-10T11:00Z"]),
        # skipped by its own date, or by the one it is moved to
        ({"daily": "09:00", "skip": ["2026-03-07", "2026-03-08"]}, ["2026-03-09T08:00Z"]),
        ({"daily": "00:30", "skip": ["2026-03-07"]}, ["2026-03-07T23:30Z"]),  # the 8th, in Paris
        (
            {"daily": "20:00", "window": OFFICE, "skip": ["2026-03-09"]},
            [
                "2026-03-11T08:00Z"
            ],  # Friday to Sunday move to the 9th, and what is asked on the 9th is out too
        ),
        ({"weekly": "friday 20:00", "window": OFFICE, "skip": ["2026-03-06"]}, ["2026-03-16T08:00Z"]),
        ({"every": "1 minute", "skip": ["2026-03-06"]}, ["2026-03-06T23:00Z", "2026-03-06T23:01Z"]),
        (
            {"cron": "0 9 * * 1", "skip": ["2026-03-09", "2026-03-23"]},
            ["2026-03-16T08:00Z", "2026-03-30T07:00Z"],
        ),
    ],
)
def test_runs_are_moved_by_the_window_and_leave_the_skipped_dates_out(
    options: dict[str, Any], runs: list[str]
) -> None:
    timing = parse_timing({**options, **PARIS}, now=NOW)

    assert timing.next_five(NOW)[: len(runs)] == [_at(text) for text in runs]


@pytest.mark.parametrize(
    "options",
    [
        {"cron": "0 9 25 12 *", "skip": [f"{year}-12-25" for year in range(2026, 2032)]},
        {"every": "1 hour", "starting": "9999-12-31"},
        {"cron": "0 0 29 2 *", "skip": ["2028-02-29"]},
    ],
)
def test_without_a_run_for_five_years_there_is_none(options: dict[str, Any]) -> None:
    timing = parse_timing({**options, "timezone": "UTC"}, now=NOW)

    assert timing.next_after(NOW) is None


def test_a_run_says_what_asked_for_it_and_whether_the_window_moved_it() -> None:
    timing = parse_timing({"daily": "03:00", "window": OFFICE, **PARIS}, now=NOW)
    unmoved = parse_timing({"daily": "09:00", "window": OFFICE, **PARIS}, now=NOW)
    long = parse_timing(
        {"cron": "0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17 0,1,2,3,4,5 * * *", **PARIS}, now=NOW
    )

    assert timing.text_at(_at("2026-03-09T08:00Z")) == "daily at 03:00 (moved by window)"
    assert unmoved.text_at(_at("2026-03-09T08:00Z")) == "daily at 09:00"
    assert len(long.text_at(NOW)) <= 80


@pytest.mark.parametrize("catch_up", CatchUp)
@pytest.mark.parametrize("late", [timedelta(), timedelta(milliseconds=5), timedelta(seconds=60)])
def test_an_instant_up_to_60_seconds_old_runs(catch_up: CatchUp, late: timedelta) -> None:
    timing = parse_timing({"every": "15 minutes", "timezone": "UTC"}, now=NOW)

    turn = take_turn(timing, NOW, catch_up, now=NOW + late)

    assert turn == Turn(run_at=NOW, missed=0, next_at=NOW + timedelta(minutes=15))


@pytest.mark.parametrize(
    ("catch_up", "outage", "expected"),
    [
        (CatchUp.ONE, "60.001 s", (0, 0, 15)),
        (CatchUp.ONE, "20 min", (15, 1, 30)),
        (CatchUp.ONE, "50 min", (45, 3, 60)),
        (CatchUp.NONE, "60.001 s", (None, 1, 15)),
        (CatchUp.NONE, "50 min", (None, 4, 60)),
        (CatchUp.NONE, "45 min", (45, 3, 60)),  # the latest one is on time
        (CatchUp.NONE, "46.001 min", (None, 4, 60)),
    ],
)
def test_after_an_outage_the_latest_instant_runs_or_none_and_the_missed_are_counted(
    catch_up: CatchUp, outage: str, expected: tuple[int | None, int, int]
) -> None:
    timing = parse_timing({"every": "15 minutes", "timezone": "UTC"}, now=NOW)
    number, unit = outage.split()
    late = timedelta(seconds=float(number)) if unit == "s" else timedelta(minutes=float(number))

    turn = take_turn(timing, NOW, catch_up, now=NOW + late)

    run_at, missed, next_at = expected
    assert turn == Turn(
        run_at=None if run_at is None else NOW + timedelta(minutes=run_at),
        missed=missed,
        next_at=NOW + timedelta(minutes=next_at),
    )


@pytest.mark.parametrize(
    ("options", "latest"),
    [
        ({"every": "1 minute"}, "2027-03-06T16:29Z"),
        ({"cron": "* * * * *"}, "2027-03-06T16:29Z"),
        ({"cron": "* * * * *", "window": OFFICE}, "2027-03-05T16:00Z"),  # the Friday before
        ({"cron": "*/5 * * * *", "skip": [f"2027-03-{day:02}" for day in range(1, 7)]}, "2027-02-28T22:55Z"),
        ({"daily": "03:00", "window": OFFICE}, "2027-03-05T08:00Z"),
    ],
)
def test_the_latest_instant_of_a_long_outage_is_found_without_walking_through_it(
    options: dict[str, Any], latest: str
) -> None:
    timing = parse_timing({**options, **PARIS}, now=NOW)
    first_at = timing.next_after(NOW)
    assert first_at is not None
    steps = _Counting(timing.recurrence)
    object.__setattr__(timing, "recurrence", steps)

    found, count = timing.overdue(first_at, _at("2027-03-06T16:29:30Z"))

    assert found == _at(latest)
    assert count == COUNTED
    assert steps.taken < 2_500  # a year of minutes has 525,600


class _Counting:
    """A recurrence that counts how often it is asked."""

    def __init__(self, recurrence: Any) -> None:
        self._recurrence = recurrence
        self.taken = 0

    def next_after(self, instant: datetime) -> datetime | None:
        self.taken += 1
        found: datetime | None = self._recurrence.next_after(instant)
        return found


def test_a_timing_is_stored_and_read_back() -> None:
    options = {"weekly": "monday 09:00", "window": OFFICE, "skip": ["2026-12-28", "2026-12-21"], **PARIS}
    timing = parse_timing(options, now=NOW)

    recurrence, zone, window, skip = timing_texts(timing)

    assert (recurrence, zone) == ('{"weekly":"monday 09:00"}', "Europe/Paris")
    assert (window, skip) == ("monday-friday 09:00-17:00", '["2026-12-21","2026-12-28"]')
    stored = Schedule(
        name="digest",
        integration="slack-update",
        recurrence=recurrence,
        zone=zone,
        window=window,
        payload="{}",
        skip=skip,
        catch_up=CatchUp.ONE,
        created_at=NOW,
        updated_at=NOW,
        next_at=None,
    )
    assert timing_of(stored) == timing


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"timezone": None}, MissingParameter, ["timezone is not set", '"UTC"']),
        ({"timezone": "Paris"}, InvalidParameter, ['"Paris"', 'did you mean "Europe/Paris"']),
        ({"timezone": "UTC+01:00"}, InvalidParameter, ['"UTC+01:00"', "IANA"]),
        ({"window": {"day": "mon"}}, InvalidWindow, ['"mon"', "monday"]),
        ({"window": "office hours"}, InvalidWindow, ["is not an object"]),
        (
            {"window": {"timezone": "Asia/Tokyo"}},
            InvalidWindow,
            ["Asia/Tokyo", "schedule's own", "leave it out"],
        ),
        ({"window": {"timezoneOffset": 0}}, InvalidWindow, ["timezoneOffset 0", "leave it out"]),
        ({"skip": "2026-12-25"}, InvalidParameter, ["is not a list", '["2026-12-25"]']),
        ({"skip": ["2026-02-30"]}, InvalidParameter, ['"2026-02-30"', "not a date of the calendar"]),
        ({"skip": ["20261225"]}, InvalidParameter, ['"20261225"', '"2026-12-25"']),
        ({"skip": ["2026-12-25"] * 1001}, InvalidParameter, ["at most 1000"]),
        ({"catch_up": "all"}, InvalidParameter, ['"all"', '"one" or "none"']),
        ({"timzone": "UTC"}, InvalidParameter, ['"timzone"', 'did you mean "timezone"']),
        ({"colour": "red"}, InvalidParameter, ['"colour"', "it has every, daily"]),
    ],
)
def test_what_is_no_schedule_is_refused_with_the_value_the_rule_and_the_fix(
    options: dict[str, Any], error: type[InvalidParameter], said: list[str]
) -> None:
    wanted = {"daily": "09:00", "timezone": "UTC", **options}

    with pytest.raises(error) as caught:
        _check(wanted)

    assert [part for part in said if part not in caught.value.message] == []


def _check(wanted: dict[str, Any]) -> None:
    check_schedule_names(wanted)
    parse_timing(wanted, now=NOW)
    parse_catch_up(wanted)


@pytest.mark.parametrize("name", ["a", "daily-digest", "Report_2", "x" * 100])
def test_a_name_is_letters_digits_and_two_marks(name: str) -> None:
    assert check_name(name) == name


@pytest.mark.parametrize("name", ["", "a b", "a.b", "é", "x" * 101, "a\n"])
def test_another_name_is_refused(name: str) -> None:
    with pytest.raises(InvalidParameter, match="1 to 100 letters"):
        check_name(name)
