"""Pruning: a worker removes what is over and was kept long enough, a small batch at a time."""

import itertools
import logging
from collections.abc import Mapping
from datetime import datetime, timedelta

from experience_runtime.domain.errors import DatabaseUnavailable
from experience_runtime.domain.retention import KINDS, Kind, Retention
from experience_runtime.engine.feed import Feed
from experience_runtime.engine.keeping import Pruning
from experience_runtime.engine.ports import Clock

BATCH = 200
PAUSE = timedelta(milliseconds=200)
"""Between two batches of a kind, whoever removes them: deliveries come between."""

REST = timedelta(hours=1)
"""From the end of a kind to its next beginning."""

_LOOK = timedelta(seconds=30)

_logger = logging.getLogger(__name__)


class Pruner:
    """A worker's part in it: of several workers, one at a time removes a kind."""

    def __init__(
        self, pruning: Pruning, clock: Clock, retention: Retention, *, feed: Feed | None = None
    ) -> None:
        """`feed`: what is kept of state changes goes too."""
        self._pruning = pruning
        self._feed = feed
        self._feed_at: datetime | None = None
        self._clock = clock
        self._retention = retention
        self._next_at: dict[Kind, datetime] = {}
        self._turns = itertools.cycle(KINDS)

    def step(self) -> None:
        """Remove a batch of one kind, if it is time for that."""
        now = self._clock.now()
        if self._feed is not None and (self._feed_at is None or self._feed_at <= now):
            self._feed_at = now + self._prune_feed(self._feed, now)
        for kind in itertools.islice(self._turns, len(KINDS)):
            before = self._retention.before(kind, now)
            if before is not None and self._next_at.get(kind, now) <= now:
                self._next_at[kind] = now + self._prune(kind, before, now)
                return

    def _prune_feed(self, feed: Feed, now: datetime) -> timedelta:
        try:
            return PAUSE if feed.prune(now=now, limit=BATCH) == BATCH else _LOOK
        except DatabaseUnavailable:
            raise
        except Exception:  # as below
            _logger.exception("old state changes could not be removed; trying again later")
            return REST

    def _prune(self, kind: Kind, before: datetime, now: datetime) -> timedelta:
        """Remove a batch; return how long to leave this kind alone."""
        try:
            pruned = self._pruning.step(kind, before=before, now=now, limit=BATCH, pause=PAUSE, rest=REST)
        except DatabaseUnavailable:
            raise
        except Exception:  # what cannot be removed holds up no delivery
            _logger.exception("%s that were kept long enough could not be removed; trying again later", kind)
            return REST
        if pruned is None:  # another worker is at it, or it rests
            return _LOOK
        if pruned.removed:
            _logger.debug("%d %s were kept long enough, and are removed", pruned.removed, kind)
        return _LOOK if pruned.is_over else PAUSE


def purge(
    pruning: Pruning, *, before: Mapping[Kind, datetime], now: datetime, dry_run: bool = False
) -> dict[Kind, int]:
    """Remove what was over before these instants, now; return how many of each kind, or would be."""
    if dry_run:
        return {kind: pruning.count(kind, before=at) for kind, at in before.items()}
    return {kind: pruning.remove(kind, before=at, now=now, limit=BATCH) for kind, at in before.items()}
