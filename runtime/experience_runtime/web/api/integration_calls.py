"""/v1: what an experience asks of an integration, asked by a backend: schedule, cancel, execute."""

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from experience_runtime.domain.access import Right
from experience_runtime.domain.visitors import Visitor, make_visitor
from experience_runtime.running.guest_calls import GuestCalls
from experience_runtime.runtime import Runtime
from experience_runtime.web.answering import answer_of
from experience_runtime.web.api.idempotency import KEY_DOCUMENTED, OnceRoute
from experience_runtime.web.api.openapi import Body, Name, Offset, Zone, answers
from experience_runtime.web.api.whole_execution import WHOLE_EXECUTION, WholeExecution
from experience_runtime.web.given import GivenAtOnce, GivenRuntime
from experience_runtime.web.guard.access import Caller, needs
from experience_runtime.web.guard.problems import Document

_Warnings = Annotated[list[str], Field(description="What an author's log would have been told.")]


class ScheduledExecution(WholeExecution):
    """The execution; `replaced` is the id of the one whose place it took."""

    replaced: str | None
    warnings: _Warnings


class ExecutedExecution(WholeExecution):
    """The execution, and what the integration answered."""

    result: Any
    warnings: _Warnings


class CancelledUnderKey(BaseModel):
    """How many were pending under the key, and which."""

    cancelled: int
    ids: list[str]
    warnings: _Warnings


class AskedBody(Body):
    """Who it is for, and the options of the call."""

    options: dict[str, Any] = Field(default={}, description="As in an experience: `key`, `delay`, …")
    visitor: str | None = Field(
        default=None, max_length=200, description="Who it is for; left out, nobody is known."
    )
    timezone: Zone = None
    timezone_offset: Offset = None


class AskedWithPayload(AskedBody):
    payload: Any


class _Asked:
    """One call on behalf of a visitor, and the lines that it told meanwhile.

    The visitor's zone is kept once the call has passed every rule: of a refused one nothing is stored.
    """

    def __init__(self, runtime: Runtime, body: AskedBody) -> None:
        self._runtime = runtime
        self._is_told_zone = body.visitor is not None and (
            body.timezone is not None or body.timezone_offset is not None
        )
        given = make_visitor(body.visitor, timezone=body.timezone, timezone_offset=body.timezone_offset)
        is_kept = body.visitor is not None and not self._is_told_zone
        self._visitor: Visitor = runtime.visitor(body.visitor) if is_kept else given
        self.calls = GuestCalls(scheduler=runtime.scheduler, visitor=self._visitor, experience=None)
        self.warnings: list[str] = []

    def note(self, level: str, line: str) -> None:  # noqa: ARG002 - as an author's log takes it
        self.warnings.append(self._runtime.settings.redact(line))

    def remember(self) -> None:
        if self._is_told_zone:
            self._runtime.remember(self._visitor)


router = APIRouter(prefix="/v1/integrations/{name}", tags=["integrations"], route_class=OnceRoute)


@router.post(
    "/schedule",
    operation_id="scheduleIntegration",
    summary="Schedule a call of an integration",
    openapi_extra=KEY_DOCUMENTED,
    responses=answers(
        ScheduledExecution, WHOLE_EXECUTION | {"replaced": None, "warnings": []}, 404, 409, 413
    ),
)
def schedule(
    name: Name, body: AskedWithPayload, runtime: GivenRuntime, _: Annotated[Caller, needs(Right.CALL)]
) -> Document:
    """What `schedule` does in an experience, with the same options. Scope: operator."""
    asked = _Asked(runtime, body)
    done, execution = asked.calls.schedule(name, body.payload, body.options, asked.note)
    asked.remember()
    shown = runtime.lookup.execution(execution.id)
    return Document({**shown, "replaced": done["replaced"], "warnings": asked.warnings})


@router.post(
    "/cancel",
    operation_id="cancelIntegration",
    summary="Cancel what is pending under a key",
    openapi_extra=KEY_DOCUMENTED,
    responses=answers(
        CancelledUnderKey,
        {"cancelled": 1, "ids": ["ex_0bb6rczg0ryj5"], "warnings": []},
        404,
        409,
        413,
    ),
)
def cancel(
    name: Name, body: AskedBody, runtime: GivenRuntime, _: Annotated[Caller, needs(Right.CALL)]
) -> Document:
    """What `cancel` does in an experience; nothing pending is no error. Scope: operator."""
    asked = _Asked(runtime, body)
    done = asked.calls.cancel(name, body.options, asked.note)
    asked.remember()
    return Document({**done, "warnings": asked.warnings})


@router.post(
    "/execute",
    operation_id="executeIntegration",
    summary="Execute an integration",
    openapi_extra=KEY_DOCUMENTED,
    responses=answers(
        ExecutedExecution,
        WHOLE_EXECUTION | {"status": "succeeded", "result": {"ok": True}, "warnings": []},
        404,
        409,
        413,
        502,
        504,
    ),
)
def execute(
    name: Name,
    body: AskedWithPayload,
    runtime: GivenRuntime,
    at_once: GivenAtOnce,
    caller: Annotated[Caller, needs(Right.CALL)],
) -> Document:
    """What `execute` does in an experience: call it now and wait for its answer. Scope: operator."""
    asked = _Asked(runtime, body)
    with at_once.of(caller.shares):
        started = asked.calls.execute(name, body.payload, body.options, asked.note)
        asked.remember()
        result = answer_of(runtime, started)
    shown = runtime.lookup.execution(started.execution.id)
    return Document({**shown, "result": result, "warnings": asked.warnings})
