"""Once: a write with an `Idempotency-Key` happens once, and is answered alike each time it is asked for."""

import hashlib
import json
import math
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from experience_runtime.domain.errors import InvalidParameter
from experience_runtime.domain.values import refuse_constant, shown
from experience_runtime.engine.claims import in_hand
from experience_runtime.engine.keeping import Replies, Reply
from experience_runtime.engine.ports import Clock
from experience_runtime.web.guard.access import access_of
from experience_runtime.web.guard.middleware import SAFE_METHODS
from experience_runtime.web.guard.problems import RefusedDocument, problem_of
from experience_runtime.web.guard.queries import KnownQuery

HEADER = "idempotency-key"
REPLAYED = "Idempotent-Replayed"

_KEY_LENGTH = 200
_NOT_DONE = frozenset({401, 403, 429, 500, 503})
"""What is answered before anything happened; asked again, it may happen."""


_MEANT = (
    "Any text of your own. The same request under the same key happens once, and gets the same answer for 7 "
    "days, or as `[retention]` says, with `Idempotent-Replayed: true`."
)
KEY_DOCUMENTED: dict[str, Any] = {
    "parameters": [
        {
            "name": HEADER,
            "in": "header",
            "required": False,
            "schema": {
                "anyOf": [
                    {
                        "type": "string",
                        "minLength": 1,
                        "maxLength": _KEY_LENGTH,
                        "pattern": r"^[\x21-\x7e]+$",
                    },
                    {"type": "null"},
                ],
                "description": _MEANT,
                "title": "Idempotency-Key",
            },
            "description": _MEANT,
        }
    ]
}
"""The header as the API's document shows it: `openapi_extra`. As a dependency it would be read twice."""


class OnceRoute(APIRoute):
    """A route whose writes honour `Idempotency-Key`: `APIRouter(route_class=OnceRoute)`."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        answer = super().get_route_handler()
        known = KnownQuery(self)

        async def answer_once(request: Request) -> Response:
            request = _Strict(request.scope, request.receive)
            key = request.headers.get(HEADER)
            if request.method in SAFE_METHODS:
                response = await answer(request)
                known.require(request)  # afterwards: who may not look is told that first
                return response
            # who may not call is told so before anything is looked up
            caller = await run_in_threadpool(access_of(request).caller, request)
            if key is None:
                with caller.acting(request):
                    return await answer(request)
            if not _is_key(key):
                raise InvalidParameter(
                    f"the Idempotency-Key {shown(key)} is not one; send 1 to {_KEY_LENGTH} ASCII characters "
                    "without blanks"
                )
            # not the name: it may be given again once its token is revoked
            place = {"caller": "" if caller.token is None else caller.token.digest.hex(), "key": key}
            replies: Replies = request.app.state.replies
            clock: Clock = request.app.state.clock
            digest = _digest(request, await request.body())
            claim = await run_in_threadpool(lambda: replies.claim(**place, request=digest, now=clock.now()))
            if isinstance(claim, Reply):
                return Response(
                    claim.body, claim.status, media_type=claim.media_type, headers={REPLAYED: "true"}
                )
            try:
                with in_hand(claim), caller.acting(request):
                    response = await answer(request)
            except Exception as error:  # noqa: BLE001 - becomes an answer, which is kept as any other
                response = problem_of(request, error)
            except BaseException:
                await run_in_threadpool(lambda: replies.release(claim))
                raise
            meant = response.meant_status if isinstance(response, RefusedDocument) else response.status_code
            if meant in _NOT_DONE or claim.is_open:
                await run_in_threadpool(lambda: replies.release(claim))
            else:
                reply = Reply(
                    status=response.status_code,
                    media_type=response.headers.get("content-type", "application/json"),
                    body=bytes(response.body),
                )
                await run_in_threadpool(lambda: replies.keep(reply, claim))
            return response

        return answer_once


class _Strict(Request):
    """A request whose JSON is JSON: no NaN, no infinity, nothing nested past reading."""

    async def json(self) -> Any:
        body = await self.body()
        try:
            return json.loads(body.decode("utf-8"), parse_constant=refuse_constant, parse_float=_number)
        except json.JSONDecodeError:
            raise
        except (ValueError, RecursionError) as problem:
            raise json.JSONDecodeError(str(problem), "", 0) from None


def _number(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else refuse_constant(text[:20])


def _is_key(key: str) -> bool:
    return 1 <= len(key) <= _KEY_LENGTH and key.isascii() and key.isprintable() and " " not in key


def _digest(request: Request, body: bytes) -> bytes:
    head = f"{request.method}\0{request.url.path}\0{request.url.query}\0".encode("utf-8", "replace")
    return hashlib.sha256(head + body).digest()
