"""WorkerInfo: a worker that reports itself, and which of them count as there."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

BEAT_SECONDS = 5
LIVES = timedelta(seconds=3 * BEAT_SECONDS)
"""How long a worker counts as there after its last report."""

SKEW_TOLD = timedelta(seconds=2)
"""How far a worker's clock may be off before it says so."""

SKEW_STOPS = timedelta(seconds=30)
"""How far it may be off before it delivers nothing: too early, or too late, is worse than by others."""

FORGOTTEN = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerInfo:
    """One worker. `integrations` are those it serves, None for all of them."""

    id: str
    host: str
    pid: int
    version: str
    concurrency: int
    integrations: frozenset[str] | None
    started_at: datetime
    beat_at: datetime

    def is_there(self, now: datetime) -> bool:
        return abs(now - self.beat_at) <= LIVES

    def serves(self, integrations: frozenset[str] | None) -> bool:
        """Whether it serves any of these (None: of all there are)."""
        return self.integrations is None or integrations is None or bool(self.integrations & integrations)


def skew_text(skew: timedelta) -> str:
    """Tell people how far a clock is off."""
    side = "behind" if skew > timedelta(0) else "ahead of"
    return (
        f"this machine's clock is {abs(skew).total_seconds():.1f} s {side} that of the database; set it right"
    )


def concurrency_of(present: Iterable[WorkerInfo], mine: frozenset[str] | None, now: datetime) -> int:
    """How many calls at a time those who are there carry, of workers that serve any of mine."""
    return sum(each.concurrency for each in present if each.is_there(now) and each.serves(mine))
