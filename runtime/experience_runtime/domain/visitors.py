"""Visitors: who an experience runs for, and where their clock stands."""

import unicodedata
from dataclasses import dataclass

from experience_runtime.domain.errors import InvalidParameter
from experience_runtime.domain.values import shown

_LONGEST_ID = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """Who a run is for. `id` is None when the run is anonymous; its zone may be known all the same.

    `timezone` is an IANA name; `timezone_offset` is minutes *behind* UTC, as JavaScript's
    `getTimezoneOffset` (-60 is UTC+1). Either may be unknown.
    """

    id: str | None
    timezone: str | None = None
    timezone_offset: int | None = None


def check_visitor_id(visitor_id: object) -> str:
    """Return an id of 1 to 200 characters without control characters; else raise InvalidParameter."""
    if not isinstance(visitor_id, str):
        raise InvalidParameter(f"visitor id {shown(visitor_id)} is not a text; write it in quotes")
    if not 1 <= len(visitor_id) <= _LONGEST_ID:
        raise InvalidParameter(
            f"visitor id {shown(visitor_id)} has {len(visitor_id)} characters; write 1 to {_LONGEST_ID}"
        )
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in visitor_id):
        raise InvalidParameter(
            f"visitor id {shown(visitor_id)} holds a control character; write letters, digits and signs only"
        )
    return visitor_id
