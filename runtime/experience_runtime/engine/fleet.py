"""The fleet: the workers that deliver from one store, and what they may carry together."""

import logging
import os
import socket
import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from experience_runtime.domain.admission import Policies
from experience_runtime.domain.workers import (
    BEAT_SECONDS,
    SKEW_STOPS,
    SKEW_TOLD,
    WorkerInfo,
    concurrency_of,
    skew_text,
)
from experience_runtime.engine.keeping import Workers
from experience_runtime.engine.ports import Clock

IN_FLIGHT_PER_CALL = 2
"""How many executions may be handed over for each call that can be made: the next is there when one ends."""

_logger = logging.getLogger(__name__)


class Fleet:
    """One worker among the others: it reports itself, and sees them."""

    def __init__(
        self,
        *,
        workers: Workers,
        clock: Clock,
        version: str,
        concurrency: int,
        integrations: frozenset[str] | None = None,
        policies: Policies,
        stops_for_skew: bool = False,
    ) -> None:
        """`stops_for_skew`: a clock that is far off the database's delivers nothing."""
        self._stops_for_skew = stops_for_skew
        self._skew = timedelta(0)
        self._workers = workers
        self._clock = clock
        self._policies = policies
        now = clock.now()
        self.me = WorkerInfo(
            id=uuid.uuid4().hex,
            host=socket.gethostname(),
            pid=os.getpid(),
            version=version,
            concurrency=concurrency,
            integrations=integrations,
            started_at=now,
            beat_at=now,
        )
        self._beat_at = now - timedelta(seconds=BEAT_SECONDS)
        self._present: Sequence[WorkerInfo] = [self.me]

    def report(self) -> Policies:
        """Report this worker, when it is time; return what all of them together may have in flight."""
        now = self._clock.now()
        if not self._beat_at <= now < self._beat_at + timedelta(seconds=BEAT_SECONDS):
            self.me = replace(self.me, beat_at=now)
            self._present = self._workers.beat(self.me)
            self._beat_at = now
            self._look_at_the_clock()
        mine = self.me.integrations
        together = max(concurrency_of(self._present, mine, now), self.me.concurrency)
        return replace(
            self._policies,
            share=None if self._policies.share is None else max(1, together // 2),
            only=mine,
            most=IN_FLIGHT_PER_CALL * together,
        )

    @property
    def may_deliver(self) -> bool:
        """Whether this machine's clock is right enough to tell what is due."""
        return not self._stops_for_skew or abs(self._skew) <= SKEW_STOPS

    def _look_at_the_clock(self) -> None:
        before, could = self._skew, self.may_deliver
        self._skew = self._workers.clock_skew(self._clock.now)
        if abs(self._skew) > SKEW_TOLD >= abs(before) or could != self.may_deliver:
            stops = "" if self.may_deliver else "; nothing is delivered here until then"
            _logger.warning("%s%s", skew_text(self._skew), stops)

    def leave(self) -> None:
        """Be gone for the others at once."""
        self._workers.leave(self.me.id)
