"""Visitors: who an experience runs for, and where their clock stands."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from experience_runtime.domain.errors import InvalidWindow
from experience_runtime.domain.values import read_name, whole_number
from experience_runtime.domain.zones import fixed_zone, iana_zone, is_iana_zone


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """Who a run is for. `id` is None when the run is anonymous; its zone may be known all the same.

    `timezone` is an IANA name; `timezone_offset` is minutes *behind* UTC, as JavaScript's
    `getTimezoneOffset` (-60 is UTC+1). Either may be unknown.
    """

    id: str | None
    timezone: str | None = None
    timezone_offset: int | None = None


def make_visitor(
    visitor_id: str | None, *, timezone: str | None = None, timezone_offset: int | None = None
) -> Visitor:
    """Make a visitor of what a caller gives. Raises the Refusal of what is wrong with it.

    Of a zone and an offset, the zone counts; the offset does where the zone is not known here.
    """
    if timezone_offset is not None:
        fixed_zone(timezone_offset)
        if timezone is not None:
            timezone = timezone if is_iana_zone(timezone) else None
            timezone_offset = timezone_offset if timezone is None else None
    if timezone is not None:
        iana_zone(timezone)
    if visitor_id is not None:
        check_visitor_id(visitor_id)
    return Visitor(id=visitor_id, timezone=timezone, timezone_offset=timezone_offset)


def browser_visitor(visitor_id: str, timezone: object, timezone_offset: int | None) -> Visitor:
    """Make a visitor of what a browser says of its clock; what cannot be read is passed over.

    Browsers learn of new zones before machines do, and know names that no list has, such as `Etc/Unknown`.
    """
    if isinstance(timezone, str) and is_iana_zone(timezone):
        return Visitor(id=visitor_id, timezone=timezone)
    try:
        return make_visitor(visitor_id, timezone_offset=timezone_offset)
    except InvalidWindow:
        return Visitor(id=visitor_id)


def in_default_zone(visitor: Visitor, fields: Mapping[str, object]) -> Visitor:
    """Give a visitor whose zone is not known the one of these fields (package.json's `meta.visitor`).

    What cannot be read is passed over: it is the last resort.
    """
    if visitor.timezone is not None or visitor.timezone_offset is not None:
        return visitor
    timezone, offset = fields.get("timezone"), whole_number(fields.get("timezoneOffset"))
    try:
        if isinstance(timezone, str):
            return make_visitor(visitor.id, timezone=timezone)
        return make_visitor(visitor.id, timezone_offset=offset)
    except InvalidWindow:
        return visitor


def check_visitor_id(visitor_id: object) -> str:
    """Return an id of 1 to 200 characters without control characters; else raise InvalidParameter."""
    return read_name("visitor id", visitor_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Erased:
    """How much of a person was erased, or would be; `cancelled` of the executions were pending.

    `schedules`: the names of the recurring schedules whose payload names them.
    """

    ids: int
    executions: int
    cancelled: int
    runs: int
    events: int
    conversions: int
    answers: int = 0
    schedules: tuple[str, ...] = ()

    def counts(self) -> dict[str, int]:
        return asdict(self) | {"schedules": len(self.schedules)}
