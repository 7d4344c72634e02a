"""The trend of the Overview: shares that are never said better than they are."""

from datetime import UTC, datetime, timedelta

from experience_runtime.domain.executions import Status
from experience_runtime.domain.overview import Ended
from experience_runtime.web.pages.trend import HEIGHT_PX, MOST, trend_of

NOW = datetime(2026, 3, 6, 15, 30, tzinfo=UTC)


def ended(hours_ago: int, *, succeeded: int = 0, failed: int = 0) -> list[Ended]:
    hour = NOW.replace(minute=0) - timedelta(hours=hours_ago)
    counts = {Status.SUCCEEDED: succeeded, Status.FAILED: failed}
    return [Ended(hour=hour, status=status, count=count) for status, count in counts.items() if count]


def test_the_share_is_rounded_down_to_what_is_true_and_compared_with_the_day_before() -> None:
    trend = trend_of([*ended(30, succeeded=1, failed=1), *ended(2, succeeded=5_000, failed=1)], now=NOW)

    assert (trend.share, trend.before) == ("99.9 %", "50.0 %")
    assert (trend.succeeded, trend.failed, trend.is_cut) == (5_000, 1, False)
    assert (trend.bars[-3].succeeded, trend.bars[-3].failed) == (HEIGHT_PX, 1.0)
    assert trend.bars[-3].title == "2026-03-06 13:00 UTC: 5,000 succeeded, 1 failed"
    assert sum(each.succeeded for each in trend.bars) == HEIGHT_PX


def test_of_a_day_that_was_read_in_part_nothing_is_said() -> None:
    assert trend_of([], now=NOW).share is None
    assert trend_of(ended(1, succeeded=3), now=NOW).share == "100 %"
    cut = trend_of([*ended(30, failed=1), *ended(1, succeeded=MOST - 1)], now=NOW)
    assert (cut.is_cut, cut.before, cut.share) == (True, None, "100 %")
