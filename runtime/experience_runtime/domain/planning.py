"""Planning: what the author asked for, now and the visitor make one Plan, or a refusal."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType

from experience_runtime.domain.doubts import doubts_of, opposite_offset
from experience_runtime.domain.durations import parse_delay
from experience_runtime.domain.errors import (
    BeyondLimit,
    DelayAndTime,
    InThePast,
    InvalidKey,
    InvalidParameter,
    InvalidWindow,
    NoDelayOrTime,
    UnknownVisitor,
)
from experience_runtime.domain.executions import IfExists
from experience_runtime.domain.instants import GRACE_MS, HORIZON_MS, iso, parse_time, to_ms
from experience_runtime.domain.keys import canonical_key
from experience_runtime.domain.options import (
    SCHEDULE_OPTIONS,
    Options,
    check_names,
    check_window_names,
    chosen,
    flag,
    one_of,
)
from experience_runtime.domain.values import shown
from experience_runtime.domain.visitors import Visitor
from experience_runtime.domain.windows import Window, parse_window
from experience_runtime.domain.zones import UTC, Zone, fixed_zone, iana_zone

__all__ = [
    "HORIZON",
    "SCHEDULE_OPTIONS",
    "CancelPlan",
    "Plan",
    "check_reason",
    "plan",
    "plan_cancel",
    "visitor_zone",
]

HORIZON = timedelta(milliseconds=HORIZON_MS)
"""How far ahead the requested instant may lie; exactly this far passes.

Source: reference/schedule-options#thirty-days.
"""

_GRACE = timedelta(milliseconds=GRACE_MS)
_LONGEST_REASON = 1000
_SHOWN_IN_ASKED = 70
_NOTHING: Mapping[str, object] = MappingProxyType({})
_SCOPES = ("visitor", "property")
_IF_EXISTS = tuple(IfExists)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to store for one `schedule` call.

    `requested_at` is the instant asked for, up to 60 s in the past; `due_at` is when it will run.
    `asked` quotes the author in at most 80 characters. `zone_from` is `window`, `visitor_zone`,
    `visitor_offset` or `default`. `key` is canonical. `scope_is_visitor` only when a visitor is known.
    `warnings` and `notes` are lines for the author's log, at `warn` and at `info`.
    """

    requested_at: datetime
    due_at: datetime
    asked: str
    window: Window | None
    zone: Zone
    zone_from: str
    key: str | None
    scope_is_visitor: bool
    cancel_on_conversion: bool
    if_exists: IfExists
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelPlan:
    """What to cancel for one `cancel` call; `warnings` are lines for the author's log."""

    key: str
    scope_is_visitor: bool
    reason: str | None
    warnings: tuple[str, ...] = ()


def plan(options: Options, *, defaults: Options = _NOTHING, now: datetime, visitor: Visitor | None) -> Plan:
    """Decide when a `schedule` call runs. Raises the Refusal of the first rule it breaks.

    The defaults fill what the call leaves out, and null is left out everywhere; a call's own delay or time
    displaces either default, and its window the whole default window.
    Source: reference/schedule-options#schedule.
    """
    warnings = [*check_names(options, defaults)]
    requested_at, asked = _requested(options, defaults, now, warnings)
    window, zone, zone_from = _window(chosen(options, defaults, "window"), visitor, warnings)
    start_at = max(requested_at, now)
    warnings += _doubts(options, defaults, visitor, now)
    key = chosen(options, defaults, "key")
    return Plan(
        requested_at=requested_at,
        due_at=window.next_inside(start_at) if window else start_at,
        asked=asked,
        window=window,
        zone=zone,
        zone_from=zone_from,
        key=None if key is None else canonical_key(key),
        scope_is_visitor=_scope_is_visitor(options, defaults, visitor),
        cancel_on_conversion=_cancel_on_conversion(options, defaults, visitor),
        if_exists=IfExists(
            one_of("ifExists", chosen(options, defaults, "ifExists"), _IF_EXISTS, IfExists.REPLACE)
        ),
        warnings=tuple(warnings),
        notes=("no key: each call schedules one more execution, so duplicates are possible",)
        if key is None
        else (),
    )


def plan_move(options: Options, *, now: datetime) -> datetime:
    """Decide the instant that a pending execution is moved to, not before now; its window comes after this.

    Raises the Refusal of the first rule it breaks: exactly one of `delay` and `time`, at most 30 days ahead.
    """
    if options.get("delay") is None and options.get("time") is None:
        raise NoDelayOrTime(
            'nothing says when it is to run; write delay: "1 hour", '
            f'or time: "{iso(now + timedelta(hours=1))}"'
        )
    return max(_requested(options, _NOTHING, now, [])[0], now)


def plan_cancel(options: Options, *, defaults: Options = _NOTHING, visitor: Visitor | None) -> CancelPlan:
    """Decide what a `cancel` call cancels; only key and scope come from the defaults.

    Raises InvalidKey without a key. Source: reference/schedule-options#cancel.
    """
    warnings = check_names(options, defaults)
    key = chosen(options, defaults, "key")
    if key is None:
        raise InvalidKey("cancel has no key; write the key the execution was scheduled with, {key: {…}}")
    return CancelPlan(
        key=canonical_key(key),
        scope_is_visitor=_scope_is_visitor(options, defaults, visitor),
        reason=check_reason(options.get("reason")),
        warnings=warnings,
    )


