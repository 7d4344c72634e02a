"""Observed: each request counted, and told in the log without its query, its site key or its body."""

import logging
import re

from starlette.types import ASGIApp, Message, Receive, Send
from starlette.types import Scope as AsgiScope

from experience_runtime.clocks import monotonic
from experience_runtime.domain.access import Scope
from experience_runtime.web.guard.middleware import site_key_in
from experience_runtime.web.metrics import Metrics

_LONGEST_PATH = 300
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

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noting)
        finally:
            method = scope["method"] if scope["method"] in _METHODS else "OTHER"
            self._metrics.answered(method, _route(scope), status)
            milliseconds = (monotonic() - began) * 1000
            _logger.info("%s %s %d %.1f ms", method, shown_path(scope["path"]), status, milliseconds)


def shown_path(path: str) -> str:
    """A path as the log has it: no site key is shown, nor what looks like one where none is taken."""
    key = site_key_in(path)
    return _TOKEN.sub("…", path if key is None else path.replace(key, "…", 1))[:_LONGEST_PATH]


def _route(scope: AsgiScope) -> str:
    return str(getattr(scope.get("route"), "path", "none"))
