"""/v1: executions; look, and cancel, move, restore or replay one."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import ConfigDict, Field, StrictInt

from experience_runtime.domain.access import Right
from experience_runtime.domain.executions import Filter, Sort, Status
from experience_runtime.domain.filters import NAMES, TABLE, read_filter
from experience_runtime.web.api.idempotency import KEY_DOCUMENTED, OnceRoute
from experience_runtime.web.api.models import (
    LISTED_EXECUTION,
    Executions,
)
from experience_runtime.web.api.openapi import Body, Cursor, ExecutionId, Limit, answers
from experience_runtime.web.api.whole_execution import WHOLE_EXECUTION, WholeExecution
from experience_runtime.web.given import GivenRuntime
from experience_runtime.web.guard.access import Caller, needs
from experience_runtime.web.guard.problems import Document

Reason = Annotated[str | None, Field(max_length=1000, description="Kept in the history.")]
_Text = Annotated[str | None, Field(max_length=200)]
_At = Annotated[str | None, Field(max_length=100)]


_M: Mapping[str, str] = {each.name: each.help for each in TABLE}


class Wanted(Body):
    """Which executions are meant; every field that is set must match."""

    status: list[Status] = Field(default=[], max_length=5, description=_M["status"])
    integration: _Text = Field(default=None, description=_M["integration"])
    visitor: _Text = Field(default=None, description=_M["visitor"])
    experience: _Text = Field(default=None, description=_M["experience"])
    schedule: _Text = Field(default=None, description=_M["schedule"])
    reason: _Text = Field(default=None, description=_M["reason"])
    since: _At = Field(default=None, description=_M["since"])
    until: _At = Field(default=None, description=_M["until"])
    due_since: _At = Field(default=None, description=_M["due_since"])
    due_until: _At = Field(default=None, description=_M["due_until"])
    finished_since: _At = Field(default=None, description=_M["finished_since"])
    finished_until: _At = Field(default=None, description=_M["finished_until"])
    failed_since: _At = Field(default=None, description=_M["failed_since"])
    failed_until: _At = Field(default=None, description=_M["failed_until"])
    text: _Text = Field(default=None, description=_M["text"])
    payload: _Text = Field(default=None, description=_M["payload"])
    zone: _Text = Field(
        default=None, description="Whose clock times without an offset are read by; else UTC."
    )

    def filter(self, *, now: datetime) -> Filter:
        """What it means. Raises InvalidParameter or InvalidTime."""
        given = self.model_dump(include=set(NAMES), exclude_none=True)
        if self.text == "":
            del given["text"]
        return read_filter(given, zone=self.zone, now=now)


class Page(Wanted):
    """A filter, and where in the list."""

    limit: Limit = 50
    cursor: Cursor = None
    sort: Sort = Field(default=Sort.NEWEST, description="`newest` first, or by when they are `due`.")


class SearchBody(Wanted):
    """A filter, and where in the list."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"status": ["failed"], "integration": "slack-update", "failed_since": "2026-03-09T12:00Z"}
            ]
        }
    )

    limit: StrictInt = Field(default=50, ge=1, le=500, description="How many a page.")
    cursor: str | None = Field(
        default=None, max_length=64, description="Go on where the page before ended: its `next`."
    )
    sort: Sort = Field(default=Sort.NEWEST, description="`newest` first, or by when they are `due`.")


class CancelBody(Body):
    reason: Reason = None


