"""Retries. Source: reference/executions#retries."""

import math
from datetime import UTC, datetime, timedelta

import pytest
from experience_runtime.domain.retries import RETRIES, Backoff, decide
from experience_runtime.domain.windows import Window, parse_window
from experience_runtime.domain.zones import UTC as UTC_ZONE
from hypothesis import given
from hypothesis import strategies as st

NOW = datetime(2026, 3, 6, 16, 59, 55, tzinfo=UTC)  # a Friday, five seconds before five


def retry(
    *,
    may_pass: bool = True,
    retry_after: float | None = None,
    begun: int = 1,
    retries: int = RETRIES,
    random: float = 1.0,
    window: Window | None = None,
    backoff: Backoff = Backoff(),  # noqa: B008 frozen
) -> datetime | None:
    again = decide(
        may_pass=may_pass,
        retry_after=retry_after,
        begun=begun,
        retries=retries,
        now=NOW,
        random=random,
        window=window,
        backoff=backoff,
    )
    return None if again is None else again.due_at


@pytest.mark.parametrize(("begun", "seconds"), [(1, 15), (2, 60), (3, 240), (4, 960), (5, 3600)])
def test_the_longest_wait_grows_fourfold_up_to_an_hour(begun: int, seconds: int) -> None:
    assert retry(begun=begun) == NOW + timedelta(seconds=seconds)


@pytest.mark.parametrize("random", [0.0, 0.25, 0.5])
def test_the_wait_is_full_jitter(random: float) -> None:
    assert retry(begun=2, random=random) == NOW + timedelta(seconds=60 * random)


@pytest.mark.parametrize(
    ("retry_after", "window", "because"),
    [
        (None, None, "a pause drawn from nothing to 15 s"),
        (3.0, None, "a pause drawn from nothing to 15 s"),
        (90.0, None, "Retry-After said 1 min 30 s"),
        (200_000.0, None, "Retry-After said more than a day; at most a day is waited"),
        (
            90.0,
            parse_window("monday-friday", "09:00-17:00", UTC_ZONE),
            "Retry-After said 1 min 30 s; its window was closed then",
        ),
    ],
)
def test_why_the_next_try_is_when_it_is(
    retry_after: float | None, window: Window | None, because: str
) -> None:
    again = decide(
        may_pass=True, retry_after=retry_after, begun=1, retries=5, now=NOW, random=1.0, window=window
    )

    assert again is not None
    assert again.because == because


def test_a_failure_that_stays_is_not_retried() -> None:
    assert retry(may_pass=False, retry_after=5) is None


@pytest.mark.parametrize(
    ("begun", "retries", "goes_on"), [(5, 5, True), (6, 5, False), (1, 0, False), (9, 9, True)]
)
def test_it_gives_up_when_the_retries_are_used_up(begun: int, retries: int, goes_on: bool) -> None:
    assert (retry(begun=begun, retries=retries) is not None) is goes_on


def test_an_integration_may_ask_for_thousands_of_retries() -> None:
    assert retry(begun=5000, retries=9999) == NOW + timedelta(hours=1)


@pytest.mark.parametrize(
    ("backoff", "begun", "seconds"),
    [
        (Backoff(base_seconds=2), 1, 2),
        (Backoff(base_seconds=2), 3, 32),
        (Backoff(base_seconds=2, factor=1), 900, 2),
        (Backoff(base_seconds=2, factor=1.5), 3, 4.5),
        (Backoff(base_seconds=2, cap_seconds=5), 3, 5),
        (Backoff(base_seconds=0), 3, 0),
        (Backoff(base_seconds=0, factor=1000), 1000, 0),
        (Backoff(base_seconds=2, factor=1000), 1000, 3600),
        (Backoff(), 0, 15),
    ],
)
def test_an_integration_has_its_own_backoff(backoff: Backoff, begun: int, seconds: float) -> None:
    assert backoff.longest_seconds(begun) == seconds
    assert retry(backoff=backoff, begun=begun, retries=1000) == NOW + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "figures",
    [
        {"base_seconds": -1},
        {"base_seconds": 3601},
        {"base_seconds": math.nan},
        {"cap_seconds": 86_401},
        {"cap_seconds": math.inf},
        {"factor": 0.5},
        {"factor": 1001},
        {"factor": math.nan},
    ],
)
def test_a_backoff_that_cannot_be_waited_by_is_refused(figures: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"must lie in"):
        Backoff(**figures)


@pytest.mark.parametrize(
    ("retry_after", "seconds"),
    [
        (None, 15),
        (5, 15),  # never sooner than the jitter
        (120, 120),
        (0.0005, 15),
        (15.0001, 15.001),  # never before what was asked for: up to the next millisecond
        (86_400, 86_400),
        (200_000, 86_400),
        (math.inf, 86_400),
        (math.nan, 15),
        (-60, 15),
    ],
)
def test_retry_after_is_honoured_up_to_a_day(retry_after: float | None, seconds: float) -> None:
    assert retry(retry_after=retry_after) == NOW + timedelta(seconds=seconds)


def test_a_retry_waits_for_its_window() -> None:
    window = parse_window("monday-friday", "09:00-16:59", UTC_ZONE)

    assert retry(window=window) == datetime(2026, 3, 9, 9, tzinfo=UTC)
    assert retry(window=window, random=0.0) == NOW


@given(st.integers(1, 6), st.floats(0, 1), st.none() | st.floats())
def test_a_retry_is_never_before_now_nor_more_than_a_day_off(
    begun: int, random: float, retry_after: float | None
) -> None:
    due_at = retry(begun=begun, random=random, retry_after=retry_after)

    assert (due_at is None) == (begun == 6)
    if due_at is not None:
        assert NOW <= due_at <= NOW + timedelta(days=1)
        assert due_at.microsecond % 1000 == 0
