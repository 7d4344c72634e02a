"""Planning again: windows that were planned by other rules of the time zones than there are now."""

import logging
from collections.abc import Iterator, Sequence

from experience_runtime.domain.errors import InternalError
from experience_runtime.domain.executions import Execution
from experience_runtime.domain.instants import iso
from experience_runtime.domain.zones import rules_version
from experience_runtime.engine.judging import due_again
from experience_runtime.engine.ports import Clock
from experience_runtime.engine.stores import DispatcherStore

_logger = logging.getLogger(__name__)


class PlanningAgain:
    """A worker's look, once after its start, at what waits for a window."""

    def __init__(self, store: DispatcherStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._batches: Iterator[Sequence[Execution]] | None = None
        self._is_over = False

    def step(self) -> None:
        """Judge a batch again, until there is none left.

        Not all at once: what is due meanwhile is judged when it starts, and waits for none of this.
        """
        if self._is_over:
            return
        if self._batches is None:
            self._batches = self._store.plan_again(
                rules_version(), lambda execution: due_again(execution, self._clock.now())
            )
        try:
            moved = next(self._batches, None)
        except InternalError:  # the store is away: from the beginning when it is back
            self._batches = None
            raise
        self._is_over = moved is None
        for each in moved or ():
            _logger.warning(
                "%s waits until %s now: the rules of %s changed", each.id, iso(each.due_at), each.zone
            )
