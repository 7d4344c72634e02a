"""The pages of visitors: search by id, and one visitor's events, conversions and executions."""

from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import Response

from experience_runtime.documents.documents import redacted_value
from experience_runtime.domain.errors import ExperienceError, Refusal
from experience_runtime.domain.executions import Filter
from experience_runtime.domain.instants import iso
from experience_runtime.domain.planning import visitor_zone
from experience_runtime.domain.visitors import Visitor, check_visitor_id
from experience_runtime.domain.zones import iso_local
from experience_runtime.runtime import Runtime
from experience_runtime.web.guard.access import signed_in
from experience_runtime.web.guard.login import own_form
from experience_runtime.web.guard.problems import status_of
from experience_runtime.web.pages.refusals import HtmlRoute
from experience_runtime.web.pages.rendering import Rendering, back_to
from experience_runtime.web.pages.rows import picture_of, rows_of

HERE = "/visitors"
_SHOWN = 50


def make_router(runtime: Runtime, rendering: Rendering) -> APIRouter:
    router = APIRouter(route_class=HtmlRoute, include_in_schema=False, dependencies=[signed_in()])
    writes = [Depends(own_form)]

    @router.get(HERE)
    def visitors(request: Request, id: str = "") -> Response:
        return shown(request, id)

    @router.get(HERE + "/{id:path}")
    def visitor(request: Request, id: str) -> Response:
        return shown(request, id)

    @router.post(HERE, dependencies=writes)
    def convert(
        request: Request, id: Annotated[str, Form()] = "", event: Annotated[str, Form()] = ""
    ) -> Response:
        try:
            runtime.scheduler.convert(id, event=event.strip() or None)
        except Refusal as refusal:
            return shown(request, id, refusal, event)
        return back_to(f"{HERE}?id={quote(id, safe='')}", "converted")

    def shown(request: Request, id: str, problem: ExperienceError | None = None, event: str = "") -> Response:
        values: dict[str, Any] = {"known": False}
        if id:
            try:
                values = _of(check_visitor_id(id))
            except Refusal as refusal:
                problem = problem or refusal
        return rendering.page(
            request,
            "visitor.html",
            here=HERE,
            status=200 if problem is None else status_of(problem),
            id=id,
            problem=problem,
            event=event,
            conversion_names=runtime.settings.conversions,
            **values,
        )

    def _of(id: str) -> dict[str, Any]:
        now, redact = runtime.clock.now(), runtime.settings.redact
        visitor = runtime.store.visitor(id)
        zone, zone_from = visitor_zone(visitor or Visitor(id=id), [])
        page = runtime.store.find(Filter(visitor=id), limit=_SHOWN)
        return {
            "known": True,
            "is_remembered": visitor is not None,
            "zone": zone.name,
            "zone_is_known": zone_from != "default",
            "local": iso_local(now, zone),
            "rows": rows_of(
                page.executions, runtime.operations.waits_because(page.executions), redact=redact, now=now
            ),
            "has_more": page.next is not None,
            "picture": picture_of(page.executions, now),
            "events": [
                {
                    "type": each.type,
                    "at": iso(each.at),
                    "local": iso_local(each.at, zone),
                    "data": redacted_value(each.data, redact),
                }
                for each in runtime.store.events.of(id, limit=_SHOWN)
            ],
            "conversions": [
                {"event": each.event, "at": iso(each.at), "local": iso_local(each.at, zone)}
                for each in runtime.store.events.conversions(id, limit=_SHOWN)
            ],
        }

    return router
