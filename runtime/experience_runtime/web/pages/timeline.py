"""Pictures of executions over time: where each mark of an SVG stands.

Across, places are percents of the width, so that the picture fits any screen without script; down, they
are pixels.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from experience_runtime.domain.executions import Status
from experience_runtime.domain.spans import span_text

LANE_PX = 42
_HEAD_PX = 6
_AXIS_PX = 24
_LEFT, _RIGHT = 1.5, 98.5
_TICK_GAP = 16.0  # what a label takes of 360 pixels
_MARK_GAP = 1.4
_LEAST_SIDE_SECONDS = 600.0
_ORDER = (Status.RUNNING, Status.PENDING, Status.SUCCEEDED, Status.FAILED, Status.CANCELLED)
_AROUND = (60, 600, 3_600, 6 * 3_600, 86_400, 7 * 86_400, 30 * 86_400, 180 * 86_400, 3_650 * 86_400)
_STEPS = (
    1,
    5,
    15,
    60,
    300,
    900,
    3_600,
    3 * 3_600,
    6 * 3_600,
    12 * 3_600,
    *(86_400 * n for n in (1, 2, 7, 14)),
)
_MOST_TICKS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One execution for the picture: when it was or is due, and what the pointer is told."""

    at: datetime
    status: Status
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A shape at (x %, y px); `count` executions stand so close together that they are one."""

    x: float
    y: int
    kind: str
    title: str
    count: int = 1
    is_ahead: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """From when something waited to when that ended."""

    x: float
    width: float
    y: int
    kind: str
    is_ahead: bool = False


@dataclass(frozen=True, slots=True)
class Tick:
    x: float
    label: str


@dataclass(frozen=True, slots=True)
class Lane:
    y: int
    label: str
    kind: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """`summary` says the same in words."""

    height: int
    lanes: Sequence[Lane]
    ticks: Sequence[Tick]
    marks: Sequence[Mark]
    summary: str
    bars: Sequence[Bar] = ()
    now_x: float | None = None
    now_label: str = "now"
    bends: bool = False
    """Whether the scale is wide around now, and narrow far from it."""

    @property
    def axis_y(self) -> int:
        return self.height - _AXIS_PX


@dataclass(slots=True)
class _Bucket:
    x: float
    points: list[Point] = field(default_factory=list)


def around_now(points: Sequence[Point], now: datetime) -> Picture:
    """Show a lane a state, with the last and next minutes in detail and far days in brief."""
    seconds = [(point.at - now).total_seconds() for point in points]
    past = _far(-min((s for s in seconds if s < 0), default=0.0))
    ahead = _far(max((s for s in seconds if s > 0), default=0.0))
    middle = _LEFT + (_RIGHT - _LEFT) * past / (past + ahead)

    def across(second: float) -> float:
        room, far = (middle - _LEFT, past) if second < 0 else (_RIGHT - middle, ahead)
        return middle + math.copysign(room * math.log1p(abs(second) / 60) / far, second)

    kinds = [kind for kind in _ORDER if any(point.status is kind for point in points)]
    lanes = [Lane(_lane_y(index), kind.value, kind.value) for index, kind in enumerate(kinds)]
    marks: list[Mark] = []
    for index, kind in enumerate(kinds):
        own = sorted(
            (across((point.at - now).total_seconds()), point.at, point.title)
            for point in points
            if point.status is kind
        )
        marks += [_mark(bucket, _lane_y(index), kind, now) for bucket in _buckets(own, kind)]
    edges = [-_seconds_of(past), _seconds_of(ahead)]
    wanted = [s for each in _AROUND for s in (-each, each) if edges[0] * 1.001 <= s <= edges[1] * 1.001]
    ticks = _apart([(across(s), _ahead_text(s)) for s in sorted(wanted, key=abs)], taken=[middle])
    return Picture(
        height=_height(len(kinds)),
        lanes=lanes,
        ticks=ticks,
        marks=marks,
        now_x=round(middle, 2),
        bends=True,
        summary=_summary(points, now),
    )


def _buckets(own: Iterable[tuple[float, datetime, str]], kind: Status) -> list[_Bucket]:
    buckets: list[_Bucket] = []
    for x, at, title in own:
        if not buckets or x - buckets[-1].x > _MARK_GAP:
            buckets.append(_Bucket(x))
        buckets[-1].points.append(Point(at=at, status=kind, title=title))
    return buckets


def _mark(bucket: _Bucket, y: int, kind: Status, now: datetime) -> Mark:
    titles = [point.title for point in bucket.points]
    more = f"\n… {len(titles) - 5} more" if len(titles) > 5 else ""
    return Mark(
        x=round(bucket.x, 2),
        y=y,
        kind=kind.value,
        title="\n".join(titles[:5]) + more,
        count=len(titles),
        is_ahead=bucket.points[0].at > now,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """One execution of a story: its states in order, each with the instant it began."""

    label: str
    turns: Sequence[tuple[datetime, str]]


def of_story(
    tracks: Sequence[Track], *, began_at: datetime, ended_at: datetime, moment: datetime | None = None
) -> Picture:
    """Show a lane an execution, from the story's start to its end; after `moment` lies what is ahead."""
    last = max([ended_at, began_at + timedelta(seconds=60), *([moment] if moment else [])])
    whole = (last - began_at).total_seconds()

    def across(at: datetime) -> float:
        return _LEFT + (_RIGHT - _LEFT) * min(1.0, (at - began_at).total_seconds() / whole)

    lanes, bars, marks = [], [], []
    for index, track in enumerate(tracks):
        y = _lane_y(index)
        lanes.append(Lane(y, track.label))
        for number, (at, kind) in enumerate(track.turns):
            following = track.turns[number + 1][0] if number + 1 < len(track.turns) else None
            until = following or (last if kind == Status.PENDING else at)
            is_ahead = moment is not None and at > moment
            if until > at:
                x = across(at)
                bars.append(
                    Bar(x=round(x, 2), width=round(across(until) - x, 2), y=y, kind=kind, is_ahead=is_ahead)
                )
            marks.append(
                Mark(
                    x=round(across(at), 2),
                    y=y,
                    kind=kind,
                    title=f"{kind} {_ahead_text((at - began_at).total_seconds())}",
                    is_ahead=is_ahead,
                )
            )
    step = next(
        (s for s in _STEPS if whole / s <= _MOST_TICKS), math.ceil(whole / _MOST_TICKS / 86_400) * 86_400
    )
    wanted = [n * step for n in range(int(whole // step) + 1)]
    ticks = _apart(
        [(across(began_at + timedelta(seconds=s)), _ahead_text(s) if s else "start") for s in wanted],
        taken=[across(moment)] if moment else [],
    )
    return Picture(
        height=_height(len(tracks)),
        lanes=lanes,
        ticks=ticks,
        marks=marks,
        bars=bars,
        now_x=None if moment is None else round(across(moment), 2),
        now_label="now" if moment is None or moment > began_at else "start, now",
        summary=f"{len(tracks)} execution{'' if len(tracks) == 1 else 's'} over {span_text(whole)}",
    )


def _ahead_text(seconds: float) -> str:
    return ("+" if seconds >= 0 else "−") + span_text(abs(seconds))


def _lane_y(index: int) -> int:
    return _HEAD_PX + index * LANE_PX + LANE_PX - 18


def _height(lanes: int) -> int:
    return _HEAD_PX + max(1, lanes) * LANE_PX + _AXIS_PX


def _far(seconds: float) -> float:
    return math.log1p(max(seconds, _LEAST_SIDE_SECONDS) / 60)


def _seconds_of(far: float) -> float:
    return math.expm1(far) * 60


def _apart(ticks: Iterable[tuple[float, str]], *, taken: Sequence[float]) -> list[Tick]:
    kept: list[Tick] = []
    for x, label in ticks:
        if all(abs(x - other) >= _TICK_GAP for other in [*taken, *(tick.x for tick in kept)]):
            kept.append(Tick(round(x, 2), label))
    return sorted(kept, key=lambda tick: tick.x)


def _summary(points: Sequence[Point], now: datetime) -> str:
    if not points:
        return "no executions"
    counts = [(kind, sum(point.status is kind for point in points)) for kind in _ORDER]
    states = ", ".join(f"{count} {kind.value}" for kind, count in counts if count)
    ahead = sum(point.at > now for point in points)
    return f"{states}; {len(points) - ahead} due before now, {ahead} after"
