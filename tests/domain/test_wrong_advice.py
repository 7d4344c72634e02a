"""What people write for a time, a day, a duration or a cron expression, and the form that is read."""

from datetime import UTC, datetime

import pytest
from experience_runtime.domain.doubts import doubts_of
from experience_runtime.domain.durations import parse_delay
from experience_runtime.domain.errors import InvalidDelay, InvalidParameter, InvalidWindow
from experience_runtime.domain.options import check_execute_options
from experience_runtime.domain.planning import plan
from experience_runtime.domain.recurrences import parse_recurrence
from experience_runtime.domain.visitors import Visitor
from experience_runtime.domain.windows import parse_window
from experience_runtime.domain.zones import UTC as UTC_ZONE

NOW = datetime(2026, 3, 6, 16, 30, tzinfo=UTC)

DAYS = {
    "weekdays": "monday-friday",
    "weekend": "saturday-sunday",
    "monday - friday": "monday-friday",
    "Mon-Fri": "monday-friday",
    "monday–friday": "monday-friday",
    "monday to friday": "monday-friday",
    "mon, wed": "monday,wednesday",
    "tue & thu": "tuesday,thursday",
    "monday/friday": "monday,friday",
    "monday friday": "monday,friday",
    "mon thru fri": "monday-friday",
    "Wednesdays and Fridays": "wednesday,friday",
    "monday - wednesday, friday": "monday-wednesday,friday",
    "workweek": "monday-friday",
}


@pytest.mark.parametrize(("written", "meant"), DAYS.items())
def test_days_are_refused_with_the_form_that_is_read(written: str, meant: str) -> None:
    with pytest.raises(InvalidWindow, match=f'write "{meant}"'):
        parse_window(written, None, UTC_ZONE)

    assert parse_window(meant, None, UTC_ZONE)


@pytest.mark.parametrize("days", [["monday", "friday"], ["Mon", "fri"]])
def test_a_list_of_days_is_refused_with_the_string_it_should_be(days: list[str]) -> None:
    with pytest.raises(InvalidWindow, match='write "monday,friday"'):
        parse_window(days, None, UTC_ZONE)


TIMES = {
    "10am-6pm": "10:00-18:00",
    "9-17": "09:00-17:00",
    "9:30am - 5 pm": "09:30-17:00",
    "12am-12pm": "00:00-12:00",
    "9 to 5pm": "09:00-17:00",
    "9-5": "09:00-17:00",
    "9am-5": "09:00-17:00",
    "8.30-17": "08:30-17:00",
    "9h30-17h": "09:30-17:00",
    "0900-1700": "09:00-17:00",
    "from 9:00 to 17:00": "09:00-17:00",
    "9.00 - 17.30 Uhr": "09:00-17:30",
    "09:00:00-17:00:00": "09:00-17:00",
    "9am-noon": "09:00-12:00",
    "6pm-midnight": "18:00-23:59",
    "9:00-24:00": "09:00-23:59",
    "22-6": "22:00-06:00",
    "10pm-6": "22:00-06:00",
    "12am-6am": "00:00-06:00",
}


@pytest.mark.parametrize(("written", "meant"), TIMES.items())
def test_hours_are_refused_with_the_form_that_is_read(written: str, meant: str) -> None:
    with pytest.raises(InvalidWindow, match=f'write "{meant}"'):
        parse_window(None, written, UTC_ZONE)

    assert parse_window(None, meant, UTC_ZONE)


@pytest.mark.parametrize(
    "written", ["17", "9-5am", "after 9", "09:00-25:00", "13pm-2pm", "24-6", "08:00,20:00", "09:00-17:00 CET"]
)
def test_hours_that_mean_nothing_certain_are_answered_by_an_example(written: str) -> None:
    with pytest.raises(InvalidWindow, match='write it like "09:00-17:00"'):
        parse_window(None, written, UTC_ZONE)


DELAYS = {
    "PT1H30M": '"1h 30m" or 5400000',
    "P1D": '"1d" or 86400000',
    "one hour": '"1 hour" or 3600000',
    "half an hour": '"0.5 hour" or 1800000',
    "twenty-four hours": '"24 hours" or 86400000',
    "in 2 hours": '"2 hours" or 7200000',
    "2 days later": '"2 days" or 172800000',
    "1,5 h": '"1.5 h" or 5400000',
    "one hour and thirty minutes": '"1 hour 30 minutes" or 5400000',
    "1h30": '"1h 30m" or 5400000',
    "1:30": '"1h 30m" or 5400000',
    "01:30:00": '"1h 30m" or 5400000',
    "5 minuets": '"5 minutes" or 300000',
    "2 hrs. 5 min.": '"2 hrs 5 min" or 7500000',
    "1 h and 30 min": '"1 h 30 min" or 5400000',
}


@pytest.mark.parametrize(("written", "meant"), DELAYS.items())
def test_a_delay_is_refused_with_the_form_that_is_read(written: str, meant: str) -> None:
    with pytest.raises(InvalidDelay) as raised:
        parse_delay(written)

    assert raised.value.message.endswith(f"write {meant}")
    assert parse_delay(meant.split('"')[1]) == int(meant.split()[-1])


