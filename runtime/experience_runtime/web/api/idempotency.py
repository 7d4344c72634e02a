"""Once: a write with an `Idempotency-Key` happens once, and is answered alike each time it is asked for."""

import hashlib
import json
import math
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, TypeVar

from fastapi import Request
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from experience_runtime.domain.errors import InvalidParameter
from experience_runtime.domain.values import refuse_constant, shown
from experience_runtime.engine.claims import in_hand
from experience_runtime.engine.keeping import Replies, Reply
from experience_runtime.engine.ports import Clock
from experience_runtime.web.guard.access import access_of, find_on_this_thread
from experience_runtime.web.guard.middleware import SAFE_METHODS
from experience_runtime.web.guard.problems import RefusedDocument, problem_of
from experience_runtime.web.guard.queries import KnownQuery

T = TypeVar("T")

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
    """A route whose writes honour `Idempotency-Key`: `APIRouter(route_class=OnceRoute)`.

    Its endpoints are plain functions. Each request has one thread once, for all that is done about it: to be
    handed from one to the next costs as much as many an answer does.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **given: Any) -> None:
        super().__init__(path, _never_waiting(endpoint), **given)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        answer = super().get_route_handler()
        known = KnownQuery(self)

        async def answer_once(request: Request) -> Response:
            request = _Strict(request.scope, request.receive)
            if request.method not in SAFE_METHODS:
                if not access_of(request).has_let_in(request):
                    # who may not call is told so before a body is waited for
                    await run_in_threadpool(access_of(request).caller, request)
                await request.body()
            response = await run_in_threadpool(_answered, request, answer)
            if request.method in SAFE_METHODS:
                known.require(request)  # afterwards: who may not look is told that first
            return response

        return answer_once


Answer = Callable[[Request], Coroutine[Any, Any, Response]]


def _never_waiting(endpoint: Callable[..., Any]) -> Callable[..., Any]:
    """The same as a coroutine function: FastAPI calls such a one in the thread that it is in."""
    if endpoint in _MADE:
        return endpoint

    @wraps(endpoint)
    async def act(*args: Any, **named: Any) -> Any:
        return endpoint(*args, **named)

    _MADE.add(act)
    return act


_MADE: set[Callable[..., Any]] = set()


def _answered(request: Request, answer: Answer) -> Response:
    """Answer a request whose body is here, on the thread that this is called on."""
    find_on_this_thread(request)
    if request.method in SAFE_METHODS:
        return _driven(answer(request))
    # who may not call is told so before anything is looked up
    caller = access_of(request).caller(request)
    key = request.headers.get(HEADER)
    if key is None:
        with caller.acting(request):
            return _driven(answer(request))
    if not _is_key(key):
        raise InvalidParameter(
            f"the Idempotency-Key {shown(key)} is not one; send 1 to {_KEY_LENGTH} ASCII characters "
            "without blanks"
        )
    # not the name: it may be given again once its token is revoked
    place = {"caller": "" if caller.token is None else caller.token.digest.hex(), "key": key}
    replies: Replies = request.app.state.replies
    clock: Clock = request.app.state.clock
    digest = _digest(request, _driven(request.body()))
    claim = replies.claim(**place, request=digest, now=clock.now())
    if isinstance(claim, Reply):
        return Response(claim.body, claim.status, media_type=claim.media_type, headers={REPLAYED: "true"})
    try:
        with in_hand(claim), caller.acting(request):
            response = _driven(answer(request))
    except Exception as error:  # noqa: BLE001 - becomes an answer, which is kept as any other
        response = problem_of(request, error)
    except BaseException:
        replies.release(claim)
        raise
    meant = response.meant_status if isinstance(response, RefusedDocument) else response.status_code
    if meant in _NOT_DONE or claim.is_open:
        replies.release(claim)
    else:
        reply = Reply(
            status=response.status_code,
            media_type=response.headers.get("content-type", "application/json"),
            body=bytes(response.body),
        )
        replies.keep(reply, claim)
    return response


def _driven(coroutine: Coroutine[Any, Any, T]) -> T:
    """What a coroutine comes to that waits for nothing: of a body that is here, of an endpoint of ours."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        result: T = end.value
        return result
    coroutine.close()
    raise RuntimeError("an endpoint of a OnceRoute, or what it depends on, waits for the event loop")


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
