"""Windows. Source: reference/schedule-options#window."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from experience_runtime.domain.errors import InvalidWindow
from experience_runtime.domain.windows import DAYS, Window, parse_window, parse_window_text
from experience_runtime.domain.zones import UTC as UTC_ZONE
from experience_runtime.domain.zones import Zone, fixed_zone, iana_zone
from hypothesis import given, settings
from hypothesis import strategies as st

MINUTE = timedelta(minutes=1)
CASES = json.loads((Path(__file__).parents[1] / "vectors" / "windows.json").read_text())["cases"]


def window_of(options: Mapping[str, Any]) -> Window:
    zone = iana_zone(options["timezone"]) if "timezone" in options else fixed_zone(options["timezoneOffset"])
    return parse_window(options.get("day"), options.get("time"), zone)


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_a_window_opens_when_the_vectors_say(case: dict[str, Any]) -> None:
    window = window_of(case["window"])
    requested = datetime.fromisoformat(case["requested"])

    assert window.contains(requested) is case["inside"]
    assert window.next_inside(requested) == datetime.fromisoformat(case["resolved"])


@pytest.mark.parametrize(
    ("day", "time", "text"),
    [
        (None, None, "sunday-saturday 00:00-23:59"),
        ("monday-friday", "09:00-17:00", "monday-friday 09:00-17:00"),
        ("Monday-FRIDAY", None, "monday-friday 00:00-23:59"),
        ("monday,tuesday,wednesday", None, "monday-wednesday 00:00-23:59"),
        ("friday-monday", "22:00-06:00", "friday-monday 22:00-06:00"),
        ("sunday, saturday", None, "saturday-sunday 00:00-23:59"),
        ("friday,monday", None, "monday,friday 00:00-23:59"),
        ("monday-tuesday, saturday", None, "monday-tuesday,saturday 00:00-23:59"),
        ("tuesday-monday", None, "sunday-saturday 00:00-23:59"),
        ("sunday", "09:00-09:00", "sunday 09:00-09:00"),
        ("monday,monday", None, "monday 00:00-23:59"),
    ],
)
def test_a_window_is_stored_normalized_and_reads_back(day: object, time: object, text: str) -> None:
    window = parse_window(day, time, UTC_ZONE)

    assert window.text == text
    assert parse_window_text(text, UTC_ZONE) == window


@pytest.mark.parametrize(
    "day",
    [
        "",
        " ",
        ",",
        "monday,",
        "mon-fri",
        "weekday",
        "monday–friday",
        "monday-",
        "-friday",
        "monday-friday-sunday",
        "monday\tfriday",
        "\ufeffmonday",
        "monday\n",
        1,
        True,
        ["monday"],
        {"a": 1},
        "monday," * 999,
        "\0",
    ],
)
def test_days_that_are_not_written_in_full_are_refused(day: object) -> None:
    with pytest.raises(InvalidWindow) as caught:
        parse_window(day, None, UTC_ZONE)

    assert caught.value.message.isprintable()


@pytest.mark.parametrize(
    ("day", "meant"), [("mon-xyz", "monday"), ("thurs", "thursday"), ("wensday", "wednesday")]
)
def test_a_short_or_mistyped_day_is_refused_with_the_one_meant(day: str, meant: str) -> None:
    with pytest.raises(InvalidWindow, match=f'did you mean "{meant}"'):
        parse_window(day, None, UTC_ZONE)


@pytest.mark.parametrize(
    ("time", "fix"),
    [
        ("9:00-17:00", "09:00-17:00"),
        ("09:00 - 17:30", "09:00-17:30"),
        ("00:00-24:00", "00:00-23:59"),
        ("09:00", "09:00-17:00"),
        ("09:60-17:00", "09:00-17:00"),
        ("25:00-26:00", "09:00-17:00"),
        ("9am-5pm", "09:00-17:00"),
        ("٠٩:٠٠-١٧:٠٠", "09:00-17:00"),
        ("09:00-17:00\n", "09:00-17:00"),
        ("", "09:00-17:00"),
        (900, "09:00-17:00"),
        (["09:00-17:00"], "09:00-17:00"),
        ("1" * 300, "09:00-17:00"),
    ],
)
def test_a_time_that_is_not_hh_mm_hh_mm_is_refused_with_a_fix(time: object, fix: str) -> None:
    with pytest.raises(InvalidWindow, match=f'write (it like )?"{fix}"'):
        parse_window(None, time, UTC_ZONE)


def test_a_friday_skipped_by_the_calendar_is_waited_for_a_second_week() -> None:
    window = parse_window("friday", None, iana_zone("Pacific/Apia"))
    saturday = datetime(2011, 12, 24, 10, tzinfo=UTC)  # Apia went from Thursday 29 to Saturday 31

    opening = window.next_inside(saturday)

    assert opening == datetime(2012, 1, 5, 10, tzinfo=UTC)
    assert timedelta(days=7) < opening - saturday <= timedelta(days=15)


# every kind of clock change: one hour, half an hour, two hours, at midnight, a day dropped, none
ZONES = [
    *("America/New_York", "Australia/Lord_Howe", "Antarctica/Troll", "Africa/Cairo", "America/Santiago"),
    *("Pacific/Apia", "Africa/Casablanca", "Asia/Kathmandu"),
]
zones = st.sampled_from(ZONES).map(iana_zone) | st.integers(-840, 840).map(fixed_zone)
windows = st.builds(
    Window,
    days=st.frozensets(st.integers(0, 6), min_size=1),
    start_minute=st.integers(0, 1439) | st.integers(0, 23).map(lambda hour: hour * 60),
    end_minute=st.integers(0, 1439) | st.integers(0, 23).map(lambda hour: hour * 60),
    zone=zones,
)
# around the changes of 2011 (Apia) and 2026, where mistakes live, and anywhere
CHANGES = [
    "2011-12-30T10",
    "2026-03-08T07",
    "2026-11-01T06",
    "2026-04-04T15",
    "2026-03-29T01",
    "2026-04-23T22",
]
CHANGES += ["2026-10-29T21", "2026-09-06T04", "2026-04-05T03", "2026-10-03T15", "2026-02-15T02"]
near_changes = st.builds(
    lambda change, ms: datetime.fromisoformat(f"{change}:00:00+00:00") + timedelta(milliseconds=ms),
    st.sampled_from(CHANGES),
    st.integers(-16 * 86_400_000, 2 * 86_400_000),
)
anywhere = st.integers(0, 40 * 365 * 86_400_000).map(
    lambda ms: datetime(2000, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)
)
instants = near_changes | anywhere


def is_open(window: Window, at: datetime) -> bool:
    """Judge one instant as the reference words it, without a line of the product."""
    local = at.astimezone(window.zone.rules)
    minute = local.hour * 60 + local.minute
    if window.start_minute <= window.end_minute:
        in_time = window.start_minute <= minute <= window.end_minute
    else:
        in_time = minute >= window.start_minute or minute <= window.end_minute
    return in_time and local.weekday() in window.days


@settings(max_examples=100, deadline=None)
@given(windows, instants, st.integers(0, 3 * 24 * 60))
def test_a_window_is_open_for_as_long_as_its_minutes_are(
    window: Window, start: datetime, minutes: int
) -> None:
    start = start.replace(second=0, microsecond=0)
    end = start + minutes * MINUTE

    assert window.open_for(start, end) == MINUTE * sum(
        is_open(window, start + each * MINUTE) for each in range(minutes)
    )


@settings(max_examples=300, deadline=None)
@given(windows, instants)
def test_the_next_opening_is_inside_and_no_minute_before_it_is(window: Window, requested: datetime) -> None:
    opening = window.next_inside(requested)

    assert is_open(window, opening)
    assert opening >= requested
    assert (opening == requested) == is_open(window, requested)
    minute = requested.replace(second=0, microsecond=0) + MINUTE
    while minute < opening:
        assert not is_open(window, minute)
        minute += MINUTE


@given(windows, instants)
def test_an_instant_inside_stays_where_it_is(window: Window, requested: datetime) -> None:
    opening = window.next_inside(requested)

    assert window.contains(opening)
    assert window.next_inside(opening) == opening


@given(windows, instants)
def test_a_window_pushes_at_most_7_days_by_an_offset_and_15_in_a_zone(
    window: Window, requested: datetime
) -> None:
    longest = timedelta(days=7 if window.zone.name.startswith("UTC") else 15)

    assert window.next_inside(requested) - requested <= longest


@given(windows)
def test_every_window_reads_back_from_its_text(window: Window) -> None:
    assert parse_window_text(window.text, window.zone) == window


@given(st.text(max_size=40), st.text(max_size=40))
def test_no_text_escapes_as_anything_but_a_refusal(day: str, time: str) -> None:
    for given_day, given_time in ((day, None), (None, time)):
        try:
            parse_window(given_day, given_time, UTC_ZONE)
        except InvalidWindow:
            continue


def test_windows_of_one_spelling_in_two_zones_differ() -> None:
    zones: list[Zone] = [fixed_zone(0), fixed_zone(60)]

    assert len({parse_window("monday", None, zone) for zone in zones}) == 2
    assert DAYS[datetime(2026, 3, 2, tzinfo=UTC).weekday()] == "monday"
