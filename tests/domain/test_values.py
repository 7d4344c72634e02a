"""Values in messages: every refusal shows the value, and it may be anything."""

import json
import math

import pytest
from experience_runtime.domain.values import SHOWN_CHARS, nearest, refuse_constant, shown, whole_number
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("3 hours", '"3 hours"'),
        ('say "hi" \\', '"say \\"hi\\" \\\\"'),
        ("a\n\x1b[31m\u202e\ud800", '"a\\n\\u001b[31m\\u202e\\ud800"'),
        ("é🎉", '"é🎉"'),
        (3_600_000.0, "3600000"),
        (1.5, "1.5"),
        (1e99, "1e+99"),
        (math.nan, "nan"),
        (True, "true"),
        (None, "null"),
        ({"a": [1]}, '{"a": [1]}'),
        ([print], "(an array)"),
        ({1: print}, "(an object)"),
        pytest.param(10**5000, "(a number of thousands of digits)", id="5001 digits"),
    ],
)
def test_a_value_is_shown_as_an_author_would_write_it(value: object, expected: str) -> None:
    assert shown(value) == expected


@given(
    st.text(st.characters(), max_size=300) | st.integers() | st.floats() | st.lists(st.text()),
    st.integers(2, 120),
)
def test_a_shown_value_is_printable_and_never_longer_than_its_limit(value: object, limit: int) -> None:
    assert shown(value, limit).isprintable()
    assert len(shown(value, limit)) <= limit


def test_a_long_value_is_cut_with_a_mark() -> None:
    assert shown("x" * 10_000) == '"' + "x" * (SHOWN_CHARS - 2) + "…"


@pytest.mark.parametrize(
    ("value", "expected"),
    [(5, 5), (5.0, 5), (-0.0, 0), (True, None), (1.5, None), (math.nan, None), (math.inf, None), ("5", None)],
)
def test_a_whole_number_has_no_fraction_and_is_no_bool(value: object, expected: int | None) -> None:
    assert whole_number(value) == expected


@pytest.mark.parametrize(
    ("word", "expected"),
    [("dealy", "delay"), ("TIME", "time"), ("if_exists", "ifExists"), ("zzz", None), ("", None)],
)
def test_the_nearest_name_is_the_one_meant(word: str, expected: str | None) -> None:
    assert nearest(word, ["delay", "time", "ifExists"]) == expected


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity", '{"a": [NaN]}'])
def test_what_is_pythons_alone_is_no_json(text: str) -> None:
    with pytest.raises(ValueError, match="is no JSON value"):
        json.loads(text, parse_constant=refuse_constant)
