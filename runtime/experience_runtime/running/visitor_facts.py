"""What the store knows of a visitor, as a run finds it: events, and the numbers that they come to."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from experience_runtime.domain.instants import to_ms
from experience_runtime.domain.page_facts import MOST_EVENT_BYTES, MOST_EVENTS
from experience_runtime.domain.visitor_events import VisitorEvent
from experience_runtime.domain.visitor_history import visitor_numbers
from experience_runtime.engine.events import Events
from experience_runtime.running.boot import Situation


def with_history(situation: Situation, events: Events, *, now: datetime) -> Situation:
    """Put the visitor's stored events before the page's own, and what is known below the state that is given.

    A state that is to be kept is on disk when this returns.
    Source: reference/experiences#what-a-run-knows-of-the-visitor.
    """
    visitor = situation.visitor.id
    if visitor is None:
        return situation
    if situation.keep_state:
        events.keep_state(visitor, situation.visitor_state, now=now)
    history = events.history(visitor, limit=max(0, MOST_EVENTS - len(situation.events)))
    stored = [
        {"type": each.type, "data": json.loads(each.data), "at": to_ms(each.at)}
        for each in _newest(history.events, MOST_EVENT_BYTES)
    ]
    return replace(
        situation,
        past=stored,
        visitor_state={**visitor_numbers(history), **history.state, **situation.visitor_state},
    )


def _newest(events: Sequence[VisitorEvent], most_bytes: int) -> list[VisitorEvent]:
    taken: list[VisitorEvent] = []
    for each in reversed(events):
        most_bytes -= len(each.data)
        if most_bytes < 0:
            break
        taken.append(each)
    return taken[::-1]
