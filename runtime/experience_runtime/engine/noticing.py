"""Noticing: what people do to deliveries from another process, told in the log of the worker it holds up."""

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta

from experience_runtime.domain.admission import ALL, IntegrationState
from experience_runtime.engine.ports import Clock
from experience_runtime.engine.stores import DispatcherStore

LOOK_EVERY = timedelta(seconds=5)

_logger = logging.getLogger(__name__)


class Noticing:
    """One worker's look at who is paused. What held at its first look is told where the worker starts."""

    def __init__(self, store: DispatcherStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._looked_at: datetime | None = None
        self._paused: Mapping[str, datetime] | None = None

    def step(self) -> None:
        """Look, when it is time, and tell what changed since."""
        now = self._clock.now()
        if self._looked_at is not None and self._looked_at <= now < self._looked_at + LOOK_EVERY:
            return
        states = self._store.integration_states.all()
        paused = {name: state.paused_at for name, state in states.items() if state.paused_at is not None}
        if self._paused is not None:
            for name in sorted(paused.keys() - self._paused.keys()):
                about = {"integration": name, "state": "paused"}
                what = "everything is held" if name == ALL else f"{name} is paused"
                _logger.warning("%s%s", what, _because(states[name]), extra=about)
            for name in sorted(self._paused.keys() - paused.keys()):
                what = "what was held" if name == ALL else name
                _logger.warning("%s goes on again", what, extra={"integration": name, "state": "resumed"})
        self._paused, self._looked_at = paused, now


def _because(state: IntegrationState) -> str:
    return "" if state.pause_reason is None else f": {state.pause_reason}"