def _doubts(options: Options, defaults: Options, visitor: Visitor | None, now: datetime) -> list[str]:
    of_call = options.get("delay") is not None or options.get("time") is not None
    timing = options if of_call else defaults
    window = chosen(options, defaults, "window")
    found = doubts_of({"delay": timing.get("delay"), "time": timing.get("time"), "window": window})
    zone, zone_from = visitor_zone(visitor, [])
    if isinstance(window, Mapping) and zone_from != "default":
        opposite = opposite_offset(window, visitor_zone=zone, now=now)
        found += [] if opposite is None else [opposite]
    return found


def _requested(
    options: Options, defaults: Options, now: datetime, warnings: list[str]
) -> tuple[datetime, str]:
    delay, time = options.get("delay"), options.get("time")
    if delay is None and time is None:
        delay, time = defaults.get("delay"), defaults.get("time")
    if delay is not None and time is not None:
        raise DelayAndTime(
            f"delay {shown(delay)} and time {shown(time)} are both set; exactly one is allowed: leave one out"
        )
    if delay is not None:
        return _after(delay, now), f"delay {shown(delay, _SHOWN_IN_ASKED)}"
    if time is not None:
        return _at(time, now, warnings), f"time {shown(time, _SHOWN_IN_ASKED)}"
    raise NoDelayOrTime(
        'neither delay nor time is set; exactly one is needed: write delay: "1 hour", '
        f'or time: "{iso(now)}" (to run at once, call the integration itself)'
    )


def _after(delay: object, now: datetime) -> datetime:
    delay_ms = parse_delay(delay)
    if delay_ms > HORIZON_MS:
        raise BeyondLimit(
            f'delay {shown(delay)} is more than the limit of 30 days; write at most "30 days" or {HORIZON_MS}'
        )
    return now + timedelta(milliseconds=delay_ms)


def _at(time: object, now: datetime, warnings: list[str]) -> datetime:
    parsed = parse_time(time, now=now)
    if parsed.at - now > HORIZON:
        latest = now + HORIZON
        raise BeyondLimit(
            f"time {shown(time)} is more than the limit of 30 days ahead; "
            f'write at most "{iso(latest)}" or {to_ms(latest)}'
        )
    if now - parsed.at > _GRACE:
        raise InThePast(
            f"time {shown(time)} is in the past (it is {iso(now)} now, and 60 s are forgiven); "
            f'write "{iso(now)}" or later, or delay: 0 to run at once'
        )
    if parsed.zone_assumed:
        warnings.append(
            f'time {shown(time)} has no zone, so UTC is assumed; write "{iso(parsed.at)}" to say so'
        )
    return parsed.at


def _window(given: object, visitor: Visitor | None, warnings: list[str]) -> tuple[Window | None, Zone, str]:
    if given is None:
        return None, *visitor_zone(visitor, warnings)
    window = check_window_names(given)
    name, minutes_behind = window.get("timezone"), window.get("timezoneOffset")
    if name is not None and minutes_behind is not None:
        raise InvalidWindow(
            f"window has both timezone {shown(name)} and timezoneOffset {shown(minutes_behind)}; "
            "one is allowed: leave timezoneOffset out to follow daylight saving"
        )
    if name is not None:
        zone, zone_from = iana_zone(name), "window"
    elif minutes_behind is not None:
        zone, zone_from = fixed_zone(minutes_behind), "window"
    else:
        zone, zone_from = visitor_zone(visitor, warnings)
        if zone_from == "default":
            warnings.append(
                "the window has no zone and the visitor's is not known, so it is read in UTC; "
                'write timezone: "Europe/Paris" or timezoneOffset: -60 inside window'
            )
    return parse_window(window.get("day"), window.get("time"), zone), zone, zone_from


def visitor_zone(visitor: Visitor | None, warnings: list[str]) -> tuple[Zone, str]:
    """The zone of this visitor's clock, and where it comes from; what cannot be read is warned of.

    Source: reference/schedule-options#whose-zone.
    """
    if visitor is not None and visitor.timezone is not None:
        try:
            return iana_zone(visitor.timezone), "visitor_zone"
        except InvalidWindow as refusal:
            warnings.append(f"the visitor's zone is passed over: {refusal.message}")
    if visitor is not None and visitor.timezone_offset is not None:
        try:
            return fixed_zone(visitor.timezone_offset), "visitor_offset"
        except InvalidWindow as refusal:
            warnings.append(f"the visitor's offset is passed over: {refusal.message}")
    return UTC, "default"


def _scope_is_visitor(options: Options, defaults: Options, visitor: Visitor | None) -> bool:
    scope = one_of("scope", chosen(options, defaults, "scope"), _SCOPES, "visitor")
    return scope == "visitor" and visitor is not None and visitor.id is not None


def _cancel_on_conversion(options: Options, defaults: Options, visitor: Visitor | None) -> bool:
    asked = flag("cancelOnConversion", chosen(options, defaults, "cancelOnConversion"))
    if asked and (visitor is None or visitor.id is None):
        raise UnknownVisitor(
            "cancelOnConversion true needs a known visitor, and this run is anonymous; "
            "run it for a visitor, or leave cancelOnConversion out"
        )
    return asked


def check_reason(value: object) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str):
        raise InvalidParameter(f"reason {shown(value)} is not a string; write it in quotes")
    if len(value) > _LONGEST_REASON:
        raise InvalidParameter(
            f"reason {shown(value)} has {len(value)} characters; write at most {_LONGEST_REASON}"
        )
    # no database keeps a lone surrogate or a NUL as text
    return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace").replace("\0", "\ufffd")
