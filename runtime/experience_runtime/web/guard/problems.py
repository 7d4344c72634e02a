"""Problems: every refusal as RFC 9457 `application/problem+json`, under the codes of reference/codes."""

import json
import logging
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response
from starlette.routing import Match, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from experience_runtime.clocks import monotonic
from experience_runtime.domain.errors import (
    AlreadyScheduled,
    CallFailed,
    Conflict,
    DatabaseUnavailable,
    ExperienceError,
    Forbidden,
    IntegrationTimeout,
    InternalError,
    InvalidParameter,
    PayloadTooLarge,
    RateLimited,
    ScriptModuleNotFound,
    Unauthorized,
    UnknownExecution,
    UnknownIntegration,
    UnknownRelease,
    UnknownRun,
    UnknownSchedule,
    UnknownVisitor,
)
from experience_runtime.domain.values import shown
from experience_runtime.measured import hearer

MEDIA_TYPE = "application/problem+json"

_STATUSES: Mapping[type[ExperienceError], int] = {
    Unauthorized: 401,
    Forbidden: 403,
    UnknownExecution: 404,
    UnknownIntegration: 404,
    UnknownRelease: 404,
    UnknownRun: 404,
    UnknownSchedule: 404,
    UnknownVisitor: 404,
    ScriptModuleNotFound: 404,
    Conflict: 409,
    AlreadyScheduled: 409,
    PayloadTooLarge: 413,
    RateLimited: 429,
    CallFailed: 502,
    IntegrationTimeout: 504,
    DatabaseUnavailable: 503,
    InternalError: 500,
}

_OF_HTTP: Mapping[int, str] = {
    401: Unauthorized.code,
    403: Forbidden.code,
    409: Conflict.code,
    413: PayloadTooLarge.code,
    429: RateLimited.code,
}

_NO_PAGES = (
    "/v1/",
    "/integrations/",
    "/csml/",
    "/visitors/k/",
    "/visitors/events",
    "/visitors/run/",
    "/static/",
)
"""Below these nobody looks at pages, whatever a browser would take."""

_GATEWAY = "/integrations/"
_FOR_ITS_CLIENT = frozenset({400, 401, 403, 413, 422})
"""What the gateway tells as a message: its client takes a status from 300 on for a broken connection."""

_OUR_FAULT = "something went wrong on our side, and the server's log says what; try again later"

RETRY_AFTER_SECONDS = 5

_AWAY = (
    "the database cannot be written to now, and the server's log says why; nothing of this was stored: "
    f"send it again in {RETRY_AFTER_SECONDS} s"
)

_logger = logging.getLogger(__name__)


_encode = json.JSONEncoder(ensure_ascii=True, allow_nan=False, separators=(",", ":")).encode


class Throttled(RateLimited):
    """Too many requests of one caller; `retry_after` is in seconds."""

    def __init__(self, message: str, *, retry_after: float) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Document(JSONResponse):
    """A JSON document, in ASCII: a text cut inside a surrogate pair stays an escape."""

    def render(self, content: Any) -> bytes:
        return _encode(content).encode("ascii")


