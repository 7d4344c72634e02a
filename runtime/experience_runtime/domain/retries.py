"""Retries: an attempt failed; when is the next, if any."""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from experience_runtime.domain.spans import span_text
from experience_runtime.domain.windows import Window

RETRIES = 5
MOST_RETRY_AFTER_SECONDS = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """How long to wait between attempts, at most: `base_seconds`, then `factor` times more each time, never
    above `cap_seconds`. Raises ValueError for figures that cannot be waited by."""

    base_seconds: float = 15
    factor: float = 4
    cap_seconds: float = 3600

    def __post_init__(self) -> None:
        if not 0 <= self.base_seconds <= self.cap_seconds <= MOST_RETRY_AFTER_SECONDS:
            raise ValueError(
                f"base_seconds = {self.base_seconds!r} and cap_seconds = {self.cap_seconds!r} must lie in "
                f"0 to {MOST_RETRY_AFTER_SECONDS}, the base not above the cap"
            )
        if not 1 <= self.factor <= 1000:
            raise ValueError(f"factor = {self.factor!r} must lie in 1 to 1000; 1 waits the same each time")

    def longest_seconds(self, begun: int) -> float:
        """The longest wait after this many attempts; the wait itself is drawn from nothing to that."""
        try:
            # floats, for they end in an error: an integration may ask for thousands of retries
            return min(self.cap_seconds, self.base_seconds * float(self.factor) ** (max(begun, 1) - 1))
        except OverflowError:
            return self.cap_seconds if self.base_seconds else 0


_BACKOFF = Backoff()


@dataclass(frozen=True, slots=True)
class Again:
    """When the next attempt is, and why then, for people."""

    due_at: datetime
    because: str


def decide(
    *,
    may_pass: bool,
    retry_after: float | None,
    begun: int,
    retries: int,
    now: datetime,
    random: float,
    window: Window | None,
    backoff: Backoff = _BACKOFF,
) -> Again | None:
    """Choose the next attempt after a failed one; None to give up.

    `begun` counts the attempts whose delivery began, this one included; `random` lies in 0 to 1;
    `retry_after` is in seconds, as the other side asked. The wait is full jitter: anything from nothing
    to what `backoff` says, by default 15 s, 1 min, 4 min, 16 min, then 1 h.
    Source: reference/executions#retries.
    """
    if not may_pass or begun > retries:
        return None
    seconds = random * backoff.longest_seconds(begun)
    because = f"a pause drawn from nothing to {span_text(backoff.longest_seconds(begun))}"
    if retry_after is not None and retry_after > seconds:
        seconds, because = min(retry_after, MOST_RETRY_AFTER_SECONDS), asked_to_wait(retry_after)
    asked_at = now + timedelta(milliseconds=math.ceil(seconds * 1000))
    due_at = window.next_inside(asked_at) if window else asked_at
    return Again(due_at, because if due_at == asked_at else f"{because}; its window was closed then")


def asked_to_wait(retry_after: float) -> str:
    """Say how long a receiver asked to wait, and how long it is waited for it."""
    if retry_after > MOST_RETRY_AFTER_SECONDS:  # it may be infinite
        return "Retry-After said more than a day; at most a day is waited"
    return f"Retry-After said {span_text(retry_after)}"
