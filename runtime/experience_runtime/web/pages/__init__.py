"""The pages: server-rendered, usable without script. Each shows what the API says, and adds no rule."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from starlette.requests import HTTPConnection

from experience_runtime.domain.errors import Refusal
from experience_runtime.runtime import Runtime
from experience_runtime.web.api.jobs import Jobs
from experience_runtime.web.guard.limits import AtOnce
from experience_runtime.web.guard.problems import status_of
from experience_runtime.web.pages import bulk, executions, integrations, overview, schedules, visitors
from experience_runtime.web.pages.playground import pages as playground
from experience_runtime.web.pages.rendering import Rendering


def make_router(
    runtime: Runtime, rendering: Rendering, jobs: Jobs, is_delivered: Callable[[], bool], at_once: AtOnce
) -> APIRouter:
    """All pages, their own files, and the page that asks for a token."""
    router = APIRouter(include_in_schema=False)

    @router.get("/static/{name}")
    def static(name: str) -> Response:
        return rendering.static(name)

    @router.get("/login")
    def login(request: Request, to: Annotated[str, Query()] = "/") -> Response:
        return rendering.page(request, "login.html", here="/login", to=to, problem=None)

    # bulk before executions: its paths would be read as an execution's id
    router.include_router(overview.make_router(runtime, rendering, is_delivered))
    router.include_router(bulk.make_router(runtime, rendering, jobs))
    for pages in (executions, integrations, schedules, visitors):
        router.include_router(pages.make_router(runtime, rendering))
    router.include_router(playground.make_router(runtime, rendering, at_once))
    return router


def login_refused(rendering: Rendering) -> Callable[[Request, Refusal, str], Response]:
    """What answers a login that is refused: the page again, with why."""

    def answer(request: Request, refusal: Refusal, to: str) -> Response:
        return rendering.page(
            request, "login.html", here="/login", status=status_of(refusal), to=to, problem=refusal
        )

    return answer


def refused(rendering: Rendering) -> Callable[[HTTPConnection, Refusal], Response]:
    """What answers a browser whose request is refused before any page is asked: why, as a page."""

    def answer(connection: HTTPConnection, refusal: Refusal) -> Response:
        status = status_of(refusal)
        return rendering.page(
            Request(connection.scope), "refused.html", here="", status=status, problem=refusal, code=status
        )

    return answer
