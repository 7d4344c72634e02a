"""Judging: the state that follows an attempt, by how it ended, its window and what it may still try."""

import json
import random as randomness
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from experience_runtime.domain.errors import CallFailed, Conflict, IntegrationTimeout, RateLimited, Refusal
from experience_runtime.domain.executions import Attempt, Execution, Settlement, Status
from experience_runtime.domain.instants import iso
from experience_runtime.domain.pace import MOST_HELD
from experience_runtime.domain.retries import Again, asked_to_wait, decide
from experience_runtime.domain.windows import Window, parse_window_text
from experience_runtime.domain.zones import parse_zone
from experience_runtime.engine.attempt import Outcome
from experience_runtime.engine.ports import Clock, Integrations


@dataclass(frozen=True, slots=True)
class Ended:
    """An attempt that is over, and not yet settled."""

    execution: Execution
    outcome: Outcome
    settlement: Settlement
    began_at: datetime
    ended_at: datetime


class Judge:
    """Decides by the clock, an integration's backoff and chance; it stores nothing."""

    def __init__(self, *, clock: Clock, integrations: Integrations, random: randomness.Random) -> None:
        self._clock = clock
        self._integrations = integrations
        self._random = random

    def after(self, execution: Execution, outcome: Outcome, window: Window | None) -> Settlement:
        """Decide the state that follows an attempt."""
        if outcome.asks_to_wait and execution.status is Status.PENDING:  # an `execute` waits for nothing
            return self._hold(execution, outcome)
        again = (
            None
            if not outcome.may_pass
            else decide(
                may_pass=True,
                retry_after=outcome.retry_after,
                begun=_begun(execution),
                retries=execution.retries,
                now=self._clock.now(),
                random=self._random.random(),
                window=window,
                backoff=self._integrations.get(execution.integration).backoff,
            )
        )
        return Settlement(
            status=_status_after(outcome, again),
            reason=outcome.code,
            due_at=None if again is None else again.due_at,
            because=None if again is None else again.because,
            http_status=outcome.http_status,
            error=outcome.error,
            answer=outcome.excerpt,
        )

    def _hold(self, execution: Execution, outcome: Outcome) -> Settlement:
        """Leave it where it waited, for the receiver's pace; not for ever."""
        too_long = too_long_held(execution, MOST_HELD, self._clock.now())
        return Settlement(
            status=Status.FAILED if too_long else Status.PENDING,
            reason=too_long.code if too_long else "held by pace",
            held=too_long is None,
            because=None if too_long else _hold_because(outcome),
            http_status=outcome.http_status,
            error=f"{too_long.message}; {outcome.error}" if too_long else outcome.error,
            answer=outcome.excerpt,
        )

    def lost_until(self, execution: Execution) -> datetime | None:
        """When an attempt that was lost is made again: it waits as a failed one does."""
        window, _ = window_of(execution)
        again = decide(
            may_pass=True,
            retry_after=None,
            begun=execution.begun,
            retries=execution.retries,
            now=self._clock.now(),
            random=self._random.random(),
            window=window,
        )
        return None if again is None else again.due_at


def window_of(execution: Execution) -> tuple[Window | None, Refusal | None]:
    """The window of an execution, None for none; or what refuses the one that was stored."""
    if execution.window is None:
        return None, None
    try:
        return parse_window_text(execution.window, parse_zone(execution.zone)), None
    except Refusal as refusal:  # a zone that this machine does not know (any more): better never than outside
        return None, refusal


def too_long_held(execution: Execution, most: timedelta, now: datetime) -> RateLimited | None:
    """What refuses an execution that its pace has held for so long, while its window was open."""
    if execution.held_at is None or now - execution.held_at < most:
        return None
    window, _ = window_of(execution)
    if window is not None and window.open_for(execution.held_at, now) < most:
        return None
    return RateLimited(
        f"held by pace since {iso(execution.held_at)}, longer than the {MOST_HELD // timedelta(hours=1)} h "
        "that may be; send less, or ask the receiver for a higher limit, then replay it"
    )


def opening_of(execution: Execution, now: datetime) -> datetime | None:
    """When the window of an execution opens next; None when it is open, or cannot be told."""
    window, _ = window_of(execution)
    return None if window is None or window.contains(now) else window.next_inside(now)


def due_again(execution: Execution, now: datetime) -> datetime:
    """When a waiting execution is due by the rules of its zone as they are now.

    What has not begun starts at the next instant inside its window after the one that was asked for; a retry
    waits at least as long as it was to.
    """
    window, _ = window_of(execution)
    if window is None or execution.due_at <= now:  # judged when it starts
        return execution.due_at
    return window.next_inside(execution.due_at if execution.begun else max(execution.requested_at, now))


def closed(execution: Execution, opening: datetime, at: datetime) -> Ended:
    """End an attempt that called nobody, for its window had closed; it waits for the next opening."""
    later = Settlement(status=Status.PENDING, reason="window_closed", due_at=opening, held=True)
    return Ended(execution, Outcome(code="window_closed"), later, at, at)


def withdrawn(execution: Execution, at: datetime) -> Ended:
    """End an attempt that called nobody, for its receiver had just refused another; its pace holds it."""
    because = "not sent: the receiver has just asked another call to wait"
    later = Settlement(status=Status.PENDING, reason="held by pace", held=True, because=because)
    return Ended(execution, Outcome(code="held by pace"), later, at, at)


def answer_again(execution: Execution, attempts: Sequence[Attempt]) -> Any:
    """What an `execute` that has ended is answered with once more: what its attempt kept of the answer.

    Raises as its call did; Conflict when not all of the answer was kept.
    """
    kept = attempts[-1] if attempts else None
    error = f"{execution.id}: {kept.error if kept and kept.error else execution.reason}"
    if execution.status is not Status.SUCCEEDED:
        kind = IntegrationTimeout if execution.reason == IntegrationTimeout.code else CallFailed
        raise kind(error)
    try:
        return None if kept is None or kept.answer is None else json.loads(kept.answer)
    except ValueError:
        raise Conflict(
            f"{execution.id} succeeded in the first try of this request, which was interrupted, and its "
            "answer was not kept whole; what there is of it is in its attempt"
        ) from None


def _begun(execution: Execution) -> int:
    """The attempts begun, with this one: a claimed row was read before it began, an `execute` after."""
    return execution.begun + (execution.status is Status.PENDING)


def _hold_because(outcome: Outcome) -> str:
    seconds = outcome.retry_after
    return asked_to_wait(seconds) if seconds is not None and seconds > 0 else "the receiver asked to wait"


def _status_after(outcome: Outcome, again: Again | None) -> Status:
    if outcome.code is None:
        return Status.SUCCEEDED
    return Status.FAILED if again is None else Status.PENDING
