"""What a caller tells of the visitor and the page beside `data`: the same for a run and a simulation."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from experience_runtime.domain.errors import InvalidParameter, MissingParameter, PayloadTooLarge
from experience_runtime.domain.values import shown
from experience_runtime.domain.visitor_events import check_event_data, check_event_type

MOST_EVENTS = 200
"""How many events a run finds: the visitor's stored ones, and those it is given."""

MOST_EVENT_BYTES = 256 * 1024
MOST_FACT_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class PageFacts:
    """`events` happened on the page before the run, each {"type", "data"}; `state` stands above what is known
    of the visitor; `browser` and `cookies` (name to value) are the page's, None where nobody told.

    `keep_state`: the state is kept with the visitor, see `kept_state`."""

    events: Sequence[Mapping[str, Any]] = ()
    state: Mapping[str, Any] = field(default_factory=dict)
    browser: Mapping[str, Any] | None = None
    cookies: Mapping[str, str] = field(default_factory=dict)
    keep_state: bool = False


NO_FACTS = PageFacts()


def read_page_facts(
    *,
    events: object = None,
    state: object = None,
    browser: object = None,
    cookies: object = None,
    keep_state: bool = False,
) -> PageFacts:
    """Read them as they were sent.

    Raises InvalidParameter, InvalidPayload, MissingParameter or PayloadTooLarge.
    """
    if keep_state and state is None:
        raise MissingParameter('keep_state keeps the state, and there is none; send {"state": {…}} too')
    jar = _object(cookies, "cookies")
    for name, value in jar.items():
        if not isinstance(value, str):
            raise InvalidParameter(f"cookies.{name[:100]} {shown(value)} is not a string; write it in quotes")
    return PageFacts(
        events=_events(events),
        state=_object(state, "state"),
        browser=None if browser is None else _object(browser, "browser"),
        cookies=jar,
        keep_state=keep_state,
    )


def kept_state(kept: Mapping[str, Any], told: Mapping[str, Any]) -> dict[str, Any]:
    """What is kept of a visitor once more is told: each member replaces the one before, null takes it out.

    Raises PayloadTooLarge where it would be too much.
    """
    state = {name: value for name, value in {**kept, **told}.items() if value is not None}
    size = len(json.dumps(state, allow_nan=False))
    if size > MOST_FACT_BYTES:
        raise PayloadTooLarge(
            f"the kept state would have {size} bytes as JSON; at most {MOST_FACT_BYTES}: nothing was kept, "
            "send null for members that are not needed any more"
        )
    return state


def _object(value: object, name: str) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise InvalidParameter(f"{name} {shown(value)} is not an object; write {{…}} or leave it out")
    try:
        size = len(json.dumps(value, allow_nan=False))
    except (TypeError, ValueError, RecursionError) as fault:
        raise InvalidParameter(f"{name} cannot be written as JSON ({fault}); use JSON values only") from None
    if size > MOST_FACT_BYTES:
        raise PayloadTooLarge(f"{name} has {size} bytes as JSON; at most {MOST_FACT_BYTES}: send less of it")
    return value


def _events(value: object) -> tuple[dict[str, Any], ...]:
    if value is None:
        return ()
    if not isinstance(value, list | tuple) or len(value) > MOST_EVENTS:
        raise InvalidParameter(f"events must be a list of at most {MOST_EVENTS} objects; send the newest")
    read = []
    size = 0
    for index, each in enumerate(value):
        if not isinstance(each, Mapping) or not isinstance(each.get("type"), str) or each.keys() - _MEMBERS:
            raise InvalidParameter(
                f'events.{index} {shown(each)} is not an event; write {{"type": "ecView", "data": {{…}}}}'
            )
        data = each.get("data", {})
        size += len(check_event_data(data))
        read.append({"type": check_event_type(each["type"]), "data": data})
    if size > MOST_EVENT_BYTES:
        raise PayloadTooLarge(
            f"the events have {size} bytes as JSON; at most {MOST_EVENT_BYTES}: send the newest"
        )
    return tuple(read)


_MEMBERS = {"type", "data"}
