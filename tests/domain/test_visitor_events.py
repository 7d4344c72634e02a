"""What a site tells of its visitors: the types, the ages and the data that are taken."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from experience_runtime.domain.errors import InvalidParameter, PayloadTooLarge
from experience_runtime.domain.visitor_events import (
    MOST_DATA_BYTES,
    check_event_data,
    check_event_type,
    happened_at,
)

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("age", "at"),
    [
        (None, None),
        (0, NOW),
        (1500, NOW - timedelta(seconds=1.5)),
        (0.5, NOW - timedelta(microseconds=500)),
        (31 * 86_400_000 + 1, NOW - timedelta(days=31)),
        (1e300, NOW - timedelta(days=31)),
    ],
)
def test_an_event_happened_its_age_ago_and_31_days_at_most(age: object, at: datetime | None) -> None:
    assert happened_at(age, now=NOW) == at


@pytest.mark.parametrize("age", [-1, -0.5, float("nan"), float("inf"), True, "5", []])
def test_what_is_no_age_is_refused(age: Any) -> None:
    with pytest.raises(InvalidParameter, match="is not one; write milliseconds"):
        happened_at(age, now=NOW)


@pytest.mark.parametrize("text", ["e", "_", "shop.ecView", "a:b-c", "9" * 200])
def test_a_type_is_taken_as_it_is(text: str) -> None:
    assert check_event_type(text) == text


@pytest.mark.parametrize("text", ["", ".a", "-a", "a b", "ecView\n", "é", "9" * 201])
def test_what_is_no_type_is_refused(text: str) -> None:
    with pytest.raises(InvalidParameter, match="event type"):
        check_event_type(text)


def test_data_is_taken_up_to_its_bytes() -> None:
    most = "x" * (MOST_DATA_BYTES - 2)
    assert check_event_data(most) == f'"{most}"'

    with pytest.raises(PayloadTooLarge, match=f"has {MOST_DATA_BYTES + 1} bytes"):
        check_event_data(most + "x")
