"""/v1: visitors, their events and conversions."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import Field, StrictInt
from starlette.responses import StreamingResponse

from experience_runtime.documents.documents import visitor_document
from experience_runtime.domain.access import Right
from experience_runtime.domain.errors import MissingParameter
from experience_runtime.domain.visitor_events import happened_at
from experience_runtime.domain.visitors import make_visitor
from experience_runtime.engine.personal import erase, export
from experience_runtime.web.api.idempotency import KEY_DOCUMENTED, OnceRoute
from experience_runtime.web.api.models import (
    Converted,
    Identified,
    Received,
    VisitorFields,
    VisitorList,
    WholeVisitor,
)
from experience_runtime.web.api.openapi import Body, Offset, VisitorId, Zone, answers
from experience_runtime.web.api.run_models import ERASED, EXPORTED, ErasedDocument, Exported
from experience_runtime.web.given import GivenRuntime
from experience_runtime.web.guard.access import Caller, needs
from experience_runtime.web.guard.problems import Document

_FIELDS = {"id": "v1", "timezone": "Europe/Paris", "timezone_offset": None}


_Age = Annotated[
    StrictInt | None,
    Field(ge=0, description="How many milliseconds ago it happened; left out: now."),
]


class ZoneBody(Body):
    """One of the two; of both, the name counts, and the offset where the name is not known here."""

    timezone: Zone = None
    timezone_offset: Offset = None


class EventBody(ZoneBody):
    """An event; with a zone, the visitor's is kept too."""

    type: str = Field(max_length=200, examples=["ecBasketTransactionSummary"])
    data: Any = Field(default=None, description="Any JSON value of at most 16 KiB.")
    age: _Age = None


class ConvertBody(Body):
    event: str | None = Field(default=None, max_length=200, description="Left out: the first of the list.")
    age: _Age = None


class IdentifyBody(Body):
    """The other id of the same person."""

    person: str = Field(max_length=200, examples=["customer-5512"])


router = APIRouter(prefix="/v1", tags=["visitors"], route_class=OnceRoute)


@router.get(
    "/visitors",
    summary="List visitors",
    responses=answers(
        VisitorList,
        {
            "visitors": [_FIELDS | {"ids": ["customer-5512", "v1"], "seen_at": "2026-03-06T15:30:00.000Z"}],
            "searched": "Those of the last 1,000 runs, executions and events, the last seen first.",
        },
    ),
)
def list_visitors(
    runtime: GivenRuntime,
    caller: Annotated[Caller, needs(Right.READ_RUNS)],
    text: Annotated[str, Query(max_length=200, description="What the id begins with, or a part of it.")] = "",
    limit: Annotated[int, Query(ge=1, le=50, description="How many at most.")] = 20,
) -> Document:
    """Those seen lately, or those that a text may mean; `searched` says where was looked.

    Authors see those for whom an experience ran. Scopes: author, operator, viewer.
    """
    of_experiences = not caller.may(Right.READ)
    return Document(runtime.lookup.visitors.list(text, limit=limit, of_experiences=of_experiences))


@router.get(
    "/visitors/{visitor_id}",
    summary="Show a visitor",
    responses=answers(
        WholeVisitor, _FIELDS | {"state": {}, "events": [], "conversions": [], "ids": ["v1"]}, 404
    ),
)
def show(visitor_id: VisitorId, runtime: GivenRuntime, _: Annotated[Caller, needs(Right.READ)]) -> Document:
    """Zone, kept state, and the last 100 events and conversions. Scopes: operator, viewer."""
    return Document(runtime.lookup.visitor(visitor_id))


@router.get(
    "/visitors/{visitor_id}/export", summary="Export a visitor", responses=answers(Exported, EXPORTED)
)
def export_all(
    visitor_id: VisitorId, runtime: GivenRuntime, _: Annotated[Caller, needs(Right.READ)]
) -> StreamingResponse:
    """Everything that is kept of a person, over all of their ids. Scopes: viewer, operator."""
    pieces = export(runtime.store, runtime.lookup, visitor_id, redact=runtime.settings.redact)
    return StreamingResponse(pieces, media_type=Document.media_type)


