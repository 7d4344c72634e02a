"""Event times: which instants an event may have, and how each is written.

Source: reference/scheduled-events#limits.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from experience_runtime.domain.app_event_times import event_time
from experience_runtime.domain.errors import Refusal
from experience_runtime.domain.instants import iso, to_ms
from hypothesis import given
from hypothesis import strategies as st

NOW = datetime(2026, 3, 6, 16, 30, 15, 250_000, tzinfo=UTC)
NOW_MS = to_ms(NOW)
DAY = 86_400
MONTH = timedelta(days=31)


def ahead(**parameters: Any) -> timedelta:
    return event_time(parameters, now=NOW).at - NOW


@pytest.mark.parametrize(
    ("delay", "wanted"),
    [
        ("5 min", timedelta(minutes=5)),
        (300_000, timedelta(minutes=5)),  # milliseconds
        (300_000.0, timedelta(minutes=5)),  # JSON has one number type
        ("300000", timedelta(minutes=5)),
        ("2 days", timedelta(days=2)),
        ("1d", timedelta(days=1)),
        ("5 hrs", timedelta(hours=5)),
        ("15m", timedelta(minutes=15)),
        ("1 hr", timedelta(hours=1)),
        ("1h 30m", timedelta(minutes=90)),
        ("1 min", timedelta(minutes=1)),  # exactly a minute passes
        (60_000, timedelta(minutes=1)),
        ("1 month", MONTH),
        ("1month", MONTH),
        ("1 Months", MONTH),
        ("31 days", MONTH),  # exactly a month passes
        (31 * DAY * 1000, MONTH),
    ],
)
def test_a_delay_counts_from_now(delay: object, wanted: timedelta) -> None:
    assert ahead(delay=delay) == wanted


@pytest.mark.parametrize(
    ("time", "at"),
    [
        ("2026-03-07 12:33:00", "2026-03-07T12:33:00.000Z"),  # without a zone it is UTC
        ("2026-03-07T12:33:00+01:00", "2026-03-07T11:33:00.000Z"),
        ("2026-03-22T16:33:44.377Z", "2026-03-22T16:33:44.377Z"),
        ("2026-03-07", "2026-03-07T00:00:00.000Z"),
        (1772879580, "2026-03-07T10:33:00.000Z"),  # seconds
        (1772879580.0, "2026-03-07T10:33:00.000Z"),
        (1772879580500, "2026-03-07T10:33:00.500Z"),  # only makes sense as milliseconds
        (1772814616, "2026-03-06T16:30:16.000Z"),  # the second after now, and so too soon
        ("2026-03-06T16:31:15.250Z", "2026-03-06T16:31:15.250Z"),  # exactly a minute
        ("2026-04-06T16:30:15.250Z", "2026-04-06T16:30:15.250Z"),  # exactly 31 days
    ],
)
def test_a_schedule_time_is_an_iso_text_or_a_number_that_its_horizon_explains(time: object, at: str) -> None:
    if time == 1772814616:
        assert refusal(schedule_time=time).code == "too_soon"
    else:
        assert iso(event_time({"schedule_time": time}, now=NOW).at) == at


@given(st.integers(min_value=60_000, max_value=31 * DAY * 1000), st.datetimes(timezones=st.just(UTC)))
def test_no_number_lies_in_the_horizon_both_as_seconds_and_as_milliseconds(
    ahead_ms: int, now: datetime
) -> None:
    now = max(now.replace(microsecond=0), datetime(1970, 3, 1, tzinfo=UTC))
    now = min(now, datetime(9000, 1, 1, tzinfo=UTC))
    at_ms = to_ms(now) + ahead_ms

    assert to_ms(event_time({"schedule_time": at_ms}, now=now).at) == at_ms
    if at_ms // 1000 * 1000 >= to_ms(now) + 60_000:
        assert to_ms(event_time({"schedule_time": at_ms // 1000}, now=now).at) == at_ms // 1000 * 1000


def refusal(**parameters: Any) -> Refusal:
    with pytest.raises(Refusal) as caught:
        event_time(parameters, now=NOW)
    return caught.value


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({}, "no_delay_or_time"),
        ({"delay": None, "schedule_time": None}, "no_delay_or_time"),
        ({"delay": "5 min", "schedule_time": 1772879580}, "delay_and_time"),
        ({"delay": "59 s"}, "too_soon"),
        ({"delay": 59_999}, "too_soon"),
        ({"delay": 0}, "too_soon"),
        ({"delay": -300_000}, "too_soon"),
        ({"delay": "-3 min"}, "too_soon"),
        ({"delay": "0 months"}, "too_soon"),
        ({"delay": "31 days 1 s"}, "beyond_limit"),
        ({"delay": 31 * DAY * 1000 + 1}, "beyond_limit"),
        ({"delay": "2 months"}, "beyond_limit"),
        ({"delay": "999999999 months"}, "beyond_limit"),
        ({"delay": "1000000000 years"}, "beyond_limit"),
        ({"delay": 10**400}, "beyond_limit"),
        ({"delay": 1e308}, "beyond_limit"),
        ({"delay": "a month"}, "invalid_delay"),
        ({"delay": "1.5 months"}, "invalid_delay"),
        ({"delay": "1 mo"}, "invalid_delay"),
        ({"delay": "soon"}, "invalid_delay"),
        ({"delay": ""}, "invalid_delay"),
        ({"delay": "1" * 200}, "invalid_delay"),
        ({"delay": "\u0661 month"}, "invalid_delay"),  # an Arabic digit one
        ({"delay": 60_000.5}, "invalid_delay"),
        ({"delay": True}, "invalid_delay"),
        ({"delay": float("nan")}, "invalid_delay"),
        ({"delay": ["5 min"]}, "invalid_delay"),
        ({"schedule_time": "2020-03-12 12:33:00"}, "too_soon"),  # the document's own, now that it is past
        ({"schedule_time": 1592843603}, "too_soon"),
        ({"schedule_time": NOW_MS // 1000 - 30 * DAY}, "too_soon"),
        ({"schedule_time": NOW_MS - 1}, "too_soon"),
        ({"schedule_time": NOW_MS + 59_999}, "too_soon"),
        ({"schedule_time": 0}, "too_soon"),
        ({"schedule_time": -(10**400)}, "too_soon"),
        ({"schedule_time": NOW_MS + 31 * DAY * 1000 + 1}, "beyond_limit"),
        ({"schedule_time": NOW_MS // 1000 + 31 * DAY + 1}, "beyond_limit"),
        ({"schedule_time": 10**400}, "beyond_limit"),
        ({"schedule_time": "2026-04-06T16:30:15.251Z"}, "beyond_limit"),
        ({"schedule_time": "9999-12-31"}, "beyond_limit"),
        ({"schedule_time": "1592843603"}, "invalid_time"),
        ({"schedule_time": "2026-02-30"}, "invalid_time"),
        ({"schedule_time": "tomorrow"}, "invalid_time"),
        ({"schedule_time": "x" * 100_000}, "invalid_time"),
        ({"schedule_time": float("nan")}, "invalid_time"),
        ({"schedule_time": False}, "invalid_time"),
        ({"schedule_time": {}}, "invalid_time"),
    ],
)
def test_what_is_refused_has_a_code_and_a_short_message(parameters: dict[str, Any], code: str) -> None:
    refused = refusal(**parameters)

    assert refused.code == code
    assert len(refused.message) < 500
    assert "write" in refused.message


@pytest.mark.parametrize("parameters", [{"delay": 0}, {"delay": "2 months"}])
def test_a_limit_is_told_as_a_value_that_passes(parameters: dict[str, Any]) -> None:
    fix = int(refusal(**parameters).message.rpartition(" ")[2])

    assert ahead(delay=fix) in (timedelta(minutes=1), MONTH)


@pytest.mark.parametrize("time", [0, 10**12 * 9])
def test_a_limit_of_time_is_told_as_a_second_that_passes(time: int) -> None:
    fix = int(refusal(schedule_time=time).message.rpartition(" ")[2])

    assert timedelta(minutes=1) <= ahead(schedule_time=fix) <= MONTH


def test_a_number_in_a_text_is_shown_how_to_be_written() -> None:
    assert "without quotes" in refusal(schedule_time="1592843603").message


def test_what_a_time_was_read_as_is_told() -> None:
    assert "2020-06-22T16:33:23.000Z" in refusal(schedule_time=1592843603).message


@pytest.mark.parametrize(
    "written",
    [1772879580.5, 1772879580500.0, {"content": {"milliseconds": 1772879580500.7}}],
    ids=["a fraction of seconds", "milliseconds", "what a bot's Time() is as JSON"],
)
def test_a_bots_own_ways_to_write_an_instant_are_read(written: object) -> None:
    now = datetime.fromtimestamp(1772879580.5 - 3600, UTC)

    assert event_time({"schedule_time": written}, now=now).at.timestamp() == 1772879580.5


@pytest.mark.parametrize("written", [{"content": {}}, {"content": 3}, {"milliseconds": 3}, float("inf")])
def test_what_only_looks_like_one_is_refused(written: object) -> None:
    with pytest.raises(Refusal) as caught:
        event_time({"schedule_time": written}, now=datetime.fromtimestamp(1772879580, UTC))

    assert caught.value.code == "invalid_time"
