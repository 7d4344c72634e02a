"""The pages: server-rendered, usable without script. Each shows what the API says, and adds no rule."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from starlette.requests import HTTPConnection

from experience_runtime.domain.errors import Refusal
from experience_runtime.web.guard.problems import status_of, told_of
from experience_runtime.web.pages import (
    agenda,
    audit,
    bulk,
    executions,
    experiences,
    integration_settings,
    integrations,
    overview,
    reference,
    releases,
    schedules,
    selected,
    stamp,
    tokens,
    visitors,
    webhooks,
)
from experience_runtime.web.pages.playground import pages as playground
from experience_runtime.web.pages.refusals import page_of
from experience_runtime.web.pages.rendering import GivenRendering, rendering_of

router = APIRouter(include_in_schema=False)


@router.get("/static/{name}")
def static(name: str, rendering: GivenRendering, v: str = "") -> Response:
    return rendering.static(name, v)


@router.get("/login")
def login(request: Request, rendering: GivenRendering, to: Annotated[str, Query()] = "/") -> Response:
    return rendering.page(request, "login.html", here="/login", to=to, problem=None)


# bulk and selected before executions: their paths would be read as an execution's id
_PAGES = (
    overview,
    agenda,
    bulk,
    selected,
    executions,
    experiences,
    releases,
    integrations,
    integration_settings,
    webhooks,
    schedules,
    stamp,
    tokens,
    audit,
    visitors,
    playground,
    reference,
)
for pages in _PAGES:
    router.include_router(pages.router)


def login_refused(request: Request, refusal: Refusal, to: str) -> Response:
    """Answer a login that is refused: the page again, with why."""
    return rendering_of(request).page(
        request, "login.html", here="/login", status=status_of(refusal), to=to, problem=refusal
    )


def refused(connection: HTTPConnection, refusal: Refusal) -> Response:
    """Answer a browser whose request is refused before any page is asked: why, as a page."""
    request = Request(connection.scope)
    return page_of(request, told_of(request, refusal))
