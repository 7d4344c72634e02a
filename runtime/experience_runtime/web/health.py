"""Health: whether the process is up, whether it can work, and its numbers."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel
from starlette.responses import PlainTextResponse, Response

from experience_runtime.clocks import monotonic
from experience_runtime.domain.access import Right
from experience_runtime.domain.errors import ExperienceError
from experience_runtime.domain.workers import SKEW_STOPS, SKEW_TOLD
from experience_runtime.runtime import Runtime
from experience_runtime.runtime.standing import standing_of
from experience_runtime.web.api.openapi import answers
from experience_runtime.web.given import GivenIsDelivered, GivenMetrics, GivenRuntime
from experience_runtime.web.guard.access import Caller, needs
from experience_runtime.web.guard.problems import RETRY_AFTER_SECONDS, Document
from experience_runtime.web.metrics import CONTENT_TYPE


class Ready(BaseModel):
    """`store`: it can be written to. `worker`: some process delivers from it. `stuck`: calls of this process
    that were given up at their deadline and have not ended. `clock`: it is within 2 s of the database's."""

    ready: bool
    store: bool
    worker: bool
    stuck: int
    clock: bool


class Up(BaseModel):
    up: bool


_READY_MARK = b"readyz"  # no digest: none is so short


class Written:
    """Stores something now and then: a full disk is read as ever. Anybody may ask, so seldom."""

    def __init__(self) -> None:
        self._at = -1.0

    def once_a_second(self, runtime: Runtime) -> None:
        if monotonic() - self._at < 1:
            runtime.store.tokens.ever()
            return
        now = runtime.clock.now()
        runtime.store.allow_execute(key_digest=_READY_MARK, key_owner="", now=now, per_seconds=0)
        self._at = monotonic()


async def _written(request: Request) -> Written:
    written = request.app.state.written
    assert isinstance(written, Written)
    return written


GivenWritten = Annotated[Written, Depends(_written)]

router = APIRouter(tags=["health"])
_READY: dict[int | str, dict[str, Any]] = {
    200: {"model": Ready, "description": "Ready."},
    503: {"model": Ready, "description": "Not ready."},
}


@router.get("/healthz", summary="The process is up", responses={200: {"model": Up, "description": "Up."}})
async def up() -> Document:  # on no thread: they may all be taken
    """Says nothing else. For anybody."""
    return Document({"up": True})


@router.get("/readyz", summary="It can work", responses=_READY)
def is_ready(runtime: GivenRuntime, is_delivered: GivenIsDelivered, written: GivenWritten) -> Document:
    """The store can be written to, some process delivers from it, and not half of the calls of this one
    are stuck. For anybody."""
    stuck = len(runtime.dispatcher.stuck())
    try:
        written.once_a_second(runtime)
        delivered = is_delivered()
        skew = abs(runtime.store.workers.clock_skew(runtime.clock.now))
    except ExperienceError:
        found = {"ready": False, "store": False, "worker": False, "stuck": stuck, "clock": False}
        return Document(found, status_code=503, headers={"Retry-After": str(RETRY_AFTER_SECONDS)})
    ready = delivered and 2 * stuck < runtime.concurrency and (skew <= SKEW_STOPS or not runtime.is_shared)
    clock = skew <= SKEW_TOLD
    found = {"ready": ready, "store": True, "worker": delivered, "stuck": stuck, "clock": clock}
    return Document(found, status_code=200 if ready else 503)


@router.get(
    "/metrics",
    summary="Numbers for Prometheus",
    response_class=PlainTextResponse,
    responses={
        **answers(None, "", 404),
        200: {"content": {"text/plain": {"schema": {"type": "string"}}}, "description": "Numbers."},
    },
)
def numbers(
    runtime: GivenRuntime, metrics: GivenMetrics, _: Annotated[Caller, needs(Right.MEASURE)]
) -> Response:
    """Attempts of this process; backlog and lag are the store's. Scopes: metrics, operator, viewer."""
    text = metrics.text(standing_of(runtime), stuck=len(runtime.dispatcher.stuck()))
    return Response(text, media_type=CONTENT_TYPE)
