"""Planning: which options count, the call's or the defaults'. Source: reference/schedule-options#defaults."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from experience_runtime.domain.errors import (
    DelayAndTime,
    InvalidParameter,
    UnknownVisitor,
)
from experience_runtime.domain.executions import IfExists
from experience_runtime.domain.instants import to_ms
from experience_runtime.domain.planning import SCHEDULE_OPTIONS, plan_cancel
from experience_runtime.domain.visitors import Visitor

from .samples import ANNA, CAI, NOBODY, NOW, planned


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("dealy", "delay"),
        ("Delay", "delay"),
        ("delays", "delay"),
        ("tme", "time"),
        ("windows", "window"),
        ("cancelonconversion", "cancelOnConversion"),
        ("cancel_on_conversion", "cancelOnConversion"),
        ("cancelOnConversions", "cancelOnConversion"),
        ("if_exists", "ifExists"),
        ("keys", "key"),
        ("timezone", "inside window"),
        ("timezoneOffset", "inside window"),
        ("day", "inside window"),
    ],
)
def test_a_near_miss_of_an_option_is_refused_with_the_one_meant(name: str, meant: str) -> None:
    with pytest.raises(InvalidParameter, match=meant):
        planned({"delay": 0, name: "x"})
    with pytest.raises(InvalidParameter, match=meant):
        planned({"delay": 0}, defaults={name: "x"})

    planned({"delay": 0, name: None})


def test_an_unknown_option_far_from_any_known_one_is_warned_about() -> None:
    result = planned({"delay": 0, "key": "k", "colour": "blue"}, defaults={"campaign": 7})

    assert len(result.warnings) == 1
    assert '"colour"' in result.warnings[0]


def test_a_million_unknown_options_give_a_handful_of_warnings() -> None:
    options = {"delay": 0} | {f"{number:x}": number for number in range(1_000_000)}

    assert 1 <= len(planned(options).warnings) <= 10


def test_a_timeout_and_a_reason_are_accepted_and_have_no_effect() -> None:
    assert planned({"delay": 0, "key": "k", "timeout": "nonsense", "reason": 5}).warnings == ()


def test_every_option_may_stand_in_the_defaults() -> None:
    defaults = {
        "key": {"a": 1},
        "delay": "1h",
        "window": {"timezoneOffset": 0},
        "cancelOnConversion": True,
        "ifExists": "keep",
        "scope": "property",
    }

    result = planned(dict.fromkeys(SCHEDULE_OPTIONS), defaults=defaults, visitor=ANNA)

    assert result.key == '{"a":1}'
    assert result.requested_at == NOW + timedelta(hours=1)
    assert result.zone_from == "window"
    assert result.cancel_on_conversion
    assert result.if_exists is IfExists.KEEP
    assert not result.scope_is_visitor


@pytest.mark.parametrize(
    ("options", "defaults", "asked"),
    [
        ({"delay": 5}, {"delay": 7}, "delay 5"),
        ({"delay": 5}, {"time": "nonsense"}, "delay 5"),
        ({"time": to_ms(NOW)}, {"delay": 7}, f"time {to_ms(NOW)}"),
        ({"time": None, "delay": None}, {"delay": 7}, "delay 7"),
        ({"delay": 0}, {"delay": 7}, "delay 0"),
    ],
)
def test_a_call_s_own_delay_or_time_displaces_either_default(
    options: Mapping[str, Any], defaults: Mapping[str, Any], asked: str
) -> None:
    assert planned(options, defaults=defaults).asked == asked


def test_defaults_with_both_delay_and_time_are_refused_when_the_call_has_neither() -> None:
    with pytest.raises(DelayAndTime):
        planned({}, defaults={"delay": 5, "time": to_ms(NOW)})


def test_a_call_s_values_beat_the_defaults_even_when_they_are_false() -> None:
    defaults = {"cancelOnConversion": True, "window": {"day": "sunday"}, "scope": "property", "key": "d"}
    options = {"delay": 0, "cancelOnConversion": False, "window": {}, "scope": "visitor", "key": "own"}

    result = planned(options, defaults=defaults, visitor=ANNA)

    assert not result.cancel_on_conversion
    assert result.due_at == NOW
    assert result.scope_is_visitor
    assert result.key == '"own"'


@pytest.mark.parametrize(
    ("scope", "visitor", "expected"),
    [
        (None, ANNA, True),
        ("visitor", ANNA, True),
        ("property", ANNA, False),
        (None, None, False),
        ("visitor", None, False),
        (None, NOBODY, False),
        ("visitor", NOBODY, False),
    ],
)
def test_a_key_belongs_to_the_visitor_where_one_is_known(
    scope: str | None, visitor: Visitor | None, expected: bool
) -> None:
    assert planned({"delay": 0, "scope": scope}, visitor=visitor).scope_is_visitor is expected
    assert plan_cancel({"key": "k", "scope": scope}, visitor=visitor).scope_is_visitor is expected


def test_cancel_on_conversion_needs_a_known_visitor() -> None:
    assert planned({"delay": 0, "cancelOnConversion": True}, visitor=CAI).cancel_on_conversion
    assert not planned({"delay": 0, "cancelOnConversion": False}).cancel_on_conversion

    for visitor in (None, NOBODY):
        with pytest.raises(UnknownVisitor, match="anonymous"):
            planned({"delay": 0, "cancelOnConversion": True}, visitor=visitor)


def test_a_missing_key_is_noted_not_refused() -> None:
    result = planned({"delay": 0})

    assert result.key is None
    assert "duplicates are possible" in result.notes[0]
    assert planned({"delay": 0, "key": "k"}).notes == ()
