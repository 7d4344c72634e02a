"""The pages of visitors: the list, and one visitor's events, conversions and executions."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import Response

from experience_runtime.documents.documents import visitor_document
from experience_runtime.domain.access import Right
from experience_runtime.domain.errors import ExperienceError, InvalidParameter, Refusal, UnknownVisitor
from experience_runtime.domain.executions import Filter
from experience_runtime.domain.planning import visitor_zone
from experience_runtime.domain.values import shown
from experience_runtime.domain.visitors import Visitor, check_visitor_id, make_visitor
from experience_runtime.domain.zones import iso_local
from experience_runtime.engine.personal import erase
from experience_runtime.runtime import Runtime
from experience_runtime.web.given import GivenRuntime
from experience_runtime.web.guard.access import caller_of, signed_in
from experience_runtime.web.guard.login import own_form
from experience_runtime.web.guard.problems import status_of
from experience_runtime.web.pages.refusals import HtmlRoute
from experience_runtime.web.pages.rendering import GivenRendering, Rendering, back_to
from experience_runtime.web.pages.rows import picture_of, rows_of

HERE = "/visitors"
_SHOWN = 20
_LISTED = 30


router = APIRouter(route_class=HtmlRoute, include_in_schema=False)


@router.get(HERE, dependencies=[signed_in(Right.READ_RUNS)])
def visitors(
    request: Request, runtime: GivenRuntime, rendering: GivenRendering, id: str = "", text: str = ""
) -> Response:
    caller = caller_of(request)
    if id:
        if not caller.may(Right.READ):
            return back_to(f"/executions?visitor={quote(id, safe='')}")
        return _shown(request, id, runtime, rendering)
    text, problem = text.strip(), None
    found: dict[str, Any] = {"visitors": [], "searched": ""}
    try:
        found = runtime.lookup.visitors.list(text, limit=_LISTED, of_experiences=not caller.may(Right.READ))
    except Refusal as refusal:
        problem = refusal
    if text and any(each["id"] == text for each in found["visitors"]) and caller.may(Right.READ):
        return back_to(f"{HERE}?id={quote(text, safe='')}")
    return rendering.page(
        request,
        "visitors.html",
        here=HERE,
        status=200 if problem is None else status_of(problem),
        text=text,
        found=found,
        problem=problem,
    )


@router.get(HERE + "/{id:path}", dependencies=[signed_in(Right.READ)])
def visitor(request: Request, id: str, runtime: GivenRuntime, rendering: GivenRendering) -> Response:
    return _shown(request, id, runtime, rendering)


@router.post(HERE, dependencies=[signed_in(Right.CHANGE), Depends(own_form)])
def convert(
    request: Request,
    runtime: GivenRuntime,
    rendering: GivenRendering,
    id: Annotated[str, Form()] = "",
    event: Annotated[str, Form()] = "",
) -> Response:
    try:
        runtime.scheduler.convert(id, event=event.strip() or None, by_hand=True)
    except Refusal as refusal:
        return _shown(request, id, runtime, rendering, problem=refusal, event=event, invalid="event")
    return back_to(f"{HERE}?id={quote(id, safe='')}", "converted")


@router.post(HERE + "/erase", dependencies=[signed_in(Right.CHANGE), Depends(own_form)])
def erase_person(
    request: Request,
    runtime: GivenRuntime,
    rendering: GivenRendering,
    id: Annotated[str, Form()] = "",
    sure: Annotated[str, Form()] = "",
) -> Response:
    try:
        if sure != id:
            raise InvalidParameter(f"{shown(sure)} is not this visitor's id; type it to erase the visitor")
        erase(runtime.store, runtime.clock, id)
    except Refusal as refusal:
        return _shown(request, id, runtime, rendering, problem=refusal, invalid="sure")
    return back_to(HERE, "erased")


def _shown(
    request: Request,
    id: str,
    runtime: Runtime,
    rendering: Rendering,
    *,
    problem: ExperienceError | None = None,
    event: str = "",
    invalid: str = "",
) -> Response:
    values: dict[str, Any] = {"known": False}
    if id:
        try:
            values = _of(runtime, check_visitor_id(id))
        except Refusal as refusal:
            problem = problem or refusal
    return rendering.page(
        request,
        "visitor.html",
        here=HERE,
        status=200 if problem is None else status_of(problem),
        id=id,
        problem=problem,
        invalid=invalid,
        event=event,
        conversion_names=runtime.settings.conversions,
        **values,
    )


def _of(runtime: Runtime, id: str) -> dict[str, Any]:
    now = runtime.clock.now()
    try:
        found = runtime.lookup.visitor(id)
    except UnknownVisitor:  # executions may be there all the same
        found = visitor_document(Visitor(id=id)) | {"state": {}, "events": [], "conversions": []}
    known = make_visitor(id, timezone=found["timezone"], timezone_offset=found["timezone_offset"])
    zone, zone_from = visitor_zone(known, [])
    page = runtime.lookup.executions(Filter(visitor=id), limit=_SHOWN)

    def on_their_clock(told: Mapping[str, Any]) -> dict[str, Any]:
        return {**told, "local": iso_local(datetime.fromisoformat(told["at"]), zone)}

    return {
        "known": True,
        "schedules": runtime.store.erasing.schedules(id),
        "other_ids": [each for each in found.get("ids", ()) if each != id],
        "zone": zone.name,
        "zone_is_known": zone_from != "default",
        "local": iso_local(now, zone),
        "rows": rows_of(page["executions"], now),
        "has_more": page["next"] is not None,
        "story": runtime.lookup.runs.why(id),
        "picture": picture_of(page["executions"], now),
        "state": found["state"],
        "events": [on_their_clock(each) for each in found["events"]],
        "conversions": [on_their_clock(each) for each in found["conversions"]],
    }