class MoveBody(Body):
    """The instant: exactly one of `delay` and `time`, as in an experience."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"time": "2026-03-09T09:00:00+01:00", "reason": "a holiday"}]}
    )

    delay: Any = Field(default=None, description='Milliseconds, or a text such as `"2 hours"`.')
    time: Any = Field(default=None, description="An ISO 8601 instant, or milliseconds since 1970.")
    reason: Reason = None


class ReplayBody(Body):
    reason: Reason = "replayed"
    payload: Any = Field(
        default=None,
        description="Another payload than its own, checked by the integration. Left out: its own.",
    )


class RestoreBody(Body):
    reason: Reason = "restored"


LISTED = {"executions": [LISTED_EXECUTION], "next": None, "searched_to": None}

router = APIRouter(prefix="/v1", tags=["executions"], route_class=OnceRoute)


@router.get(
    "/executions",
    summary="List executions",
    responses=answers(Executions, LISTED),
)
def list_executions(
    request: Request,
    page: Annotated[Page, Query()],
    runtime: GivenRuntime,
    caller: Annotated[Caller, needs(Right.READ_RUNS)],
) -> Document:
    """All states, newest first or by when they are due, by filter.

    Scopes: operator, viewer; author, whose pages leave out what no experience made.
    """
    filter = caller.visible(page.filter(now=runtime.clock.now()))
    with caller.looking(request):
        found = runtime.lookup.executions(filter, sort=page.sort, cursor=page.cursor, limit=page.limit)
    return Document(found)


@router.post(
    "/executions/search",
    operation_id="searchExecutions",
    summary="Search executions",
    responses=answers(Executions, LISTED, 413),
)
def search(
    request: Request,
    body: SearchBody,
    runtime: GivenRuntime,
    caller: Annotated[Caller, needs(Right.READ_RUNS)],
) -> Document:
    """The list with its filter in the body, where no address is long enough or is to be logged.

    Scopes: operator, viewer; author, whose pages leave out what no experience made.
    """
    filter = caller.visible(body.filter(now=runtime.clock.now()))
    with caller.looking(request):
        found = runtime.lookup.executions(filter, cursor=body.cursor, limit=body.limit, sort=body.sort)
    return Document(found)


@router.get(
    "/executions/{execution_id}",
    summary="Show an execution",
    responses=answers(WholeExecution, WHOLE_EXECUTION, 404),
)
def show(
    execution_id: ExecutionId, runtime: GivenRuntime, caller: Annotated[Caller, needs(Right.READ_RUNS)]
) -> Document:
    """Why it runs when it does, every change of its state, every attempt.

    Scopes: operator, viewer; author, when an experience made it.
    """
    return Document(caller.require_visible(execution_id, runtime.lookup.execution))


@router.post(
    "/executions/{execution_id}/cancel",
    summary="Cancel an execution",
    openapi_extra=KEY_DOCUMENTED,
    responses=answers(WholeExecution, WHOLE_EXECUTION, 404, 409, 413),
)
def cancel(
    execution_id: ExecutionId,
    runtime: GivenRuntime,
    _: Annotated[Caller, needs(Right.CHANGE)],
    body: CancelBody | None = None,
) -> Document:
    """Only a pending one can be. Scope: operator."""
    runtime.scheduler.cancel_execution(execution_id, reason=None if body is None else body.reason)
    return Document(runtime.lookup.execution(execution_id))


@router.post(
    "/executions/{execution_id}/replay",
    summary="Replay an execution",
    openapi_extra=KEY_DOCUMENTED,
    responses=answers(WholeExecution, WHOLE_EXECUTION, 404, 409, 413),
)
def replay(
    execution_id: ExecutionId,
    runtime: GivenRuntime,
    _: Annotated[Caller, needs(Right.CHANGE)],
    body: ReplayBody | None = None,
) -> Document:
    """Run one that failed or succeeded again, now, with all its retries. Scope: operator.

    With `payload`, it is called with that; the history keeps the one before.
    """
    body = body or ReplayBody()
    if "payload" in body.model_fields_set:
        runtime.operations.replay_with(execution_id, body.payload, reason=body.reason)
    else:
        runtime.scheduler.replay(execution_id, reason=body.reason)
    return Document(runtime.lookup.execution(execution_id))


@router.post(
    "/executions/{execution_id}/restore",
    summary="Restore an execution",
    openapi_extra=KEY_DOCUMENTED,
    responses=answers(WholeExecution, WHOLE_EXECUTION, 404, 409, 413),
)
def restore(
    execution_id: ExecutionId,
    runtime: GivenRuntime,
    _: Annotated[Caller, needs(Right.CHANGE)],
    body: RestoreBody | None = None,
) -> Document:
    """Take a cancel back: it is pending again, at its own time, which must not be past. Scope: operator."""
    runtime.operations.restore(execution_id, reason="restored" if body is None else body.reason)
    return Document(runtime.lookup.execution(execution_id))


@router.post(
    "/executions/{execution_id}/move",
    operation_id="moveExecution",
    summary="Move an execution",
    openapi_extra=KEY_DOCUMENTED,
    responses=answers(WholeExecution, WHOLE_EXECUTION, 404, 409, 413),
)
def move(
    execution_id: ExecutionId,
    runtime: GivenRuntime,
    _: Annotated[Caller, needs(Right.CHANGE)],
    body: MoveBody,
) -> Document:
    """Let a pending one run at another instant, at most 30 days ahead; its window holds. Scope: operator."""
    options = {"delay": body.delay, "time": body.time}
    runtime.operations.move(execution_id, options, reason=body.reason)
    return Document(runtime.lookup.execution(execution_id))


@router.post(
    "/executions/{execution_id}/run",
    operation_id="runExecution",
    summary="Run an execution now",
    openapi_extra=KEY_DOCUMENTED,
    responses=answers(WholeExecution, WHOLE_EXECUTION, 404, 409, 413),
)
def run_now(
    execution_id: ExecutionId,
    runtime: GivenRuntime,
    _: Annotated[Caller, needs(Right.CHANGE)],
    body: CancelBody | None = None,
) -> Document:
    """Let a pending one run now and not at its instant; a closed window delays it. Scope: operator."""
    runtime.operations.run_now(execution_id, reason=None if body is None else body.reason)
    return Document(runtime.lookup.execution(execution_id))