@pytest.mark.parametrize(
    ("written", "ms"), [("1s 500ms", 1500), ("1h 2 milliseconds", 3_600_002), ("1m, 5.5 ms", 60_006)]
)
def test_milliseconds_end_a_compound_duration(written: str, ms: int) -> None:
    assert parse_delay(written) == ms


@pytest.mark.parametrize("written", ["500ms 1s", "1s 5ms 5ms", "ms 5", "1s 500ms 1m"])
def test_milliseconds_stand_last(written: str) -> None:
    with pytest.raises(InvalidDelay):
        parse_delay(written)


@pytest.mark.parametrize("cron", ["0 0 31 4 *", "0 0 30 2 *", "0 0 31 4,6 *"])
def test_a_day_that_no_month_has_never_comes(cron: str) -> None:
    with pytest.raises(InvalidParameter, match="never comes: its days and months exclude each other"):
        parse_recurrence({"cron": cron}, UTC_ZONE, now=NOW)


def test_a_question_mark_of_other_programs_is_refused_with_a_star() -> None:
    with pytest.raises(InvalidParameter, match=r'write "0 9 \* \* MON"'):
        parse_recurrence({"cron": "0 9 ? * MON"}, UTC_ZONE, now=NOW)


@pytest.mark.parametrize("name", ["delay", "time", "window", "cancelOnConversion"])
def test_execute_refuses_what_would_mean_later(name: str) -> None:
    with pytest.raises(InvalidParameter, match=f"{name} .* has no place in execute: it runs at once"):
        check_execute_options({name: "1 hour"})


def test_execute_refuses_a_near_miss_of_what_would_mean_later() -> None:
    with pytest.raises(InvalidParameter, match='"delay" has no place in execute'):
        check_execute_options({"dely": "1 hour"})


def test_execute_warns_of_options_that_it_does_not_know() -> None:
    warnings = check_execute_options({"key": "k", "zebra": 1, "ifExists": "keep", "delay": None})

    assert [warning.split()[1] for warning in warnings] == ['"zebra"', '"ifExists"']


@pytest.mark.parametrize(
    ("options", "part"),
    [
        ({"delay": 3600}, 'write 3600000 or "60 min"'),
        ({"delay": 60}, 'write 60000 or "1 min"'),
        ({"delay": 2_591_940}, 'write 2591940000 or "43199 min"'),
        ({"delay": 86400}, 'write 86400000 or "1440 min"'),
        ({"delay": "3600"}, 'no unit, so it is milliseconds; write "3600 s", "3600 min" or "3600 ms"'),
        ({"delay": "90"}, 'write "90 s", "90 min"'),
        ({"time": "2026-03-07"}, 'midnight in UTC; write "2026-03-07T09:00Z"'),
        ({"window": {"time": "09:00-09:00"}}, "is one minute long"),
        ({"window": {"time": "09:00-05:00"}}, 'if the afternoon was meant, write "09:00-17:00"'),
        ({"window": {"time": "11:30-11:00"}}, "open through the night, until 11:00 of the next day"),
        ({"window": {"timezoneOffset": 14}}, "write -840 for UTC+14"),
        ({"window": {"timezoneOffset": 2}}, "write -120 for UTC+2, or 120 for UTC-2"),
        ({"window": {"timezoneOffset": -8}}, "is 8 min ahead of UTC; if hours were meant, write -480"),
    ],
)
def test_what_is_seldom_meant_is_told(options: dict[str, object], part: str) -> None:
    (doubt,) = doubts_of(options)

    assert part in doubt


@pytest.mark.parametrize(
    "options",
    [
        {"delay": 60_000},
        {"delay": 0},
        {"delay": 59},
        {"delay": 2_592_060},  # more than thirty days in seconds
        {"window": {"timezoneOffset": 15}},
        {"delay": "60000"},
        {"delay": "90 ms"},
        {"delay": True},
        {"time": "2026-03-07T09:00Z"},
        {"time": 1},
        {"window": {"time": "09:00-17:00"}},
        {"window": {"time": "22:00-06:00"}},
        {"window": {"time": "12:00-11:00"}},
        {"window": {"time": "09:00-11:00"}},
        {"window": {"timezoneOffset": 0}},
        {"window": {"timezoneOffset": -60}},
        {"window": {"timezoneOffset": "2"}},
        {"window": "09:00-09:00"},
        {},
    ],
)
def test_what_is_plain_is_not_doubted(options: dict[str, object]) -> None:
    assert doubts_of(options) == []


def test_an_offset_with_the_visitors_sign_turned_round_is_warned_of() -> None:
    visitor = Visitor(id="ada", timezone="Europe/Paris")  # UTC+1 in March: 60 minutes ahead, so -60
    window = {"time": "09:00-17:00", "timezoneOffset": 60}

    warnings = plan({"delay": 0, "window": window}, now=NOW, visitor=visitor).warnings

    assert any("write timezoneOffset: -60" in warning for warning in warnings)
    right = plan({"delay": 0, "window": {**window, "timezoneOffset": -60}}, now=NOW, visitor=visitor)
    assert right.warnings == ()
