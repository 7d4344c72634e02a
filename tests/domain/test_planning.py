"""Planning: when an execution is due. Source: reference/schedule-options#schedule."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from experience_runtime.domain.errors import (
    BeyondLimit,
    DelayAndTime,
    ExperienceError,
    InThePast,
    InvalidDelay,
    InvalidKey,
    InvalidParameter,
    InvalidTime,
    InvalidWindow,
    NoDelayOrTime,
)
from experience_runtime.domain.executions import IfExists
from experience_runtime.domain.instants import iso, to_ms
from experience_runtime.domain.planning import SCHEDULE_OPTIONS, Plan
from experience_runtime.domain.visitors import Visitor
from hypothesis import given
from hypothesis import strategies as st

from .samples import ANNA, BEN, CAI, NOBODY, NOW, OFFICE, THIRTY_DAYS, planned


def test_the_document_s_first_example_runs_on_monday_morning() -> None:
    result = planned({"key": {"foo": "bar"}, "delay": 60 * 60 * 1000, "window": OFFICE}, visitor=BEN)

    assert result == Plan(
        requested_at=NOW + timedelta(hours=1),
        due_at=datetime(2026, 3, 9, 8, tzinfo=UTC),
        asked="delay 3600000",
        window=result.window,
        zone=result.zone,
        zone_from="visitor_offset",
        key='{"foo":"bar"}',
        scope_is_visitor=True,
        cancel_on_conversion=False,
        if_exists=IfExists.REPLACE,
        warnings=(),
        notes=(),
    )
    assert result.window is not None
    assert result.window.text == "monday-friday 09:00-17:00"
    assert result.zone.name == "UTC+01:00"


@pytest.mark.parametrize(
    ("options", "refusal"),
    [
        ({}, NoDelayOrTime),
        ({"delay": None, "time": None}, NoDelayOrTime),
        ({"delay": 1, "time": to_ms(NOW)}, DelayAndTime),
        ({"delay": 0, "time": "nonsense"}, DelayAndTime),
        ({"delay": "soon"}, InvalidDelay),
        ({"delay": False}, InvalidDelay),
        ({"time": "soon"}, InvalidTime),
        ({"time": False}, InvalidTime),
        ({"delay": 0, "window": "monday"}, InvalidWindow),
        ({"delay": 0, "window": []}, InvalidWindow),
        ({"delay": 0, "window": False}, InvalidWindow),
        ({"delay": 0, "key": 5}, InvalidKey),
        ({"delay": 0, "key": {}}, InvalidKey),
        ({"delay": 0, "scope": "world"}, InvalidParameter),
        ({"delay": 0, "scope": ["visitor"]}, InvalidParameter),
        ({"delay": 0, "ifExists": "Replace"}, InvalidParameter),
        ({"delay": 0, "ifExists": True}, InvalidParameter),
        ({"delay": 0, "cancelOnConversion": "true"}, InvalidParameter),
        ({"delay": 0, "cancelOnConversion": 1}, InvalidParameter),
    ],
)
def test_a_broken_rule_is_refused_under_its_own_code(
    options: Mapping[str, Any], refusal: type[ExperienceError]
) -> None:
    with pytest.raises(refusal) as caught:
        planned(options, visitor=ANNA)

    assert type(caught.value) is refusal


@pytest.mark.parametrize("options", [None, [], "delay", 5])
def test_options_that_are_no_object_are_refused(options: Any) -> None:
    with pytest.raises(InvalidParameter, match="not an object"):
        planned(options)


@pytest.mark.parametrize("delay", ["30 days", 2_592_000_000, "720h", "2592000000"])
def test_exactly_30_days_of_delay_pass(delay: object) -> None:
    assert planned({"delay": delay}).requested_at == NOW + THIRTY_DAYS


@pytest.mark.parametrize("delay", ["30.0001 days", 2_592_000_001, "31 days", "5w", "1 year", 1e99, 10**400])
def test_a_delay_beyond_30_days_is_refused(delay: object) -> None:
    with pytest.raises(BeyondLimit, match="30 days"):
        planned({"delay": delay})


def test_a_time_may_be_exactly_30_days_ahead_and_no_millisecond_more() -> None:
    latest = to_ms(NOW + THIRTY_DAYS)

    assert planned({"time": latest}).due_at == NOW + THIRTY_DAYS
    assert planned({"time": iso(NOW + THIRTY_DAYS)}).due_at == NOW + THIRTY_DAYS
    for time in (latest + 1, iso(NOW + THIRTY_DAYS + timedelta(milliseconds=1)), "9999-12-31", 8.64e15):
        with pytest.raises(BeyondLimit):
            planned({"time": time})


def test_a_window_may_push_beyond_the_30_days() -> None:
    result = planned({"delay": "30 days", "window": {"day": "saturday", "timezoneOffset": 0}})

    assert result.requested_at == datetime(2026, 4, 5, 16, 30, 15, 250_000, tzinfo=UTC)  # a Sunday
    assert result.due_at == datetime(2026, 4, 11, tzinfo=UTC)


@pytest.mark.parametrize("ago_ms", [0, 1, 59_999, 60_000])
def test_a_time_within_the_last_60_s_runs_now(ago_ms: int) -> None:
    time_at = NOW - timedelta(milliseconds=ago_ms)

    result = planned({"time": to_ms(time_at)})

    assert result.requested_at == time_at
    assert result.due_at == NOW


@pytest.mark.parametrize("time", [to_ms(NOW) - 60_001, 0, -1, "2018-08-29T14:17:46.175Z"])
def test_a_time_further_back_is_refused(time: object) -> None:
    with pytest.raises(InThePast, match="60 s"):
        planned({"time": time})


def test_a_time_just_past_a_window_s_end_waits_for_the_next_opening() -> None:
    # 16:30:15 is outside, the time asked for was still inside
    window = {"time": "09:00-16:29", "timezoneOffset": 0}

    result = planned({"time": to_ms(NOW) - 20_000, "window": window})

    assert result.due_at == datetime(2026, 3, 7, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("window", "visitor", "zone", "zone_from", "warned"),
    [
        ({"timezone": "Asia/Tokyo"}, ANNA, "Asia/Tokyo", "window", False),
        ({"timezoneOffset": -120}, ANNA, "UTC+02:00", "window", False),
        ({"timezoneOffset": 0}, ANNA, "UTC+00:00", "window", False),  # an explicit 0 is kept
        ({"timezoneOffset": None, "timezone": None}, ANNA, "Europe/Paris", "visitor_zone", False),
        ({}, ANNA, "Europe/Paris", "visitor_zone", False),
        ({}, NOBODY, "Europe/Paris", "visitor_zone", False),
        ({}, BEN, "UTC+01:00", "visitor_offset", False),
        ({}, CAI, "UTC", "default", True),
        ({}, None, "UTC", "default", True),
        (None, ANNA, "Europe/Paris", "visitor_zone", False),
        (None, BEN, "UTC+01:00", "visitor_offset", False),
        (None, None, "UTC", "default", False),
        ({}, Visitor(id="x", timezone="Mars/Base", timezone_offset=-60), "UTC+01:00", "visitor_offset", True),
        ({}, Visitor(id="x", timezone_offset=9999), "UTC", "default", True),
    ],
)
def test_the_zone_is_the_window_s_else_the_visitor_s_else_utc(
    window: object, visitor: Visitor | None, zone: str, zone_from: str, warned: bool
) -> None:
    result = planned({"delay": 0, "window": window}, visitor=visitor)

    assert (result.zone.name, result.zone_from) == (zone, zone_from)
    assert bool(result.warnings) is warned
    assert (result.window is None) == (window is None)
    assert result.window is None or result.window.zone == result.zone


@pytest.mark.parametrize(
    ("window", "hint"),
    [
        ({"timezone": "Europe/Paris", "timezoneOffset": -60}, "both"),
        ({"timezone": "Europe/Paris", "timezoneOffset": 0}, "both"),
        ({"timezone": "Europe/Pari"}, "Europe/Paris"),
        ({"timezone": ""}, "not an IANA time zone"),
        ({"timezoneOffset": 841}, "-840 to 840"),
        ({"timezoneOffset": False}, "-840 to 840"),
        ({"timezoneoffset": -60}, "timezoneOffset"),
        ({"days": "monday"}, 'did you mean "day"'),
        ({"times": "09:00-17:00"}, 'did you mean "time"'),
        ({"timeZone": "Europe/Paris"}, 'did you mean "timezone"'),
        ({"colour": "blue"}, "it has day, time"),
        ({"day": "mon-fri"}, "monday"),
        ({"time": "9-17"}, "HH:MM-HH:MM"),
    ],
)
def test_a_window_that_cannot_be_read_is_refused_with_a_hint(window: object, hint: str) -> None:
    with pytest.raises(InvalidWindow, match=hint):
        planned({"delay": 0, "window": window}, visitor=ANNA)


def test_a_time_without_a_zone_is_utc_with_a_warning() -> None:
    result = planned({"time": "2026-03-07 12:00"}, visitor=ANNA)

    assert result.due_at == datetime(2026, 3, 7, 12, tzinfo=UTC)
    assert 'write "2026-03-07T12:00:00.000Z"' in result.warnings[0]
    assert planned({"time": "2026-03-07T12:00Z"}).warnings == ()


@pytest.mark.parametrize(
    ("options", "asked"),
    [
        ({"delay": "3 hours"}, 'delay "3 hours"'),
        ({"delay": 3_600_000.0}, "delay 3600000"),
        ({"time": "2026-03-07T12:00:00Z"}, 'time "2026-03-07T12:00:00Z"'),
    ],
)
def test_the_plan_quotes_what_was_asked(options: Mapping[str, Any], asked: str) -> None:
    assert planned(options).asked == asked


def test_a_long_request_is_quoted_in_80_characters() -> None:
    asked = planned({"delay": "1" + " " * 90 + "s"}).asked

    assert asked.endswith("…")
    assert len(asked) <= 80


def test_the_caller_s_objects_are_never_mutated() -> None:
    options: dict[str, Any] = {"delay": 0, "key": {"b": 1, "a": 2}, "window": {"day": None}}

    planned(options, defaults={"scope": None}, visitor=ANNA)

    assert options == {"delay": 0, "key": {"b": 1, "a": 2}, "window": {"day": None}}
    assert list(options["key"]) == ["b", "a"]


values = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9) | st.just({"a": 1})
windows = st.dictionaries(st.sampled_from(["day", "time", "timezone", "timezoneOffset", "x"]), values)


@given(st.dictionaries(st.sampled_from([*SCHEDULE_OPTIONS, "timeout", "x"]), values | windows))
def test_any_options_give_a_plan_inside_the_limits_or_a_printable_refusal(options: dict[str, Any]) -> None:
    message, result = "", None
    try:
        result = planned(options, visitor=ANNA)
    except ExperienceError as refusal:
        message = refusal.message

    assert message.isprintable()
    if result is not None:
        assert NOW - timedelta(seconds=60) <= result.requested_at <= NOW + THIRTY_DAYS
        assert result.due_at >= max(NOW, result.requested_at)
