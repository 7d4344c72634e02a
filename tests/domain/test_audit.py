"""What is kept of a change: what differs, cut to a bounded text."""

import json

import pytest
from experience_runtime.domain.audit import actor_text, check_action, check_kind, differing, kept_text
from experience_runtime.domain.errors import InvalidParameter


def test_only_what_differs_is_told() -> None:
    before = {"window": "09:00-17:00", "payload": {"a": 1}, "gone": 1}
    after = {"window": "09:00-18:00", "payload": {"a": 1}, "new": None, "made": 2}

    assert differing(before, after) == (
        {"window": "09:00-17:00", "gone": 1},
        {"window": "09:00-18:00", "made": 2},
    )


def test_a_long_document_keeps_what_has_room_and_names_the_rest() -> None:
    document = {"reason": "r" * 2_000, "payload": {"text": ["x"] * 5_000}, "skip": ["2026-12-25"]}

    text = kept_text(document)

    assert len(text) <= 4_096
    assert json.loads(text) == {
        "reason": "r" * 500 + "…",
        "skip": ["2026-12-25"],
        "left_out": ["payload"],
    }


def test_an_actor_is_one_short_line() -> None:
    assert actor_text("cli ada\n\x1b[31m" + "x" * 200) == ("cli ada??[31m" + "x" * 200)[:100]


@pytest.mark.parametrize(
    ("check", "word", "hint"),
    [
        (check_kind, "schedules", '"schedule"'),
        (check_action, "cancelled", '"cancel"'),
        (check_kind, "?", "there are"),
    ],
)
def test_a_word_that_is_none_is_refused_with_the_one_that_is_meant(
    check: object, word: str, hint: str
) -> None:
    with pytest.raises(InvalidParameter, match=hint):
        check(word)  # type: ignore[operator]
