"""Observed: each request counted, and told in the log without its query, its site key or its body."""

import logging
import re
import secrets

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Send
from starlette.types import Scope as AsgiScope

from experience_runtime.clocks import monotonic
from experience_runtime.domain.access import Scope
from experience_runtime.log_context import Asked, asked
from experience_runtime.tracing import tracing
from experience_runtime.web.guard.middleware import site_key_in
from experience_runtime.web.guard.proxies import REQUEST_ID, request_id
from experience_runtime.web.metrics import Metrics

_LONGEST_PATH = 300
_WATCHED = frozenset({"/healthz", "/readyz", "/metrics"})
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"})

_TOKEN = re.compile(rf"exp_(?:{'|'.join(Scope)})_[^/]*", re.IGNORECASE)

_logger = logging.getLogger("experience_runtime.requests")


class Observed:
    """Stands around everything, so that what is refused is seen too."""

    def __init__(self, app: ASGIApp, *, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = monotonic(), 500
        request = request_id(scope) or secrets.token_hex(8)
        token = asked.set(Asked(request))

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message).setdefault(REQUEST_ID, request)
            await send(message)

        method = scope["method"] if scope["method"] in _METHODS else "OTHER"
        try:
            with tracing().request(_traceparent(scope)) as span:
                try:
                    await self._app(scope, receive, noting)
                finally:
                    route = _route(scope)  # never the path: a site key may stand in it
                    span.name(f"{method} {route}")
                    facts = {"http.request.method": method, "http.response.status_code": status}
                    span.note({**facts, "http.route": route})
                    if status >= 500:
                        span.fail(str(status))
        finally:
            seconds = monotonic() - began
            self._metrics.answered(method, _route(scope), status, seconds)
            milliseconds = round(seconds * 1000, 1)
            path = shown_path(scope["path"])
            about = {"method": method, "path": path, "http_status": status, "ms": milliseconds}
            level = logging.DEBUG if status < 400 and _looks_again(scope) else logging.INFO
            _logger.log(level, "%s %s %d %.1f ms", *about.values(), extra=about)
            asked.reset(token)


def _traceparent(scope: AsgiScope) -> str | None:
    return next((value.decode("latin-1") for name, value in scope["headers"] if name == b"traceparent"), None)


def _looks_again(scope: AsgiScope) -> bool:
    """Whether an open page, or a machine that watches this one, asks what it asked a moment ago."""
    if scope["method"] not in ("GET", "HEAD"):
        return False
    return scope["path"] in _WATCHED or (b"x-live", b"1") in scope["headers"]


def shown_path(path: str) -> str:
    """A path as the log has it: no site key is shown, nor what looks like one where none is taken."""
    key = site_key_in(path)
    return _TOKEN.sub("…", path if key is None else path.replace(key, "…", 1))[:_LONGEST_PATH]


def _route(scope: AsgiScope) -> str:
    return str(getattr(scope.get("route"), "path", "none"))
