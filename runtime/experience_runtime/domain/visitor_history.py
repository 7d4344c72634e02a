"""A visitor's history, and what it tells: how often they came, what they saw, what they bought."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from experience_runtime.domain.event_names import is_view
from experience_runtime.domain.instants import to_ms
from experience_runtime.domain.visitor_events import VisitorEvent

_SESSION_ENDS = timedelta(minutes=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitorHistory:
    """What is kept of a person, under each of their ids.

    `events`: the newest, oldest first. `moments`: when each kept event happened, and its type.
    `conversions`: when each happened. These two in any order. `state`: what callers told, and said to keep.
    """

    events: Sequence[VisitorEvent] = ()
    moments: Sequence[tuple[datetime, str]] = ()
    conversions: Sequence[datetime] = ()
    state: Mapping[str, Any] = field(default_factory=dict)


def visitor_numbers(history: VisitorHistory) -> dict[str, int]:
    """The fields of `getVisitorState()` that a history tells; what it does not tell is left out.

    Instants are Unix milliseconds. Source: reference/options#getvisitorstate.
    """
    moments = sorted(history.moments)
    numbers: dict[str, int] = {}
    if moments:
        numbers["eventNumber"] = len(moments)
        begins = [moments[0][0]]
        for (before, _), (at, _) in pairwise(moments):
            if at - before > _SESSION_ENDS:
                begins.append(at)
        views = [at for at, event_type in moments if is_view(event_type)]
        here = sum(at >= begins[-1] for at in views)
        # a visit is an entrance: where the visitor came from is not kept
        for visit in ("session", "entrance"):
            numbers |= {
                f"{visit}Number": len(begins),
                f"{visit}Ts": to_ms(begins[-1]),
                f"{visit}ViewNumber": here,
            }
        if views:
            numbers |= {
                "viewNumber": len(views),
                "pageViewNumber": len(views),
                "viewTs": to_ms(views[-1]),
                "firstViewTs": to_ms(views[0]),
                "lastViewTs": to_ms(views[-1]),
            }
    if moments or history.conversions:
        bought = len(history.conversions)
        numbers |= {"conversionNumber": bought, "conversionCycleNumber": bought + 1}
    if history.conversions:
        numbers |= {
            "firstConversionTs": to_ms(min(history.conversions)),
            "lastConversionTs": to_ms(max(history.conversions)),
        }
    return numbers
