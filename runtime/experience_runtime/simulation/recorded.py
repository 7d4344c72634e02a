"""A recorded visitor as a story: what they did, and a run of the experience for each page they opened."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from experience_runtime.domain.event_names import is_named, is_view
from experience_runtime.domain.instants import iso
from experience_runtime.domain.recorded import RecordedVisitor

VISIT_ENDS = timedelta(minutes=30)
"""Where a visitor's events know no view, the first of each visit opens a page."""

_SAME = timedelta(seconds=1)  # a conversion and the event that was one are written one after the other
_LEAST = timedelta(seconds=1)


def recorded_story(
    visitor: RecordedVisitor, *, since: datetime, until: datetime, conversions: Sequence[str]
) -> dict[str, Any] | None:
    """The story in its JSON form, from the visitor's first event until `until`; None when no page opened.

    The experience runs for each page that was opened since `since`; what was before is known of the visitor.
    `conversions`: the names of the events that are ones.
    """
    steps: list[tuple[datetime, int, dict[str, Any]]] = []
    has_views = any(is_view(each.type) for each in visitor.events)
    before: datetime | None = None
    for each in visitor.events:
        if each.at > until:
            continue
        opens = is_view(each.type) if has_views else before is None or each.at - before > VISIT_ENDS
        if opens and each.at >= since:
            steps.append((each.at, len(steps), {"do": "run", "new_page": True}))
        data = json.loads(each.data)
        steps.append((each.at, len(steps), {"do": "emit", "type": each.type, "data": data}))
        before = each.at
    if not any(step["do"] == "run" for _, _, step in steps):
        return None
    told = [each.at for each in visitor.events if _is_one(each.type, conversions)]
    for at, event in visitor.conversions:
        if at <= until and not any(abs(at - other) <= _SAME for other in told):
            # one of a name that the settings know no more was one then
            named = {"event": event} if _is_one(event, conversions) else {}
            steps.append((at, len(steps), {"do": "convert", **named}))
    steps.sort(key=lambda step: step[:2])
    began_at = steps[0][0]
    return {
        "at": iso(began_at),
        "for": max(_LEAST, until - began_at) // timedelta(milliseconds=1),
        "visitors": [
            {"id": visitor.id, "timezone": visitor.timezone, "timezone_offset": visitor.timezone_offset}
        ],
        "steps": [{**step, "visitor": visitor.id, "at": iso(at)} for at, _, step in steps],
    }


def _is_one(event_type: str, conversions: Sequence[str]) -> bool:
    return any(is_named(event_type, name) for name in conversions)
