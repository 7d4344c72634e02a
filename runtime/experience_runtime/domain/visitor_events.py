"""Events: what a visitor did, as sites tell it."""

import re
from dataclasses import dataclass
from datetime import datetime

from experience_runtime.domain.errors import InvalidParameter, PayloadTooLarge
from experience_runtime.domain.payloads import check_payload
from experience_runtime.domain.values import shown

MOST_DATA_BYTES = 16 * 1024

KEPT_EVENTS = 1000
"""How many of its newest events a visitor keeps."""

_TYPE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:-]{0,199}")


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitorEvent:
    """One event; `data` is a JSON text of at most MOST_DATA_BYTES."""

    visitor: str
    type: str
    data: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion:
    """One recorded conversion of a visitor."""

    event: str
    at: datetime


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
