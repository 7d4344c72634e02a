"""Sites: how much one site's key may leave here. Such a key is in everybody's hands."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from experience_runtime.domain.errors import RateLimited
from experience_runtime.engine.keeping import Usage
from experience_runtime.engine.ports import Clock

COUNTED_EVERY = timedelta(seconds=10)
COUNTED_AGAIN = timedelta(seconds=1)
_LARGEST_SHARE = 100


class Kind(StrEnum):
    """What is counted by the day."""

    EVENT = "event"
    VISITOR = "visitor"
    CONVERSION = "conversion"
    """Those past it that would cancel something still count: nobody is to hear of what they bought."""
    EXECUTION = "execution"
    """Also those that are cancelled or replaced at once, and stay as rows."""
    RUN = "run"
    """Those past it are carried out, and not kept."""


_SETTINGS = {
    Kind.EVENT: "events_per_key",
    Kind.VISITOR: "visitors_per_key",
    Kind.CONVERSION: "events_per_key",
    Kind.EXECUTION: "events_per_key",
    Kind.RUN: "events_per_key",
}


@dataclass(slots=True)
class _Pending:
    counted: int
    at: datetime
    added: int = 0


class Quotas:
    """Counts for every site's key; 0 is any number. Each further process lets in up to a twentieth more."""

    def __init__(self, usage: Usage, clock: Clock, *, pending: int, visitors: int, events: int) -> None:
        """`pending`: executions at one time. `visitors`, `events`: new ones in a day of UTC."""
        self._usage = usage
        self._clock = clock
        self._pending_quota = pending
        self._quotas = {kind: visitors if kind is Kind.VISITOR else events for kind in Kind}
        self._lock = threading.Lock()
        self._pending: dict[str, _Pending] = {}
        self._left: dict[tuple[str, Kind, int], int] = {}
        self._full: dict[tuple[str, Kind], datetime] = {}

    def require_room(self, site: str) -> None:
        """Count one more pending execution; RateLimited when there are as many as there may be."""
        quota, now = self._pending_quota, self._clock.now()
        if not quota:
            return
        with self._lock:
            known = self._pending.get(site)
            is_full = known is not None and known.counted + known.added >= quota
            if (
                known is None
                or now - known.at >= (COUNTED_AGAIN if is_full else COUNTED_EVERY)
                or (not is_full and known.added >= _share(quota))
            ):
                known = self._pending[site] = _Pending(self._usage.pending(site, at_most=quota), now)
            if known.counted + known.added >= quota:
                raise RateLimited(
                    f"{quota} executions of the site key {site} are pending, and it may have no more; "
                    "cancel some, or raise pending_per_key under [serve] in experience.toml"
                )
            known.added += 1

    def take(self, site: str, kind: Kind) -> bool:
        """Count one more of this kind today; False when there were as many as there may be."""
        quota, now = self._quotas[kind], self._clock.now()
        if not quota:
            return True
        place = (site, kind, now.toordinal())
        with self._lock:
            if self._left.get(place, 0) == 0:
                full = self._full.get((site, kind))
                if full is not None and full.date() == now.date() and now - full < COUNTED_EVERY:
                    return False
                share = min(_LARGEST_SHARE, _share(quota))
                taken = self._usage.take(site, kind, day=place[2], share=share, quota=quota)
                if not taken:
                    self._full[site, kind] = now
                    return False
                self._left = {each: left for each, left in self._left.items() if each[2] == place[2]}
                self._left[place] = taken
            self._left[place] -= 1
            return True


def _share(quota: int) -> int:
    """How many a process lets in before it looks what the others did."""
    return max(1, quota // 20)


@dataclass(frozen=True, slots=True)
class Site:
    """The site's key on whose behalf something is done."""

    name: str
    quotas: Quotas

    def require_room(self) -> None:
        """Count one more execution that is pending; RateLimited when it may have no more."""
        self.quotas.require_room(self.name)
        self.require(Kind.EXECUTION)

    def take(self, kind: Kind) -> bool:
        return self.quotas.take(self.name, kind)

    def require(self, kind: Kind) -> None:
        """Take one; RateLimited when there is none left."""
        if not self.take(kind):
            raise RateLimited(
                f"the site key {self.name} has left as many {kind}s today as it may; raise "
                f"{_SETTINGS[kind]} under [serve] in experience.toml"
            )


_acting: ContextVar[Site | None] = ContextVar("site", default=None)


@contextmanager
def on_behalf_of(site: Site | None) -> Iterator[None]:
    """Let what is made meanwhile, here and in the threads that are handed this context, be the site's."""
    before = _acting.set(site)
    try:
        yield
    finally:
        _acting.reset(before)


def acting_site() -> Site | None:
    return _acting.get()