class RefusedDocument(Document):
    """A refusal that is answered with 200, for a client that reads no statuses; `meant_status` is its own."""

    def __init__(
        self, content: Any, status: int, code: str, *, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(content, headers=dict(headers or {}))
        self.meant_status = status
        hearer().refused_request(code)


class _ProblemDocument(Document):
    media_type = MEDIA_TYPE


def status_of(error: ExperienceError) -> int:
    """The HTTP status of a refusal or failure."""
    return _STATUSES.get(type(error)) or next(
        (status for kind, status in _STATUSES.items() if isinstance(error, kind)), 422
    )


def refusal(
    path: str, status: int, code: str, detail: str, *, headers: Mapping[str, str] | None = None
) -> Response:
    """A problem document; of the gateway, for what its client shows to people, the message that it reads."""
    if path.startswith(_GATEWAY) and status in _FOR_ITS_CLIENT:
        return gateway_refusal(status, code, detail, headers=headers)
    return problem(status, code, detail, headers=headers)


def gateway_refusal(
    status: int, code: str, detail: str, *, headers: Mapping[str, str] | None = None
) -> Response:
    """A refusal as the client of the gateway reads it."""
    told = {"ok": False, "error": {"message": detail, "code": code}}
    return RefusedDocument(told, status, code, headers=headers)


def problem(status: int, code: str, detail: str, *, headers: Mapping[str, str] | None = None) -> Response:
    """A problem document as an answer."""
    document = problem_document(status, code, detail)
    return _ProblemDocument(document, status_code=status, headers=dict(headers or {}))


def problem_document(status: int, code: str, detail: str) -> dict[str, Any]:
    """A problem document; `type` is ours only by its code, so it is `about:blank`."""
    hearer().refused_request(code)
    return {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
    }


@dataclass(frozen=True, slots=True)
class Told:
    """A refusal or failure as it may be told: no secret, and nothing of our files and systems."""

    status: int
    code: str
    message: str
    headers: Mapping[str, str] = field(default_factory=dict)


ShowPage = Callable[[Request, Told], Response]
"""Shows a browser what was refused; the application's `state.page_of`."""


def told_of(request: Request, error: Exception) -> Told:
    """What may be told of anything that was raised while a request was worked on."""
    redact = request.app.state.redact
    match error:
        case ExperienceError():
            return _refused(error, redact(error.message))
        case RequestValidationError():
            return Told(422, InvalidParameter.code, redact(_fault(error.errors())))
        case HTTPException():
            return _of_http(request, error)
    route = getattr(request.scope.get("route"), "path", "a request")  # no path: a site key may stand in it
    _logger.error("%s %s failed", request.method, route, exc_info=error)
    return Told(500, InternalError.code, _OUR_FAULT)


def problem_of(request: Request, error: Exception) -> Response:
    """The answer to anything that was raised: a problem document, or a page for who looks at pages."""
    told = told_of(request, error)
    if _looks_at_pages(request):
        show: ShowPage = request.app.state.page_of
        return show(request, told)
    path = request.scope["path"]
    return refusal(path, told.status, told.code, told.message, headers=told.headers)


def _looks_at_pages(request: Request) -> bool:
    path = request.scope["path"]
    return "text/html" in request.headers.get("accept", "") and not path.startswith(_NO_PAGES)


def handle_problems(web: FastAPI) -> None:
    """Answer everything that is raised with a problem document."""
    for kind in (ExperienceError, RequestValidationError, HTTPException):
        web.add_exception_handler(kind, problem_of)


class Defects:
    """Answers what nobody foresaw, inside the shields: their headers stand on this answer too."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def noting(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, noting)
        except ClientDisconnect:
            return  # nobody is there to hear
        except Exception as error:
            if begun or scope["type"] != "http":
                raise
            await problem_of(Request(scope), error)(scope, receive, send)


def _refused(error: ExperienceError, detail: str) -> Told:
    status = status_of(error)
    if status == 500:  # names files and systems of ours
        _logger.error("%s", error.message)
        return Told(500, InternalError.code, _OUR_FAULT)
    headers = {}
    if isinstance(error, DatabaseUnavailable):  # its message names files and systems of ours
        _say_once_a_minute(error.message)
        return Told(503, error.code, _AWAY, {"Retry-After": str(RETRY_AFTER_SECONDS)})
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if status == 429:
        headers["Retry-After"] = str(math.ceil(getattr(error, "retry_after", 1)))
    return Told(status, error.code, detail, headers)


_said: dict[str, float] = {}


def _say_once_a_minute(message: str) -> None:
    """Log what many requests meet once: a disk that is full is no news each time."""
    now = monotonic()
    if now - _said.get(message, -60.0) >= 60.0:
        _said.clear()
        _said[message] = now
        _logger.error("%s", message)


def _of_http(request: Request, error: HTTPException) -> Told:
    status, headers = error.status_code, dict(error.headers or {})
    match status:
        case 404:
            seen = (
                "the pages begin at /" if _looks_at_pages(request) else "/v1/openapi.json lists what there is"
            )
            detail = f"there is nothing at {shown(request.url.path)}; {seen}"
        case 405:
            if allowed := _allowed(request):
                headers["Allow"] = ", ".join(allowed)
            detail = f"{request.method} is not possible at {shown(request.url.path)}; see the Allow header"
        case 400:
            detail = "the body cannot be read; send it as the Content-Type says, JSON in UTF-8"
        case _:
            detail = str(error.detail)
    return Told(status, _OF_HTTP.get(status, InvalidParameter.code), detail, headers)


def _allowed(request: Request) -> list[str]:
    """The methods of all routes of a path; the framework names those of the first."""
    routes = (route for route in request.app.state.routes if isinstance(route, Route))
    return sorted(
        {m for r in routes if r.matches(request.scope)[0] is not Match.NONE for m in r.methods or ()}
    )


def _fault(errors: Sequence[Any]) -> str:
    """The first fault of a request, and where it stands."""
    first = errors[0] if errors else {"loc": (), "msg": "it does not fit"}
    if first.get("type") == "json_invalid":
        return "the body is not JSON; see /v1/openapi.json for what it may be"
    place, *path = [str(part) for part in first["loc"]] or ["request"]
    where = f"{place} {shown('.'.join(path))}" if path else f"the {place}"
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    return f"{where}: {first['msg']}{more}; see /v1/openapi.json for what it may be"
