"""The picture: everything has its place between the edges, close ones are one mark, and order is time."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from experience_runtime.domain.executions import Status
from experience_runtime.domain.spans import span_text
from experience_runtime.web.pages.timeline import Picture, Point, Track, around_now, of_story
from hypothesis import given
from hypothesis import strategies as st

NOW = datetime(2026, 3, 6, 15, 30, tzinfo=UTC)


def _points(*seconds: float, status: Status = Status.PENDING) -> list[Point]:
    return [Point(at=NOW + timedelta(seconds=each), status=status, title=f"{each}") for each in seconds]


def test_before_now_is_left_of_now_and_after_is_right() -> None:
    picture = around_now(_points(-3600, 3600, 86_400 * 30), NOW)

    assert picture.now_x is not None
    xs = [mark.x for mark in picture.marks]
    assert xs == sorted(xs)
    assert xs[0] < picture.now_x < xs[1]
    assert [mark.is_ahead for mark in picture.marks] == [False, True, True]


def test_what_stands_close_together_is_one_mark_with_its_count() -> None:
    picture = around_now(_points(*range(3600, 3607), 86_400), NOW)

    assert [mark.count for mark in picture.marks] == [7, 1]
    assert picture.marks[0].title.endswith("… 2 more")


def test_each_state_has_a_lane_of_its_own() -> None:
    picture = around_now(_points(60) + _points(-60, status=Status.FAILED), NOW)

    assert [lane.kind for lane in picture.lanes] == ["pending", "failed"]
    assert len({mark.y for mark in picture.marks}) == 2


@given(st.lists(st.floats(-10 * 365 * 86_400, 10 * 365 * 86_400), max_size=60))
def test_nothing_stands_outside_and_nothing_is_lost(seconds: list[float]) -> None:
    picture = around_now(_points(*seconds), NOW)

    assert sum(mark.count for mark in picture.marks) == len(seconds)
    assert all(0 <= mark.x <= 100 for mark in picture.marks)
    assert all(0 < mark.y < picture.axis_y for mark in picture.marks)
    _ticks_are_apart(picture)


def test_without_executions_it_says_so() -> None:
    assert around_now([], NOW).summary == "no executions"


def test_a_story_shows_how_long_each_waited() -> None:
    track = Track(
        label="webhook",
        turns=[(NOW, "pending"), (NOW + timedelta(days=1), "succeeded")],
    )

    picture = of_story([track], began_at=NOW, ended_at=NOW + timedelta(days=2), moment=NOW)

    (bar,) = picture.bars
    assert bar.kind == "pending"
    assert bar.x + bar.width == pytest.approx(50, abs=0.1)
    assert [mark.is_ahead for mark in picture.marks] == [False, True]
    assert picture.now_x == picture.marks[0].x


@given(st.integers(0, 30 * 86_400), st.integers(0, 30 * 86_400))
def test_the_ticks_of_a_story_never_run_into_each_other(ended: int, moment: int) -> None:
    picture = of_story(
        [Track(label="x", turns=[(NOW, "pending")])],
        began_at=NOW,
        ended_at=NOW + timedelta(seconds=ended),
        moment=NOW + timedelta(seconds=moment),
    )

    _ticks_are_apart(picture)
    assert all(0 <= mark.x <= 100 for mark in picture.marks)


def _ticks_are_apart(picture: Picture) -> None:
    xs = [tick.x for tick in picture.ticks]
    assert all(after - before >= 15.9 for before, after in pairwise(xs))
    assert all(0 <= x <= 100 for x in xs)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (59, "59 s"),
        (60, "1 min"),
        (3_660, "1 h 1 min"),
        (223_261, "2 d 14 h"),
    ],
)
def test_a_span_is_said_in_its_two_largest_units(seconds: int, text: str) -> None:
    assert span_text(seconds) == text
