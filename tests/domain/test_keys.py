"""Keys. Source: reference/schedule-options#key."""

import json
import math
from typing import Any

import pytest
from experience_runtime.domain.errors import InvalidKey
from experience_runtime.domain.keys import canonical_key, key_digest
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ({"foo": "bar"}, '{"foo":"bar"}'),
        ({"b": 1, "a": 2}, '{"a":2,"b":1}'),
        (
            {"b": [{"d": 1, "c": 2}], "a": {"z": None, "y": True}},
            '{"a":{"y":true,"z":null},"b":[{"c":2,"d":1}]}',
        ),
        ({"n": 1.0}, '{"n":1}'),
        ({"n": -0.0}, '{"n":0}'),
        ({"n": 1.5}, '{"n":1.5}'),
        ({"n": "é\u2028\ud800"}, '{"n":"\\u00e9\\u2028\\ud800"}'),
        ("order-7", '"order-7"'),
        ({"": ""}, '{"":""}'),
    ],
)
def test_a_key_is_spelled_as_canonical_ascii_json(key: object, text: str) -> None:
    assert canonical_key(key) == text


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"a": 1}, {"a": "1"}),
        ({"a": 1}, {"a": True}),
        ({"a": [1, 2]}, {"a": [2, 1]}),
        ({"a": None}, {"b": None}),
        ("a", {"a": "a"}),
        ('{"a":1}', {"a": 1}),
        ({"a": 2**53}, {"a": 2**53 + 1}),
    ],
)
def test_keys_that_differ_have_different_texts(one: object, other: object) -> None:
    assert canonical_key(one) != canonical_key(other)


@pytest.mark.parametrize(
    ("key", "rule"),
    [
        (1, "not an object"),
        (True, "not an object"),
        (None, "not an object"),
        (["a"], "not an object"),
        (b"a", "not an object"),
        ("", "empty"),
        ({}, "undefined"),
        ({"n": math.nan}, "number JSON cannot write"),
        ({"n": math.inf}, "number JSON cannot write"),
        pytest.param({"n": 10**5000}, "number JSON cannot write", id="5001 digits"),
        ({1: "a"}, "not a string"),
        ({"a": {2, 3}}, "not a JSON value"),
    ],
)
def test_other_keys_are_refused(key: object, rule: str) -> None:
    with pytest.raises(InvalidKey, match=rule):
        canonical_key(key)


def test_a_key_may_take_4096_bytes_and_not_one_more() -> None:
    assert len(canonical_key("k" * 4094)) == 4096

    with pytest.raises(InvalidKey, match="4097 bytes"):
        canonical_key("k" * 4095)


def test_a_key_that_holds_itself_or_is_very_deep_is_refused() -> None:
    itself: dict[str, Any] = {}
    itself["self"] = itself
    deep: dict[str, Any] = {}
    for _ in range(100_000):
        deep = {"a": deep}

    for key in (itself, deep):
        with pytest.raises(InvalidKey, match="nested too deeply"):
            canonical_key(key)


def test_a_digest_has_16_bytes_and_tells_integrations_apart() -> None:
    assert len(key_digest("slack-update", '{"foo":"bar"}')) == 16
    assert key_digest("slack-update", '"a"') != key_digest("webhook", '"a"')
    assert key_digest("ab", "c") != key_digest("a", "bc")


def test_a_digest_never_changes_between_versions() -> None:
    # rows on disk are found by it
    assert key_digest("slack-update", '{"foo":"bar"}').hex() == "973a6749739d605743b68ed38802fb42"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(-1e9, 1e9) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
    max_leaves=8,
)
keys = st.dictionaries(st.text(max_size=5), json_values, min_size=1, max_size=4)


def reordered(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: reordered(value[name]) for name in reversed(value)}
    return [reordered(held) for held in value] if isinstance(value, list) else value


@given(keys)
def test_the_order_of_properties_never_counts_at_any_depth(key: dict[str, Any]) -> None:
    assert canonical_key(key) == canonical_key(reordered(key))


@given(keys)
def test_a_canonical_key_reads_back_as_the_key_and_stays_canonical(key: dict[str, Any]) -> None:
    text = canonical_key(key)

    assert text.isascii()
    assert json.loads(text) == key
    assert canonical_key(json.loads(text)) == text
