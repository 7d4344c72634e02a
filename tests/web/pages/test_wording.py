"""What the pages say of instants and values."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from experience_runtime.web.pages.wording import day_and_time, pretty, relative, short

NOW = datetime(2026, 3, 6, 15, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("ahead", "text"),
    [
        (timedelta(hours=2, minutes=5), "in 2 h 5 min"),
        (-timedelta(days=3), "3 d ago"),
        (timedelta(milliseconds=300), "now"),
    ],
)
def test_how_far_away_an_instant_is(ahead: timedelta, text: str) -> None:
    assert relative(NOW + ahead, NOW) == text


def test_a_local_instant_has_seconds_only_where_there_are_some() -> None:
    assert day_and_time("2026-03-06T16:30:00.000+01:00") == "Fri 2026-03-06 16:30"
    assert day_and_time("2026-03-06T16:30:05.250+01:00") == "Fri 2026-03-06 16:30:05.250"


def test_a_deep_payload_makes_no_page_of_blanks() -> None:
    deep: Any = list(range(5_000))
    for _ in range(480):
        deep = [deep]

    assert len(pretty(deep)) < 50_000


def test_a_value_is_cut_to_one_line() -> None:
    assert short({"text": "x" * 200}) == '{"text": "' + "x" * 69 + "…"
