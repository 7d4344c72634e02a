"""Telling: the changes of executions become executions that call the webhooks.

What changes is on disk with the change itself. Each webhook has its place in the order of all changes, and
goes on from there by a step that puts the calls on disk together with its new place: after a crash none is
missing, and none is there twice. Delivery is then that of every execution: retried, paced, held, replayed.
"""

import logging
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from experience_runtime.documents.documents import Redact, Shown
from experience_runtime.documents.state_changes import event_text, state_change_document
from experience_runtime.domain.errors import DatabaseUnavailable
from experience_runtime.domain.state_changes import STATE_CHANGES, StateChange, Webhook
from experience_runtime.domain.zones import UTC
from experience_runtime.engine.feed import Delivery, Feed
from experience_runtime.engine.numbering import ExecutionNumbers
from experience_runtime.engine.ports import Clock
from experience_runtime.engine.prepared import Wanted, new_execution

LOOK = timedelta(seconds=1)
"""From one look to the next."""

BATCH = 100

_AGAIN = timedelta(hours=1)

_logger = logging.getLogger("experience_runtime.webhooks")


class Telling:
    """The webhooks of one process, looked after when `step` is called; of several processes any may."""

    def __init__(
        self,
        webhooks: Sequence[Webhook],
        *,
        feed: Feed,
        clock: Clock,
        retries: int,
        redact: Redact,
        shown: Shown,
        told: Callable[[], None] = lambda: None,
    ) -> None:
        """`told` is called when something is to be delivered."""
        self._webhooks = webhooks
        self._feed = feed
        self._clock = clock
        self._retries = retries
        self._redact = redact
        self._shown = shown
        self._told = told
        self._numbers = ExecutionNumbers(random.SystemRandom())
        self._positions: dict[str, int] = {}
        self._begun_at: datetime | None = None

    def begin(self) -> None:
        """Let each webhook have its place: what changes from now on is told."""
        now = self._clock.now()
        self._positions = {each.name: self._feed.begin(each.name, now=now) for each in self._webhooks}
        self._begun_at = now

    def step(self) -> bool:
        """Put on disk what is to be told; whether there may be more at once. Never raises."""
        try:
            if self._begun_at is None or not self._begun_at <= self._clock.now() < self._begun_at + _AGAIN:
                self.begin()
            end = self._feed.arrange()
            more = [self._go_on(each) for each in self._webhooks if self._positions[each.name] < end]
            return any(more)
        except DatabaseUnavailable as error:
            _logger.error("the webhooks wait for the database: %s", error.message)
        except Exception:  # the next look
            _logger.exception("the webhooks could not be told; trying again")
        return False

    def _go_on(self, webhook: Webhook) -> bool:
        start = self._positions[webhook.name]
        found = self._feed.after(start, limit=BATCH)
        deliveries = [self._delivery(webhook, each) for each in found.changes if webhook.wants(each)]
        if not self._feed.move(webhook.name, start=start, end=found.position, deliveries=deliveries):
            # another process has told it
            self._positions[webhook.name] = self._feed.begin(webhook.name, now=self._clock.now())
            return True
        self._positions[webhook.name] = found.position
        if deliveries:
            self._told()
        return found.position > start

    def _delivery(self, webhook: Webhook, change: StateChange) -> Delivery:
        now = self._clock.now()
        event = state_change_document(change, redact=self._redact, shown=self._shown)
        wanted = Wanted(
            integration=STATE_CHANGES,
            payload=event_text({"webhook": webhook.name, "event": event}),
            pace_key=webhook.name,
            retries=self._retries,
            at=now,
        )
        execution = new_execution(wanted, self._numbers.next(now), (UTC, "default"))
        # of the same person: it is erased with what it tells of
        execution = replace(execution, visitor=change.execution.visitor, retries=self._retries)
        return Delivery(of=change.execution.number, execution=execution)
