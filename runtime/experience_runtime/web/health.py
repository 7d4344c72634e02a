"""Health: whether the process is up, whether it can work, and its numbers."""

import logging
import threading
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel
from starlette.responses import PlainTextResponse, Response

from experience_runtime.clocks import monotonic
from experience_runtime.domain.access import Right
from experience_runtime.domain.errors import DatabaseUnavailable, ExperienceError
from experience_runtime.domain.workers import SKEW_STOPS, SKEW_TOLD, skew_text
from experience_runtime.runtime import Runtime
from experience_runtime.runtime.standing import process_of, standing_of
from experience_runtime.web.api.openapi import answers
from experience_runtime.web.given import GivenIsDelivered, GivenMetrics, GivenRuntime
from experience_runtime.web.guard.access import Caller, needs
from experience_runtime.web.guard.problems import RETRY_AFTER_SECONDS, Document
from experience_runtime.web.metrics import CONTENT_TYPE


class Ready(BaseModel):
    """`store`: it can be written to. `claim`: what is due can be claimed. `worker`: some process delivers.
    `stuck`: calls of this process that were given up at their deadline and have not ended. `clock`: it is
    within 2 s of the database's. `held`: everything is held, by a person; that is no defect, so it may be
    ready all the same. `problems`: what is not as it should be, in words."""

    ready: bool
    store: bool
    claim: bool
    worker: bool
    stuck: int
    clock: bool
    held: bool
    problems: list[str]


class Up(BaseModel):
    up: bool


_READY_MARK = b"readyz"  # no digest: none is so short

_PROBE_SECONDS = 1.0
_PROBE_LASTS = 5.0
"""How long a probe may take before the part that it is at counts as broken."""


class Probe:
    """Stores something and tries a claim, now and then: a full disk is read as ever.

    Anybody may ask, so one asks the database at a time, and seldom; the others are told what came of it.
    """

    def __init__(self) -> None:
        self._probing = threading.Lock()
        self._began_at = self._ended_at = float("-inf")
        self._found = (False, False)  # store, claim
        self._at_claim = False

    def parts(self, runtime: Runtime) -> tuple[bool, bool]:
        """Whether the store can be written to, and whether what is due can be claimed."""
        if self._probing.acquire(blocking=False):
            try:
                if monotonic() - self._ended_at >= _PROBE_SECONDS or self._found != (True, True):
                    self._began_at, self._at_claim = monotonic(), False
                    self._found = self._probed(runtime)
                    self._ended_at = monotonic()
                elif not _answers(lambda: runtime.store.tokens.ever()):
                    self._found = (False, False)
            finally:
                self._probing.release()
        elif monotonic() - self._began_at > _PROBE_LASTS:
            return self._at_claim, False
        return self._found

    def _probed(self, runtime: Runtime) -> tuple[bool, bool]:
        now = runtime.clock.now()
        store = _answers(
            lambda: runtime.store.allow_execute(key_digest=_READY_MARK, key_owner="", now=now, per_seconds=0)
        )
        self._at_claim = store
        return store, store and _answers(lambda: runtime.store.workers.try_claim(now))


def _answers(ask: Callable[[], object]) -> bool:
    try:
        ask()
    except ExperienceError as error:
        if not isinstance(error, DatabaseUnavailable):  # that one is told by whoever needs the database
            _logger.error("the database does not work as it should: %s", error.message)
        return False
    return True


async def _probe(request: Request) -> Probe:
    probe = request.app.state.probe
    assert isinstance(probe, Probe)
    return probe


GivenProbe = Annotated[Probe, Depends(_probe)]

_logger = logging.getLogger(__name__)

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
def is_ready(runtime: GivenRuntime, is_delivered: GivenIsDelivered, probe: GivenProbe) -> Document:
    """A write and a claim succeed, some process delivers, not half of the calls of this one are stuck, and
    its clock is not far off. For anybody."""
    stuck = len(runtime.dispatcher.stuck())
    store, claim = probe.parts(runtime)
    worker, skew, held = False, None, False
    if store:
        try:
            worker, skew = is_delivered(), runtime.store.workers.clock_skew(runtime.clock.now)
            held = runtime.operations.held_since() is not None
        except ExperienceError:  # gone since
            store = claim = False
    clock = skew is not None and abs(skew) <= SKEW_TOLD
    is_stuck = 2 * stuck >= runtime.concurrency
    problems = [
        *([] if store else ["the database cannot be written to"]),
        *(["nothing that is due can be claimed"] if store and not claim else []),
        *(["no worker delivers"] if store and not worker else []),
        *([f"{stuck} of {runtime.concurrency} calls are stuck"] if is_stuck else []),
        *([skew_text(skew)] if skew is not None and not clock else []),
    ]
    is_far_off = skew is not None and abs(skew) > SKEW_STOPS and runtime.is_shared
    ready = store and claim and worker and not is_stuck and not is_far_off
    found = {
        "ready": ready,
        "store": store,
        "claim": claim,
        "worker": worker,
        "stuck": stuck,
        "clock": clock,
        "held": held,
        "problems": problems,
    }
    headers = {} if store else {"Retry-After": str(RETRY_AFTER_SECONDS)}
    return Document(found, status_code=200 if ready else 503, headers=headers)


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
    return Response(metrics.text(standing_of(runtime), process_of(runtime)), media_type=CONTENT_TYPE)
