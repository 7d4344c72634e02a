"""Instants. Source: reference/schedule-options#time."""

import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from experience_runtime.domain.errors import BeyondLimit, ExperienceError, InThePast, InvalidTime
from experience_runtime.domain.instants import from_ms, iso, parse_time, to_ms
from hypothesis import given
from hypothesis import strategies as st

NOW = datetime(2026, 3, 4, 10, 30, 15, 250_000, tzinfo=UTC)
NOW_MS = 1_772_620_215_250
CASES = json.loads((Path(__file__).parents[1] / "vectors" / "times.json").read_text())["cases"]


@pytest.mark.parametrize("case", CASES, ids=[ascii(case["input"]) for case in CASES])
def test_a_time_text_reads_as_the_vectors_say(case: dict[str, object]) -> None:
    if case["expected_ms"] is None:
        with pytest.raises(InvalidTime):
            parse_time(case["input"], now=NOW)
        return

    parsed = parse_time(case["input"], now=NOW)

    assert to_ms(parsed.at) == case["expected_ms"]
    assert parsed.zone_assumed is case["zone_assumed"]
    assert parsed.at.tzinfo is UTC
    assert parsed.at.microsecond % 1000 == 0


@pytest.mark.parametrize("value", [NOW_MS, float(NOW_MS), "2026-03-04T10:30:15.250Z"])
def test_a_number_without_a_fraction_is_unix_milliseconds(value: object) -> None:
    assert parse_time(value, now=NOW).at == NOW


@pytest.mark.parametrize(
    "value", [True, False, None, 1.5, float("nan"), float("inf"), [], {"a": 1}, NOW_MS + 0.5, b"2026-03-04"]
)
def test_anything_but_a_text_or_a_whole_number_is_refused(value: object) -> None:
    with pytest.raises(InvalidTime, match="whole Unix milliseconds"):
        parse_time(value, now=NOW)


@pytest.mark.parametrize(
    "seconds",
    [
        1_772_620_215,  # now
        1_772_620_215 + 29 * 86_400,
        1_592_843_603,  # 2020, the number in the event document
        978_307_200,  # 2001
    ],
)
def test_a_number_in_seconds_is_refused_with_its_milliseconds(seconds: int) -> None:
    with pytest.raises(InvalidTime, match=f"write {seconds}000"):
        parse_time(seconds, now=NOW)


@pytest.mark.parametrize("ms", [0, 5_000, 978_307_199, NOW_MS - 86_400_000, -1])
def test_a_small_number_that_is_no_plausible_second_is_read_as_milliseconds(ms: int) -> None:
    assert to_ms(parse_time(ms, now=NOW).at) == ms


def test_milliseconds_of_early_1970_are_not_taken_for_seconds_when_it_is_1970() -> None:
    now = from_ms(1_000_000_000)

    assert parse_time(1_000_000_000, now=now).at == now


@pytest.mark.parametrize(
    ("value", "refusal"), [(10**18, BeyondLimit), (1e300, BeyondLimit), (-(10**18), InThePast)]
)
def test_a_number_no_calendar_reaches_is_refused_by_its_direction(
    value: object, refusal: type[ExperienceError]
) -> None:
    with pytest.raises(refusal):
        parse_time(value, now=NOW)


def test_a_number_of_five_thousand_digits_is_refused_like_any_other() -> None:
    with pytest.raises(BeyondLimit, match="thousands of digits"):
        parse_time(10**5000, now=NOW)


@pytest.mark.parametrize(
    "text", ["0001-01-01T00:00:00+14:00", "9999-12-31T24:00:00Z", "9999-12-31T23:00:00-05:00", "0000-01-01"]
)
def test_a_text_at_the_edge_of_the_calendar_is_refused_not_a_crash(text: str) -> None:
    with pytest.raises(InvalidTime, match="does not exist"):
        parse_time(text, now=NOW)


def test_a_text_of_digits_is_told_to_drop_the_quotes() -> None:
    with pytest.raises(InvalidTime, match="without quotes"):
        parse_time("1592843603000", now=NOW)


def test_a_hostile_text_is_shown_on_one_line_and_cut() -> None:
    with pytest.raises(InvalidTime) as caught:
        parse_time("\x1b[31m\n\ud800" + "x" * 5000, now=NOW)

    assert caught.value.message.isprintable()
    assert len(caught.value.message) < 300


@given(st.text(max_size=40))
def test_no_text_escapes_as_anything_but_a_refusal(text: str) -> None:
    try:
        parsed = parse_time(text, now=NOW)
    except InvalidTime:
        return
    assert parsed.at.microsecond % 1000 == 0


@given(st.integers(min_value=-62_135_596_800_000, max_value=253_402_300_799_999))
def test_milliseconds_survive_the_way_to_an_instant_and_back(ms: int) -> None:
    at = from_ms(ms)

    assert to_ms(at) == ms
    assert parse_time(iso(at), now=NOW).at == at


def test_an_instant_is_spelled_in_utc_with_milliseconds() -> None:
    paris = timezone(timedelta(hours=1))

    assert iso(NOW) == "2026-03-04T10:30:15.250Z"
    assert iso(NOW.replace(microsecond=0)) == "2026-03-04T10:30:15.000Z"
    assert iso(NOW.astimezone(paris)) == "2026-03-04T10:30:15.250Z"


def test_a_datetime_between_milliseconds_counts_the_one_before() -> None:
    assert to_ms(NOW.replace(microsecond=250_999)) == NOW_MS
