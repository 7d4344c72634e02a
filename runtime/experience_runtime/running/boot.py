"""Boot: what a run finds, as a guest is started with it. What every run of a script finds is spelled once."""

import hashlib
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from weakref import WeakKeyDictionary

from experience_runtime.domain.errors import InvalidParameter
from experience_runtime.domain.instants import to_ms
from experience_runtime.domain.offset_table import offset_table
from experience_runtime.domain.page_facts import NO_FACTS, PageFacts
from experience_runtime.domain.planning import visitor_zone
from experience_runtime.domain.visitors import Visitor
from experience_runtime.domain.zones import Zone
from experience_runtime.running.guest import Boot, Limits, Script
from experience_runtime.running.named_zones import named_zones, zones_text

_COMPACT = json.JSONEncoder(
    allow_nan=False, separators=(",", ":")
).encode  # one encoder: making it costs most


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What a run finds: the page's facts, the events before it, and its chance."""

    visitor: Visitor
    data: Any = None
    visitor_state: Mapping[str, Any] = field(default_factory=dict)
    events: Sequence[Mapping[str, Any]] = ()  # of the page: {"type", "data"}
    past: Sequence[Mapping[str, Any]] = ()  # stored before: {"type", "data", "at"}, Unix milliseconds
    seed: int | None = None
    is_preview: bool = False
    browser: Mapping[str, Any] | None = None
    """The page's facts as they were sent, for `getBrowserState()`; None: nobody sent any."""
    cookies: Mapping[str, str] = field(default_factory=dict)
    keep_state: bool = False
    """`visitor_state` is kept with the visitor, for the runs to come."""


def situation_of(visitor: Visitor, data: Any = None, facts: PageFacts = NO_FACTS) -> Situation:
    """What a run finds of what its caller tells. InvalidParameter for a state to keep of nobody."""
    if facts.keep_state and visitor.id is None:
        raise InvalidParameter("keep_state keeps the state with a visitor, and nobody is known; name one")
    return Situation(
        visitor=visitor,
        data=data,
        visitor_state=facts.state,
        events=facts.events,
        browser=facts.browser,
        cookies=facts.cookies,
        keep_state=facts.keep_state,
    )


def boot(
    script: Script,
    situation: Situation,
    linked: Sequence[str],
    now: datetime,
    limits: Limits,
    *,
    check_only: bool = False,
) -> Boot:
    """Spell what a run is started with; the message's inner texts are JSON that the guest parses for each
    reader.

    Raises InvalidParameter for data that is no JSON value.
    """
    placed = _placed(script)
    meta = script.experience.meta
    visitor = situation.visitor
    zone = visitor_zone(visitor, [])[0]
    seed = secrets.randbits(128) if situation.seed is None else situation.seed
    data = meta.get("templateData", {}) if situation.data is None else situation.data
    state = {**_object(meta.get("visitor")), **situation.visitor_state}
    if visitor.id is not None:
        state["visitorId"] = visitor.id
    if visitor.timezone_offset is not None:
        state["timezoneOffset"] = visitor.timezone_offset
    events = [
        {"type": event["type"], "data": event.get("data", {}), "at": event.get("at", to_ms(now))}
        for event in (*situation.past, *situation.events)
    ]
    data_text = json_of(data, "data")
    zones = placed.zones
    if "/" in data_text:
        zones = tuple(dict.fromkeys((*zones, *named_zones(data_text))))
    message = {
        "now": to_ms(now),
        "seed": [(seed >> shift) & 0xFFFFFFFF for shift in (0, 32, 64, 96)],
        "linked": list(linked),
        "checkOnly": check_only,
        "zonesText": zones_text(zones),
        "dataText": data_text,
        "metaText": json_of(_meta(script, visitor, situation.is_preview), "meta"),
        "visitorStateText": json_of(state, "the visitor's state"),
        "browserStateText": json_of(situation.browser or {}, "the browser's state"),
        "cookiesText": json_of(situation.cookies, "the cookies"),
    }
    events_text = json_of(events, "an event's data")
    text = f'{{"events":{events_text},{_limits_text(limits)},{placed.text},{_zone_text(zone, now.year)},'
    return Boot(script=placed.name, files=placed.files, text=(text + _COMPACT(message)[1:]).encode("ascii"))


