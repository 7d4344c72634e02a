"""Personal data: everything that is kept of one person, to hand out or to erase."""

import json
from typing import Any

from experience_runtime.documents.documents import (
    Redact,
    redacted_value,
    visitor_document,
    visitor_event_document,
)
from experience_runtime.domain.executions import Filter
from experience_runtime.domain.instants import iso
from experience_runtime.domain.runs import RunFilter
from experience_runtime.domain.visitor_events import KEPT_EVENTS
from experience_runtime.domain.visitors import check_visitor_id
from experience_runtime.engine.lookup import Lookup
from experience_runtime.engine.ports import Clock
from experience_runtime.engine.stores import Store

_PAGE = 500


def erase(store: Store, clock: Clock, visitor: str, *, dry_run: bool = False) -> dict[str, Any]:
    """Erase a person, whichever of their ids is given; the document says how much, and names nobody.

    What is pending never runs. Conflict while an execution of theirs is being delivered.
    """
    check_visitor_id(visitor)
    erased = store.erasing.count(visitor) if dry_run else store.erasing.erase(visitor, now=clock.now())
    return {"erased": not dry_run, **erased.counts(), "schedules": list(erased.schedules)}


def export(store: Store, lookup: Lookup, visitor: str, *, redact: Redact) -> dict[str, Any]:
    """Everything that is kept of a person, over all of their ids."""
    ids = store.ids_of_person(check_visitor_id(visitor))
    known = [found for found in map(store.visitor, ids) if found is not None]
    return {
        "visitor": visitor,
        "ids": ids,
        "zones": [visitor_document(each) for each in known],
        "states": [
            {"id": id, "state": redacted_value(json.dumps(state), redact)}
            for id in ids
            if (state := store.events.state(id))
        ],
        "events": [
            visitor_event_document(each, redact=redact)
            for id in ids
            for each in store.events.of(id, limit=KEPT_EVENTS)
        ],
        "conversions": [
            {"at": iso(each.at), "received_at": iso(each.received_at), "event": each.event}
            for id in ids
            for each in store.events.conversions(id, limit=2**31)
        ],
        "exposures": [
            {"at": iso(each.at), "experience": each.experience, "variation": each.variation}
            for id in ids
            for each in store.exposures.of(id)
        ],
        "executions": [document for id in ids for document in _executions(lookup, id)],
        "runs": [document for id in ids for document in _runs(lookup, id)],
        "schedules": [lookup.schedule(name) for name in store.erasing.schedules(visitor)],
    }


def _executions(lookup: Lookup, visitor: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    page: dict[str, Any] = {"next": None}
    while True:
        page = lookup.executions(Filter(visitor=visitor), cursor=page["next"], limit=_PAGE)
        found += [lookup.execution(each["id"]) for each in page["executions"]]
        if page["next"] is None:
            return found


def _runs(lookup: Lookup, visitor: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    page: dict[str, Any] = {"next": None}
    while True:
        page = lookup.runs.list(RunFilter(visitor=visitor), cursor=page["next"], limit=_PAGE)
        found += [lookup.runs.run(each["id"]) for each in page["runs"]]
        if page["next"] is None:
            return found
