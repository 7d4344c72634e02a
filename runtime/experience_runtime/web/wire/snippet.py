"""/visitor.js, the snippet that a site's pages load, and where it sends what visitors do.

    GET  /visitor.js
    POST /visitors/k/<siteKey>/events   {"visitor", "timezone", "timezone_offset", "type", "data"}

Each event has its own Idempotency-Key, so that one sent again after a lost answer counts once. Without a type
it tells the zone only.
"""

import hashlib
import re
from functools import cache
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from experience_runtime.domain.access import Scope
from experience_runtime.domain.errors import InvalidParameter, InvalidWindow, MissingParameter
from experience_runtime.domain.values import shown, whole_number
from experience_runtime.domain.visitors import Visitor, check_visitor_id, make_visitor
from experience_runtime.runtime import Runtime
from experience_runtime.web.api.idempotency import OnceRoute
from experience_runtime.web.guard.access import Caller, needs
from experience_runtime.web.guard.problems import Document
from experience_runtime.web.wire.bodies import Posted, posted_object

_FILE = Path(__file__).parents[1] / "static" / "visitor.js"
_KEPT_SECONDS = 3600
_MARGIN = re.compile(r"^(?: +|//.*\n)", re.MULTILINE)


def make_router(runtime: Runtime) -> APIRouter:
    """The script and its endpoint, with a site key in the address or without."""
    router = APIRouter(route_class=OnceRoute, include_in_schema=False)

    def script(request: Request) -> Response:
        text = snippet()
        tag = f'"{hashlib.sha256(text).hexdigest()[:16]}"'
        headers = {
            "ETag": tag,
            "Cache-Control": f"public, max-age={_KEPT_SECONDS}",
            # pages of every site load it; it holds nothing of anybody's
            "Cross-Origin-Resource-Policy": "cross-origin",
            "Access-Control-Allow-Origin": "*",
        }
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        return Response(text, media_type="text/javascript; charset=utf-8", headers=headers)

    def receive(_: Annotated[Caller, needs(Scope.SITE)], body: Posted) -> Response:
        sent = posted_object(body)
        visitor = _visitor(sent)
        event_type = sent.get("type")
        if event_type is not None and not isinstance(event_type, str):
            raise InvalidParameter(f"type {shown(event_type)} is not a text; write it in quotes")
        cancelled = None
        if event_type is not None:
            cancelled = runtime.receive(str(visitor.id), event_type, sent.get("data"))
        runtime.store.remember_visitor(visitor, now=runtime.clock.now())
        return Document({"conversion": cancelled is not None, "cancelled": len(cancelled or ())})

    router.get("/visitor.js")(script)
    for address in ("/visitors/events", "/visitors/k/{site_key}/events"):
        router.post(address)(receive)
    return router


@cache
def snippet() -> bytes:
    """The script as it is served: without its margins and the lines that are comments."""
    return _MARGIN.sub("", _FILE.read_text(encoding="utf-8")).encode()


def _visitor(sent: dict[str, Any]) -> Visitor:
    """Whose event it is, with the browser's zone; its offset where the zone is not known here.

    Browsers learn of new zones before machines do: what cannot be read is passed over.
    """
    if sent.get("visitor") is None:
        raise MissingParameter('visitor is missing; send the id of the visitor, {"visitor": …}')
    visitor_id = check_visitor_id(sent["visitor"])
    timezone, offset = sent.get("timezone"), whole_number(sent.get("timezone_offset"))
    for zone in ({"timezone": timezone if isinstance(timezone, str) else None}, {"timezone_offset": offset}):
        try:
            visitor = make_visitor(visitor_id, **zone)
        except InvalidWindow:
            continue
        if visitor != Visitor(id=visitor_id):
            return visitor
    return Visitor(id=visitor_id)