@router.delete(
    "/visitors/{visitor_id}",
    summary="Erase a visitor",
    openapi_extra=KEY_DOCUMENTED,
    responses=answers(ErasedDocument, ERASED, 409),
)
def erase_all(
    visitor_id: VisitorId,
    runtime: GivenRuntime,
    _: Annotated[Caller, needs(Right.CHANGE)],
    dry_run: Annotated[bool, Query(description="Only count what there is.")] = False,
) -> Document:
    """A person with all of their ids, for good: executions, runs, events, conversions, zone, keys, answers.

    What is pending never runs. Refused with `conflict` while one is being delivered. Scope: operator.
    """
    return Document(erase(runtime.store, runtime.clock, visitor_id, dry_run=dry_run))


@router.put(
    "/visitors/{visitor_id}",
    summary="Set a visitor's zone",
    openapi_extra=KEY_DOCUMENTED,
    responses=answers(VisitorFields, _FIELDS, 409, 413),
)
def put(
    visitor_id: VisitorId, body: ZoneBody, runtime: GivenRuntime, _: Annotated[Caller, needs(Right.CHANGE)]
) -> Document:
    """By name or by offset. What is scheduled from now on is planned by it. Scope: operator."""
    if body.timezone is None and body.timezone_offset is None:
        raise MissingParameter('a zone is missing; send {"timezone": "Europe/Paris"}')
    known = runtime.visitor(visitor_id, timezone=body.timezone, timezone_offset=body.timezone_offset)
    return Document(visitor_document(known))


@router.post(
    "/visitors/{visitor_id}/events",
    summary="Send an event",
    openapi_extra=KEY_DOCUMENTED,
    responses=answers(
        Received, {"visitor": "v1", "type": "ecView", "conversion": False, "cancelled": 0}, 409, 413
    ),
)
def receive(
    visitor_id: VisitorId, body: EventBody, runtime: GivenRuntime, _: Annotated[Caller, needs(Right.TELL)]
) -> Document:
    """What the visitor did. An event whose name is in the list of conversions is a conversion.

    Scopes: site, operator.
    """
    given = make_visitor(visitor_id, timezone=body.timezone, timezone_offset=body.timezone_offset)
    cancelled = runtime.receive(visitor_id, body.type, body.data, age_ms=body.age)
    runtime.remember(given)
    return Document(
        {
            "visitor": visitor_id,
            "type": body.type,
            "conversion": cancelled is not None,
            "cancelled": len(cancelled or []),
        }
    )


@router.post(
    "/visitors/{visitor_id}/convert",
    summary="Record a conversion",
    openapi_extra=KEY_DOCUMENTED,
    responses=answers(Converted, {"visitor": "v1", "cancelled": 1, "ids": ["ex_0bb6rczg0ryj5"]}, 409, 413),
)
def convert(
    visitor_id: VisitorId,
    runtime: GivenRuntime,
    caller: Annotated[Caller, needs(Right.TELL)],
    body: ConvertBody | None = None,
) -> Document:
    """It cancels the pending executions that asked for it; a site is not told their ids.

    Scopes: site, operator.
    """
    body = body or ConvertBody()
    at = happened_at(body.age, now=runtime.clock.now())
    ids = runtime.convert(visitor_id, event=body.event, at=at)
    return Document(
        {"visitor": visitor_id, "cancelled": len(ids), "ids": ids if caller.may(Right.READ) else []}
    )


@router.post(
    "/visitors/{visitor_id}/identify",
    summary="Make two ids one person",
    openapi_extra=KEY_DOCUMENTED,
    responses=answers(Identified, {"visitor": "v1", "ids": ["customer-5512", "v1"]}, 409, 413),
)
def identify(
    visitor_id: VisitorId,
    body: IdentifyBody,
    runtime: GivenRuntime,
    caller: Annotated[Caller, needs(Right.TELL)],
) -> Document:
    """From now on conversions of either count for both; a site is not told the ids.

    Scopes: site, operator.
    """
    ids = runtime.identify(visitor_id, body.person)
    return Document({"visitor": visitor_id, "ids": ids if caller.may(Right.READ) else []})
