"""Boot: what a run finds, as the message a guest is started with."""

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any

from experience_runtime.domain.errors import InvalidParameter
from experience_runtime.domain.instants import to_ms
from experience_runtime.domain.offset_table import offset_table
from experience_runtime.domain.planning import visitor_zone
from experience_runtime.domain.visitors import Visitor
from experience_runtime.domain.zones import Zone
from experience_runtime.running.guest import Limits, Script

_BROWSER = {
    "url": "https://example.com/",
    "ua": {"deviceType": "computer", "browserName": "", "browserVersion": "", "osName": ""},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What a run finds: the page's facts, the events before it, and its chance."""

    visitor: Visitor
    data: Any = None
    visitor_state: Mapping[str, Any] = field(default_factory=dict)
    events: Sequence[Mapping[str, Any]] = ()  # {"type", "data"}
    seed: int | None = None
    is_preview: bool = False
    browser: Mapping[str, Any] | None = None
    """The page's facts as they were sent, for `getBrowserState()`; None: nobody sent any."""


def boot_message(
    script: Script,
    situation: Situation,
    linked: Sequence[str],
    now: datetime,
    limits: Limits,
    *,
    check_only: bool = False,
) -> dict[str, Any]:
    """Spell the message; its inner texts are JSON that the guest parses anew for each reader.

    Raises InvalidParameter for data that is no JSON value.
    """
    experience = script.experience
    meta = experience.meta
    visitor = situation.visitor
    zone = visitor_zone(visitor, [])[0]
    seed = secrets.randbits(128) if situation.seed is None else situation.seed
    data = meta.get("templateData", {}) if situation.data is None else situation.data
    state = {**_object(meta.get("visitor")), **situation.visitor_state}
    if visitor.id is not None:
        state["visitorId"] = visitor.id
    if visitor.timezone_offset is not None:
        state["timezoneOffset"] = visitor.timezone_offset
    events = [{"type": event["type"], "data": event.get("data", {})} for event in situation.events]
    json_of(events, "an event's data")
    return {
        "now": to_ms(now),
        "zone": zone.name,
        "offsetsText": _offsets_text(zone),
        "seed": [(seed >> shift) & 0xFFFFFFFF for shift in (0, 32, 64, 96)],
        "logBytes": limits.log_bytes,
        "calls": limits.pending_calls,
        "modules": script.modules,
        "globalText": script.global_text,
        "hasTriggers": experience.triggers is not None,
        "hasVariation": experience.variation is not None,
        "checkOnly": check_only,
        "linked": list(linked),
        "events": events,
        "pageText": json_of(_page(meta), "meta.customGoals and meta.segments"),
        "metaText": json_of(_meta(script, visitor, situation.is_preview), "meta"),
        "dataText": json_of(data, "data"),
        "solutionText": json_of(meta.get("solutionOptions"), "meta.solutionOptions"),
        "visitorStateText": json_of(state, "the visitor's state"),
        "browserStateText": json.dumps(_BROWSER if situation.browser is None else situation.browser),
    }


@lru_cache(maxsize=512)
def _offsets_text(zone: Zone) -> str:
    return json.dumps(offset_table(zone), separators=(",", ":"))


def json_of(value: Any, what: str) -> str:
    """Write a value that comes from outside as JSON in ASCII; InvalidParameter when it is none."""
    try:
        return json.dumps(value, allow_nan=False)
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
