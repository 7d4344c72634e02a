"""Planning a cancel: its key and its reason."""

from collections.abc import Mapping
from typing import Any

import pytest
from experience_runtime.domain.errors import (
    InvalidKey,
    InvalidParameter,
)
from experience_runtime.domain.planning import plan_cancel

from .samples import ANNA


def test_a_cancel_takes_its_key_from_the_call_or_the_defaults() -> None:
    assert plan_cancel({"key": {"b": 1, "a": 2}}, visitor=ANNA).key == '{"a":2,"b":1}'
    assert plan_cancel({"reason": "done"}, defaults={"key": "d", "delay": 5}, visitor=ANNA).key == '"d"'
    assert plan_cancel({"key": "own"}, defaults={"key": "d"}, visitor=ANNA).key == '"own"'


@pytest.mark.parametrize("options", [{}, {"key": None}, {"key": ""}, {"key": {}}, {"key": 7}])
def test_a_cancel_without_a_key_is_refused(options: Mapping[str, Any]) -> None:
    with pytest.raises(InvalidKey):
        plan_cancel(options, visitor=ANNA)


def test_a_cancel_s_reason_is_text_of_at_most_1000_characters() -> None:
    assert plan_cancel({"key": "k"}, visitor=None).reason is None
    assert plan_cancel({"key": "k", "reason": "x" * 1000}, visitor=None).reason == "x" * 1000
    assert plan_cancel({"key": "k", "reason": "a\0\ud800é🎉"}, visitor=None).reason == "a\ufffd\ufffdé🎉"

    for reason in ("x" * 1001, 5, {"a": 1}):
        with pytest.raises(InvalidParameter, match="reason"):
            plan_cancel({"key": "k", "reason": reason}, visitor=None)


def test_a_cancel_s_misspelled_option_is_refused() -> None:
    with pytest.raises(InvalidParameter, match='did you mean "reason"'):
        plan_cancel({"key": "k", "reasons": "x"}, visitor=None)
