"""The trend of the Overview: what share of the executions that ended was delivered, hour by hour."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from experience_runtime.domain.executions import Status
from experience_runtime.domain.overview import Ended

HOURS = 24
MOST = 10_000
HEIGHT_PX = 48


@dataclass(frozen=True, slots=True, kw_only=True)
class HourBar:
    """One hour of the picture: x and width in percents, heights in pixels, and what it says."""

    x: float
    width: float
    succeeded: float
    failed: float
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """`share` and `before`: of the last 24 hours and of those before, as people read them; None of none."""

    share: str | None
    before: str | None
    succeeded: int
    failed: int
    is_cut: bool
    bars: Sequence[HourBar]


def trend_of(ended: Sequence[Ended], *, now: datetime) -> Trend:
    """What ended in the last 48 hours, as the Overview shows it; of more than MOST ends only the last."""
    this_hour = now.replace(minute=0, second=0, microsecond=0)
    hours = [this_hour - timedelta(hours=back) for back in reversed(range(HOURS))]
    counts = {(each.hour, each.status): each.count for each in ended}
    last = [each for each in ended if each.hour >= hours[0]]
    succeeded, failed = (_sum(last, status) for status in (Status.SUCCEEDED, Status.FAILED))
    earlier = [each for each in ended if each.hour < hours[0]]
    is_cut = sum(each.count for each in ended) >= MOST
    most = max((_both(counts, hour) for hour in hours), default=0) or 1
    width = 100 / HOURS
    return Trend(
        share=_share(succeeded, failed),
        # of a day that was read in part, nothing is said
        before=None if is_cut else _share(*(_sum(earlier, of) for of in (Status.SUCCEEDED, Status.FAILED))),
        succeeded=succeeded,
        failed=failed,
        is_cut=is_cut,
        bars=[
            HourBar(
                x=round(index * width, 3),
                width=round(width * 0.8, 3),
                succeeded=_height(counts.get((hour, Status.SUCCEEDED), 0), most),
                failed=_height(counts.get((hour, Status.FAILED), 0), most),
                title=_title(counts, hour),
            )
            for index, hour in enumerate(hours)
        ],
    )


def _sum(ended: Sequence[Ended], status: Status) -> int:
    return sum(each.count for each in ended if each.status is status)


def _both(counts: dict[tuple[datetime, Status], int], hour: datetime) -> int:
    return counts.get((hour, Status.SUCCEEDED), 0) + counts.get((hour, Status.FAILED), 0)


def _height(count: int, most: int) -> float:
    """At least a pixel for what is there: one failure among thousands is seen."""
    return 0.0 if not count else max(1.0, round(HEIGHT_PX * count / most, 1))


def _share(succeeded: int, failed: int) -> str | None:
    """Never rounded up to all of them while one failed."""
    if not succeeded + failed:
        return None
    if not failed:
        return "100 %"
    return f"{min(99.9, 100 * succeeded / (succeeded + failed)):.1f} %"


def _title(counts: dict[tuple[datetime, Status], int], hour: datetime) -> str:
    succeeded, failed = counts.get((hour, Status.SUCCEEDED), 0), counts.get((hour, Status.FAILED), 0)
    return f"{hour:%Y-%m-%d %H}:00 UTC: {succeeded:,} succeeded, {failed:,} failed"
