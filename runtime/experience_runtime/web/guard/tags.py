"""Tags: an ETag on what is read, so that whoever has it already is told so instead of sent it again."""

import hashlib
import re

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_OK, _NOT_MODIFIED = 200, 304
_TAG = re.compile(r'(?:W/)?("[^"]*")')


class Tagged:
    """Tags every good answer to a GET that comes in one piece and has no tag of its own."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET":
            await self._app(scope, receive, send)
            return
        known = Headers(scope=scope).get("if-none-match", "")
        waiting: Message | None = None

        async def tagging(message: Message) -> None:
            nonlocal waiting
            if message["type"] == "http.response.start":
                if message["status"] == _OK and "etag" not in Headers(raw=message["headers"]):
                    waiting = message
                    return
            elif waiting is not None:
                start, waiting = waiting, None
                if not message.get("more_body", False):
                    start, message = _tagged(start, message, known)
                await send(start)
            await send(message)

        await self._app(scope, receive, tagging)


def _tagged(start: Message, body: Message, known: str) -> tuple[Message, Message]:
    tag = f'"{hashlib.sha256(body.get("body", b"")).hexdigest()[:32]}"'
    headers = MutableHeaders(raw=start["headers"])
    headers["ETag"] = tag
    if not is_known(tag, known):
        return start, body
    del headers["content-length"]
    return {**start, "status": _NOT_MODIFIED}, {**body, "body": b""}


def is_known(tag: str, known: str) -> bool:
    """Whether an If-None-Match names this tag; a strong and a weak one are the same here."""
    return known.strip() == "*" or tag in _TAG.findall(known)
