"""Durations. Source: reference/schedule-options#delay."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
from experience_runtime.domain.durations import ms_grammar, parse_delay
from experience_runtime.domain.errors import InvalidDelay
from hypothesis import given
from hypothesis import strategies as st

HOUR = 3_600_000
CASES = json.loads((Path(__file__).parents[1] / "vectors" / "ms.json").read_text())["cases"]
OURS = {"1h30m": 5_400_000, "1h 30m": 5_400_000, "1 hour 30 minutes": 5_400_000}  # ms refuses, we do not


@pytest.mark.parametrize("case", CASES, ids=[ascii(case["input"])[:40] for case in CASES])
def test_the_ms_grammar_gives_what_the_package_gives(case: dict[str, Any]) -> None:
    assert ms_grammar(case["input"]) == case["expected_ms"]


@pytest.mark.parametrize("case", CASES, ids=[ascii(case["input"])[:40] for case in CASES])
def test_a_delay_is_what_ms_gives_unless_it_is_negative(case: dict[str, Any]) -> None:
    text, expected_ms = case["input"], case["expected_ms"] or OURS.get(case["input"])
    if case["expected_ms"] == 0:
        assert parse_delay(text) == 0
    elif expected_ms is None or expected_ms < 0:
        with pytest.raises(InvalidDelay):
            parse_delay(text)
    else:
        assert abs(parse_delay(text) - expected_ms) <= 0.5


@pytest.mark.parametrize(
    ("text", "expected_ms"),
    [
        (".5ms", 1),  # a half rounds up, as Math.round does
        ("0.49999999999999994", 0),
        ("1.4", 1),
        ("1.005s", 1005),
        ("-0", 0),
        ("9007199254740993", 9_007_199_254_740_992),
    ],
)
def test_a_fraction_rounds_to_the_nearest_millisecond(text: str, expected_ms: int) -> None:
    assert parse_delay(text) == expected_ms


@pytest.mark.parametrize(
    ("text", "expected_ms"),
    [
        ("1h30m", 1.5 * HOUR),
        ("1H 30M", 1.5 * HOUR),
        ("2 days, 4 hours", 52 * HOUR),
        ("1w2d3h4m5s", 788_645_000),
        ("1 week 1 day", 192 * HOUR),
        ("1m 1.5s", 61_500),
        ("1.5h 30m", 2 * HOUR),
        ("1h 1.01m", HOUR + 60_600),  # pytimeparse alone drops the 600 ms
        ("4.1m 0s", 246_000),
        ("1h   30m", 1.5 * HOUR),
    ],
)
def test_a_compound_text_adds_its_pairs(text: str, expected_ms: float) -> None:
    assert parse_delay(text) == expected_ms


@pytest.mark.parametrize(
    "text",
    [
        "1:30",
        "+1h",
        "+1h 30m",
        "-1h 30m",
        "1h -30m",
        "1h and 30m",
        "1h/30m",
        "1h ,30m",
        "1h,30m",
        "1h\t30m",
        "1h 30m ",
        "1h 30",
        "30m 1h",  # the smaller unit first
        "1h 2h",
        "1h 1wk",
        "1h 1.2.3s",
        "١h ٣m",
        "1h 3\u017f",  # a long s, which IGNORECASE would take for an s
        "1h " + "3" * 98 + "m",
    ],
)
def test_other_compound_texts_are_refused(text: str) -> None:
    with pytest.raises(InvalidDelay):
        parse_delay(text)


@pytest.mark.parametrize("text", ["1 month", "2 months", "1mo", "1 MONTH", "1 month 2 days", "3mon"])
def test_a_month_is_refused_naming_the_30_days(text: str) -> None:
    with pytest.raises(InvalidDelay, match="30 days"):
        parse_delay(text)


def test_a_minute_is_not_mistaken_for_a_month() -> None:
    assert parse_delay("1M") == 60_000


@pytest.mark.parametrize(
    ("value", "expected_ms"), [(0, 0), (5, 5), (5.0, 5), (-0.0, 0), (2_592_000_000, 2_592_000_000)]
)
def test_a_whole_number_is_milliseconds(value: object, expected_ms: int) -> None:
    assert parse_delay(value) == expected_ms


@pytest.mark.parametrize(
    "value", [1.5, -1, -0.5, True, False, math.nan, math.inf, -math.inf, None, [], {}, b"1h", "", " "]
)
def test_what_is_not_a_duration_is_refused(value: object) -> None:
    with pytest.raises(InvalidDelay):
        parse_delay(value)


@pytest.mark.parametrize("value", [1e99, 1e308, 10**400, "9" * 100, "9" * 90 + " years"])
def test_a_huge_delay_is_still_whole_milliseconds(value: object) -> None:
    assert parse_delay(value) > 10**90


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("1h30m5", 'delay "1h30m5" is not a duration; write "1h30m5s" or 5405000'),
        (" 0m", 'delay " 0m" is not a duration; write "0m" or 0'),
        (" 1m", 'delay " 1m" is not a duration; write "1m" or 60000'),
        ("soon", 'delay "soon" is not a duration; write "90 min" or 5400000'),
        (1.5, "delay 1.5 is not whole milliseconds or a duration string; write 2"),
    ],
)
def test_a_refusal_shows_the_value_the_rule_and_the_fix(value: object, message: str) -> None:
    with pytest.raises(InvalidDelay) as caught:
        parse_delay(value)

    assert caught.value.message == message


@given(st.text(max_size=120) | st.from_regex(r"[0-9.]{1,4} ?[a-z]{0,3}(, | )?[0-9.]{0,4} ?[a-z]{0,3}"))
def test_no_text_escapes_as_anything_but_a_refusal(text: str) -> None:
    try:
        ms = parse_delay(text)
    except InvalidDelay:
        return
    assert ms >= 0
