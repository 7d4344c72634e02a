"""Shields: headers and checks around every request. Pure ASGI: nothing of a body is kept."""

from collections.abc import Callable

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from experience_runtime.domain.errors import Forbidden
from experience_runtime.domain.values import shown
from experience_runtime.web.guard.hosts import host_name, is_loopback, is_same_origin
from experience_runtime.web.guard.problems import refusal
from experience_runtime.web.guard.proxies import came_through_proxy
from experience_runtime.web.guard.session import SESSION_COOKIE

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
ALIVE = "/healthz"
"""The path that is answered whatever else goes on, under whatever name."""

SNIPPET_PREFIX = "/visitors/k/"
CSML_APPS = "/csml/apps"
"""Where a token may also come as `X-Api-Key`, which the open engine sends."""

KEYED_PREFIXES = ("/integrations/k/", f"{CSML_APPS}/k/", SNIPPET_PREFIX)

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
_HEADERS = [
    (b"content-security-policy", POLICY.encode("ascii")),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
]
_CORS_METHODS = "GET, POST, PUT, DELETE"
_CORS_HEADERS = "Authorization, Content-Type, Idempotency-Key"


class SecurityHeaders:
    """Adds the headers that every answer has; what an answer sets itself stays."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = message.get("headers", ())
                names = {name.lower() for name, _ in own}
                message["headers"] = [*own, *(each for each in _HEADERS if each[0] not in names)]
            await send(message)

        await self._app(scope, receive, with_headers if scope["type"] == "http" else send)


class LoopbackHost:
    """While everything is open, answers this machine only.

    A Host that is not its own may be a rebound name; a header that proxies add says that others may ask.
    """

    def __init__(self, app: ASGIApp, *, is_open: Callable[[], bool]) -> None:
        self._app = app
        self._is_open = is_open

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] != ALIVE:
            detail = _not_from_here(scope)
            if detail is not None and await run_in_threadpool(self._is_open):
                await refusal(scope["path"], 403, Forbidden.code, detail)(scope, receive, send)
                return
        await self._app(scope, receive, send)


def _not_from_here(scope: Scope) -> str | None:
    """Why a request may come from elsewhere; None when nothing says so."""
    host = Headers(scope=scope).get("host", "")
    fix = "make a token with `experience tokens create`"
    if not is_loopback(host_name(host)):
        return f"the Host {shown(host)} is not this machine's; use http://127.0.0.1, or {fix}"
    if (sign := came_through_proxy(scope)) is not None:
        return (
            f"the request came through a proxy ({sign}), and while there is no token everybody whom "
            f"the proxy lets in could do everything; {fix}, or ask without the proxy"
        )
    return None


class SameSite:
    """Refuses what another site's page would have a browser write: whoever shows a token may write.

    A session's cookie is sent by browsers only, and they say where a request comes from.
    """

    def __init__(self, app: ASGIApp, *, page: Callable[[HTTPConnection, Forbidden], Response]) -> None:
        """`page` answers a browser that would show what it gets."""
        self._app = app
        self._page = page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] not in SAFE_METHODS:
            headers = Headers(scope=scope)
            if not _shows_token(scope, headers) and not _is_own(headers):
                error = Forbidden(_another_site(headers))
                if "text/html" in headers.get("accept", ""):
                    answer = self._page(HTTPConnection(scope), error)
                else:
                    answer = refusal(scope["path"], 403, error.code, error.message)
                await answer(scope, receive, send)
                return
        await self._app(scope, receive, send)


class SharedOrigins:
    """CORS: answers browsers that ask for another origin, when `may_call(origin, site key)` says so.

    With credentials below SNIPPET_PREFIX only: what a page of another origin may do, it does with its token.
    """

    def __init__(self, app: ASGIApp, *, may_call: Callable[[str, str | None], bool]) -> None:
        self._app = app
        self._may_call = may_call

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope) if scope["type"] == "http" else Headers()
        origin = headers.get("origin")
        if origin is None or is_own_origin(headers):
            await self._app(scope, receive, send)
            return
        allowed = await run_in_threadpool(self._may_call, origin, site_key_in(scope["path"]))
        is_preflight = scope["method"] == "OPTIONS" and "access-control-request-method" in headers

        async def with_origin(message: Message) -> None:
            if message["type"] == "http.response.start":
                answer = MutableHeaders(scope=message)
                answer.add_vary_header("Origin")
                if allowed:
                    answer["Access-Control-Allow-Origin"] = origin
                    if scope["path"].startswith(SNIPPET_PREFIX):
                        # only the visitor's own cookie is set there; a session opens nothing below a site key
                        answer["Access-Control-Allow-Credentials"] = "true"
                    answer["Access-Control-Expose-Headers"] = "Idempotent-Replayed, Retry-After"
                    if is_preflight:
                        answer["Access-Control-Allow-Methods"] = _CORS_METHODS
                        answer["Access-Control-Allow-Headers"] = _CORS_HEADERS
                        answer["Access-Control-Max-Age"] = "600"
            await send(message)

        if is_preflight:
            await Response(status_code=204 if allowed else 403)(scope, receive, with_origin)
            return
        await self._app(scope, receive, with_origin)


def site_key_in(path: str) -> str | None:
    """The site key that stands in a path: `/integrations/k/<key>/…`, `/csml/apps/k/<key>`.

    The routes below KEYED_PREFIXES take nothing else for a token: no cookie, no open door.
    """
    for prefix in KEYED_PREFIXES:
        if path.startswith(prefix):
            return path[len(prefix) :].partition("/")[0] or None
    return None


def is_own_origin(headers: Headers) -> bool:
    """Tell whether a request was made by a page of this server, or by no page at all.

    What a browser says in Sec-Fetch-Site no page can forge, and no proxy changes: it stands where a proxy
    put another name into Host.
    """
    origin = headers.get("origin")
    if origin is None or headers.get("sec-fetch-site") == "same-origin":
        return True
    return is_same_origin(origin, headers.get("host", ""))


def _shows_token(scope: Scope, headers: Headers) -> bool:
    if headers.get("authorization", "")[:7].lower() == "bearer " or site_key_in(scope["path"]) is not None:
        return True
    return scope["path"] == CSML_APPS and "x-api-key" in headers


def _is_own(headers: Headers) -> bool:
    origin, site = headers.get("origin"), headers.get("sec-fetch-site")
    if site is not None and site not in ("same-origin", "none"):
        return False
    if origin is not None:
        return is_own_origin(headers)
    return site is not None or f"{SESSION_COOKIE}=" not in headers.get("cookie", "")


def _another_site(headers: Headers) -> str:
    origin, site = headers.get("origin"), headers.get("sec-fetch-site")
    if origin in (None, "null") or site not in (None, "none"):
        return (
            "this request was made by another site's page, or does not say where it comes from; "
            "send it from a page of this server, or with a bearer token"
        )
    return (
        f"a page of {shown(origin)} sent this, and the server was asked as {shown(headers.get('host', ''))}; "
        "if a proxy stands between, let it pass the Host on, or name its address in trusted_proxies under "
        "[serve] in experience.toml and let it send X-Forwarded-Host"
    )
