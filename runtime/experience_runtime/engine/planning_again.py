"""Planning again: windows that were planned by other rules of the time zones than there are now."""

import logging
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from experience_runtime.domain.errors import InternalError
from experience_runtime.domain.executions import Execution
from experience_runtime.domain.instants import iso
from experience_runtime.domain.zones import rules_version
from experience_runtime.engine.judging import due_again
from experience_runtime.engine.ports import Clock
from experience_runtime.engine.stores import DispatcherStore

_logger = logging.getLogger(__name__)


EVERY = timedelta(hours=1)
"""How often a worker looks: another process, with other rules, may have planned something since."""


class PlanningAgain:
    """A worker's look, after its start and then hourly, at what waits for a window."""

    def __init__(self, store: DispatcherStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._batches: Iterator[Sequence[Execution]] | None = None
        self._looked_at: datetime | None = None

    def step(self) -> None:
        """Judge a batch again, until there is none left.

        Not all at once: what is due meanwhile is judged when it starts, and waits for none of this.
        """
        if self._batches is None:
            now = self._clock.now()
            if self._looked_at is not None and self._looked_at <= now < self._looked_at + EVERY:
                return
            self._looked_at = now
            self._batches = self._store.plan_again(
                rules_version(), lambda execution: due_again(execution, self._clock.now())
            )
        try:
            moved = next(self._batches, None)
        except InternalError:  # the store is away: from the beginning when it is back
            self._batches = self._looked_at = None
            raise
        if moved is None:
            self._batches = None
        for each in moved or ():
            _logger.warning(
                "%s waits until %s now: the rules of %s changed", each.id, iso(each.due_at), each.zone
            )
