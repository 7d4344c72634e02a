"""Events: what a visitor did, as sites tell it."""

import math
import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from experience_runtime.domain.errors import InvalidParameter, PayloadTooLarge
from experience_runtime.domain.payloads import check_payload
from experience_runtime.domain.values import shown

MOST_DATA_BYTES = 16 * 1024

KEPT_EVENTS = 1000
"""How many of its newest events a visitor keeps."""

_OLDEST = timedelta(days=31)

_TYPE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:-]{0,199}")


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitorEvent:
    """One event; `data` is a JSON text of at most MOST_DATA_BYTES.

    `at` is when it happened, `received_at` when it was heard of.
    """

    visitor: str
    type: str
    data: str
    at: datetime
    received_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion:
    """One recorded conversion of a visitor: when it happened, and when it was heard of."""

    event: str
    at: datetime
    received_at: datetime


def happened_at(age_ms: object, *, now: datetime) -> datetime | None:
    """When an event happened, of the age that its sender states; None when it states none.

    Never in the future, and at most 31 days ago: nothing that still waits is older.
    """
    if age_ms is None:
        return None
    if isinstance(age_ms, bool) or not isinstance(age_ms, int | float) or not 0 <= age_ms < math.inf:
        raise InvalidParameter(f"age {shown(age_ms)} is not one; write milliseconds, such as 1500")
    return now - min(timedelta(milliseconds=min(age_ms, 1e12)), _OLDEST)


def check_event_type(text: str) -> str:
    """Return a type such as `ecView` or `shop.ecView`; else raise InvalidParameter."""
    if not _TYPE.fullmatch(text):
        raise InvalidParameter(
            f"event type {shown(text)} is not one; use up to 200 letters, digits, _ - . and :, "
            "for instance ecBasketTransactionSummary"
        )
    return text


def check_event_data(data: object) -> str:
    """Return the JSON text of an event's data; raise InvalidPayload or PayloadTooLarge."""
    text = check_payload(data)
    size = len(text.encode("utf-8", "replace"))
    if size > MOST_DATA_BYTES:
        raise PayloadTooLarge(
            f"the event's data has {size} bytes as JSON; at most {MOST_DATA_BYTES} are kept: send less of it"
        )
    return text
