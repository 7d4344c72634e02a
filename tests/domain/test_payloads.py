"""Payloads. Source: reference/schedule-options#payload."""

import json
import math
from typing import Any

import pytest
from experience_runtime.domain.errors import InvalidPayload, PayloadTooLarge
from experience_runtime.domain.payloads import MOST_BYTES, MOST_LEVELS, check_payload, json_text
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"message": "Hello!", "n": [1, 2.5, None, True]}, '{"message":"Hello!","n":[1,2.5,null,true]}'),
        ("é 🎉", '"é 🎉"'),
        ("🎉\ud83c", '"\\ud83c\\udf89\\ud83c"'),  # cut inside a pair: nothing but ASCII is safe
        ("\0\n", '"\\u0000\\n"'),
        (None, "null"),
        ("", '""'),
        ({}, "{}"),
    ],
)
def test_any_json_value_is_written_compactly(value: object, text: str) -> None:
    assert check_payload(value) == text


def nested(levels: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(levels):
        value = [value]
    return value


def test_a_payload_may_take_256_kib_of_utf_8_and_not_one_byte_more() -> None:
    assert len(check_payload("é" * (MOST_BYTES // 2 - 1)).encode()) == MOST_BYTES

    with pytest.raises(PayloadTooLarge, match="262,145 bytes"):
        check_payload("é" * (MOST_BYTES // 2 - 1) + "x")


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        ({"a": [1, math.nan]}, r"payload\.a\[1\] is nan"),
        ({"a b": math.inf}, r'payload\["a b"\] is inf'),
        ({"f": print}, r"payload\.f is <built-in"),
        ({"x": {1: "a"}, "f": print}, "property 1 that is not a string|payload.f is"),
        (b"bytes", "payload is b'bytes'"),
        pytest.param(10**5000, "thousands of digits", id="5001 digits"),
    ],
)
def test_what_json_cannot_write_is_refused_naming_its_path(value: object, fault: str) -> None:
    with pytest.raises(InvalidPayload, match=fault):
        check_payload(value)


def test_a_payload_that_holds_itself_is_refused() -> None:
    itself: list[Any] = []
    itself += [itself, itself]

    with pytest.raises(InvalidPayload, match="holds itself"):
        check_payload(itself)


def test_nesting_is_refused_below_the_level_every_reader_can_follow() -> None:
    assert check_payload(nested(MOST_LEVELS))
    assert check_payload([[]] * 1000)  # wide is not deep

    for levels in (MOST_LEVELS + 1, 100_000):
        with pytest.raises(InvalidPayload, match="levels deep"):
            check_payload(nested(levels))


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner), max_leaves=9
    )
)
def test_a_payload_reads_back_as_it_was(value: object) -> None:
    text = json_text(value)

    assert json.loads(text) == value
    assert text.encode()
