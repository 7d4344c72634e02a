"""Personal data: everything that is kept of one person, to hand out or to erase."""

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from itertools import chain, repeat
from typing import Any

from experience_runtime.documents.documents import (
    Redact,
    redacted_value,
    visitor_document,
    visitor_event_document,
)
from experience_runtime.domain.errors import UnknownExecution, UnknownRun
from experience_runtime.domain.executions import Filter
from experience_runtime.domain.instants import iso
from experience_runtime.domain.runs import RunFilter
from experience_runtime.domain.visitor_events import KEPT_EVENTS
from experience_runtime.domain.visitors import check_visitor_id
from experience_runtime.engine.lookup import Lookup
from experience_runtime.engine.ports import Clock
from experience_runtime.engine.stores import Store

_PAGE = 500
_PIECE = 65_536  # characters


def erase(store: Store, clock: Clock, visitor: str, *, dry_run: bool = False) -> dict[str, Any]:
    """Erase a person, whichever of their ids is given; the document says how much, and names nobody.

    What is pending never runs. Conflict while an execution of theirs is being delivered.
    """
    check_visitor_id(visitor)
    erased = store.erasing.count(visitor) if dry_run else store.erasing.erase(visitor, now=clock.now())
    return {"erased": not dry_run, **erased.counts(), "schedules": list(erased.schedules)}


def export(store: Store, lookup: Lookup, visitor: str, *, redact: Redact) -> Iterator[str]:
    """Everything that is kept of a person, over all of their ids: one JSON document, in pieces.

    It may be of any size: what there is many of is read while it is written.
    """
    ids = store.ids_of_person(check_visitor_id(visitor))
    known = [found for found in map(store.visitor, ids) if found is not None]
    return _pieces(
        {
            "visitor": visitor,
            "ids": ids,
            "zones": [visitor_document(each) for each in known],
            "states": [
                {"id": id, "state": redacted_value(json.dumps(state), redact)}
                for id in ids
                if (state := store.events.state(id))
            ],
            "events": (
                visitor_event_document(each, redact=redact)
                for id in ids
                for each in store.events.of(id, limit=KEPT_EVENTS)
            ),
            "conversions": (
                {"at": iso(each.at), "received_at": iso(each.received_at), "event": each.event}
                for id in ids
                for each in store.events.conversions(id, limit=2**31)
            ),
            "exposures": (
                {"at": iso(each.at), "experience": each.experience, "variation": each.variation}
                for id in ids
                for each in store.exposures.of(id)
            ),
            "executions": (document for id in ids for document in _executions(lookup, id)),
            "runs": (document for id in ids for document in _runs(lookup, id)),
            "schedules": [lookup.schedule(name) for name in store.erasing.schedules(visitor)],
        }
    )


def _pieces(document: Mapping[str, Any]) -> Iterator[str]:
    """A JSON object as text, in pieces of some size; a generator among its values is a list."""
    piece = ""
    for text in _written(document):
        piece += text
        if len(piece) > _PIECE:
            yield piece
            piece = ""
    yield piece


def _written(document: Mapping[str, Any]) -> Iterator[str]:
    for before, (name, value) in zip(chain("{", repeat(", ")), document.items(), strict=False):
        yield f"{before}{json.dumps(name)}: "
        if not isinstance(value, Iterator):
            yield json.dumps(value)
            continue
        yield "["
        for comma, each in zip(chain([""], repeat(", ")), value, strict=False):
            yield f"{comma}{json.dumps(each)}"
        yield "]"
    yield "}"


def _executions(lookup: Lookup, visitor: str) -> Iterator[dict[str, Any]]:
    page: dict[str, Any] = {"next": None}
    while True:
        page = lookup.executions(Filter(visitor=visitor), cursor=page["next"], limit=_PAGE)
        for each in page["executions"]:
            with suppress(UnknownExecution):  # removed since the page was read
                yield lookup.execution(each["id"])
        if page["next"] is None:
            return


def _runs(lookup: Lookup, visitor: str) -> Iterator[dict[str, Any]]:
    page: dict[str, Any] = {"next": None}
    while True:
        page = lookup.runs.list(RunFilter(visitor=visitor), cursor=page["next"], limit=_PAGE)
        for each in page["runs"]:
            with suppress(UnknownRun):
                yield lookup.runs.run(each["id"])
        if page["next"] is None:
            return
