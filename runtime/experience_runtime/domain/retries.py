"""Retries: an attempt failed; when is the next, if any."""

import math
from datetime import datetime, timedelta

from experience_runtime.domain.windows import Window

RETRIES = 5
BASE_SECONDS = 15
FACTOR = 4
CAP_SECONDS = 3600
MOST_RETRY_AFTER_SECONDS = 86_400


def decide(
    *,
    may_pass: bool,
    retry_after: float | None,
    begun: int,
    retries: int,
    now: datetime,
    random: float,
    window: Window | None,
) -> datetime | None:
    """Choose the next due instant after a failed attempt; None to give up.

    `begun` counts the attempts whose delivery began, this one included; `random` lies in 0 to 1;
    `retry_after` is in seconds, as the other side asked. The wait is full jitter: anything from nothing
    to 15 s, 1 min, 4 min, 16 min, then 1 h. Source: contract 4 (the figures are ours).
    """
    if not may_pass or begun > retries:
        return None
    # the exponent is bounded: an integration may ask for thousands of retries
    longest_seconds = min(CAP_SECONDS, BASE_SECONDS * FACTOR ** min(max(begun, 1) - 1, 8))
    seconds = random * longest_seconds
    if retry_after is not None and retry_after > seconds:
        seconds = min(retry_after, MOST_RETRY_AFTER_SECONDS)
    due_at = now + timedelta(milliseconds=math.ceil(seconds * 1000))
    return window.next_inside(due_at) if window else due_at