@dataclass(frozen=True, slots=True)
class _Placed:
    """What is the same for every run of a script: its files, under a name of their content, members' text,
    and the zones that the files name."""

    name: bytes
    files: bytes
    text: str
    zones: tuple[str, ...]


_PLACED: WeakKeyDictionary[Script, _Placed] = WeakKeyDictionary()


def _placed(script: Script) -> _Placed:
    found = _PLACED.get(script)
    if found is not None:
        return found
    experience, meta = script.experience, script.experience.meta
    raw = experience.global_script
    files = {
        "modules": [[name, each.kind, each.file, each.text] for name, each in script.modules.items()],
        "global": None if raw is None else [raw.file, script.global_text],
    }
    text = _COMPACT(files).encode("ascii")
    members = {
        "globalRequires": "require" in script.global_text,
        "hasTriggers": experience.triggers is not None,
        "hasVariation": experience.variation is not None,
        "pageText": json_of(_page(meta), "meta.customGoals and meta.segments"),
        "solutionText": json_of(meta.get("solutionOptions"), "meta.solutionOptions"),
    }
    name = hashlib.sha256(text).hexdigest()[:32].encode()
    zones = named_zones("\n".join((*(each.text for each in script.modules.values()), script.global_text)))
    placed = _Placed(name, text, _COMPACT(members)[1:-1], zones)
    _PLACED[script] = placed
    return placed


@lru_cache(maxsize=64)
def _limits_text(limits: Limits) -> str:
    """The limits that the prelude keeps, as the message's member."""
    return '"limits":' + _COMPACT(
        {
            "pendingCalls": limits.pending_calls,
            "logLength": limits.log_bytes,
            "events": limits.events,
            "redirects": limits.redirects,
            "eventLength": limits.event_bytes,
            "calls": limits.calls,
            "callLength": limits.call_bytes,
            "turnCallLength": limits.turn_call_bytes,
        }
    )


@lru_cache(maxsize=512)
def _zone_text(zone: Zone, year: int) -> str:
    """The zone and its offsets, as the message's members: those from the year before to the end of the
    second one after, a line end, and all of them.

    In minutes: the first is [from, until, offset, change, offset, …], the second begins with an offset.
    """
    table = offset_table(zone)
    first, until = (int(datetime(at, 1, 1, tzinfo=UTC).timestamp()) // 60 for at in (year - 1, year + 3))
    changes = list(zip(table[1::2], table[2::2], strict=True))
    before = [offset for change, offset in changes if change <= first]
    near = [first, until, before[-1] if before else table[0]]
    for change, offset in changes:
        if first < change < until:
            near += [change, offset]
    offsets = _COMPACT(near) + "\n" + _COMPACT(table)
    return _COMPACT({"zone": zone.name, "offsetsText": offsets})[1:-1]


def json_of(value: Any, what: str) -> str:
    """Write a value that comes from outside as JSON in ASCII; InvalidParameter when it is none."""
    if value == {} and type(value) is dict:
        return "{}"  # as most are
    try:
        return _COMPACT(value)
    except (TypeError, ValueError, RecursionError) as fault:
        raise InvalidParameter(f"{what} cannot be written as JSON ({fault}); use JSON values only") from None


def _meta(script: Script, visitor: Visitor, is_preview: bool) -> dict[str, Any]:
    meta = script.experience.meta
    own = _object(_object(meta.get("variations")).get(f"variation-{script.experience.master_id}"))
    return {
        "cookieDomain": meta.get("cookieDomain"),
        "trackingId": meta.get("trackingId"),
        "experienceId": meta.get("experienceId"),
        "experimentId": meta.get("experienceId"),
        "iterationId": meta.get("iterationId"),
        "variationId": own.get("variationId"),
        "variationMasterId": own.get("variationMasterId", script.experience.master_id),
        "variationIsControl": own.get("variationIsControl", script.experience.variation is None),
        "isPreview": is_preview or meta.get("isPreview") is True,
        "vertical": meta.get("vertical"),
        "namespace": meta.get("namespace"),
        "visitorId": visitor.id,
    }


def _page(meta: Mapping[str, Any]) -> dict[str, Any]:
    return {"customGoals": meta.get("customGoals"), "segments": meta.get("segments")}


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
