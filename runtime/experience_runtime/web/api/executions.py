"""/v1: executions; look, cancel, replay, one by one or by filter."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import Field, StrictBool

from experience_runtime.documents.documents import execution_document, whole_execution_document
from experience_runtime.domain.access import Scope
from experience_runtime.domain.errors import Forbidden, InvalidParameter
from experience_runtime.domain.executions import Execution, Filter, Status, execution_number
from experience_runtime.domain.instants import parse_time
from experience_runtime.engine.operations import cancellable, replayable
from experience_runtime.runtime import Runtime
from experience_runtime.web.api.idempotency import OnceRoute, documented_key
from experience_runtime.web.api.jobs import Jobs
from experience_runtime.web.api.models import (
    JOB,
    LISTED_EXECUTION,
    WHOLE_EXECUTION,
    Executions,
    Job,
    Matching,
    WholeExecution,
)
from experience_runtime.web.api.openapi import Body, Cursor, ExecutionId, Limit, Responses, answers
from experience_runtime.web.guard.access import Caller, needs
from experience_runtime.web.guard.problems import Document

_EVERYTHING = Filter()
_Reason = Annotated[str | None, Field(max_length=1000, description="Kept in the history.")]
_Text = Annotated[str | None, Field(max_length=200)]
_At = Annotated[str | None, Field(max_length=100, description="An ISO 8601 instant.")]


class Wanted(Body):
    """Which executions are meant; every field that is set must match."""

    status: list[Status] = Field(default=[], max_length=5)
    integration: _Text = None
    visitor: _Text = None
    experience: _Text = None
    schedule: _Text = None
    reason: _Text = Field(default=None, description="With this reason: integration_failed, …")
    since: _At = Field(default=None, description="Made at this instant or later.")
    until: _At = Field(default=None, description="Made before this instant.")
    due_since: _At = Field(default=None, description="Due at this instant or later.")
    due_until: _At = Field(default=None, description="Due before this instant.")
    text: _Text = Field(
        default=None, description="An id, the beginning of a visitor's id, or a part of a key."
    )


class Page(Wanted):
    """A filter, and where in the list."""

    limit: Limit = 50
    cursor: Cursor = None


class CancelBody(Body):
    reason: _Reason = None


class ReplayBody(Body):
    reason: _Reason = "replayed"


class BulkBody(Body):
    """What a filter means; without one, `everything` must be said."""

    filter: Wanted = Wanted()
    everything: StrictBool = False
    dry_run: StrictBool = Field(default=False, description="Only count what the filter means.")
    reason: _Reason = None


def make_router(runtime: Runtime, jobs: Jobs) -> APIRouter:
    router = APIRouter(prefix="/v1", tags=["executions"], route_class=OnceRoute)
    redact = runtime.settings.redact

    def listed(execution: Execution, held: str | None) -> dict[str, Any]:
        return execution_document(execution, held=held, redact=redact) | _of_whom(execution)

    def whole(number: int) -> Document:
        execution = runtime.store.execution(number)
        held = runtime.operations.waits_because([execution]).get(execution.id)
        attempts, history = runtime.store.attempts(number), runtime.store.history(number)
        document = whole_execution_document(execution, attempts, history, held=held, redact=redact)
        return Document(document | _of_whom(execution))

    def wanted(given: Wanted) -> Filter:
        now = runtime.clock.now()

        def at(text: str | None) -> Any:
            return None if text is None else parse_time(text, now=now).at

        return Filter(
            statuses=tuple(given.status),
            integration=given.integration,
            visitor=given.visitor,
            experience=given.experience,
            schedule=given.schedule,
            reason=given.reason,
            created_from=at(given.since),
            created_until=at(given.until),
            due_from=at(given.due_since),
            due_until=at(given.due_until),
            text=given.text or None,
        )

    @router.get(
        "/executions",
        summary="List executions",
        responses=answers(Executions, {"executions": [LISTED_EXECUTION], "next": None}),
    )
    def list_executions(
        page: Annotated[Page, Query()], caller: Annotated[Caller, needs(Scope.AUTHOR)]
    ) -> Document:
        """All states, newest first, by filter.

        Scopes: operator; author, whose pages leave out what no experience made.
        """
        found = runtime.store.find(wanted(page), cursor=page.cursor, limit=page.limit)
        holds = runtime.operations.waits_because(found.executions)
        documents = [listed(each, holds.get(each.id)) for each in found.executions if caller.may_see(each)]
        return Document({"executions": documents, "next": found.next})

    @router.get(
        "/executions/{execution_id}",
        summary="Show an execution",
        responses=answers(WholeExecution, WHOLE_EXECUTION, 404),
    )
    def show(execution_id: ExecutionId, caller: Annotated[Caller, needs(Scope.AUTHOR)]) -> Document:
        """Why it runs when it does, every change of its state, every attempt.

        Scopes: operator; author, when an experience made it.
        """
        number = execution_number(execution_id)
        if not caller.may_see(runtime.store.execution(number)):
            raise Forbidden(f"{execution_id} was made by no experience; this needs operator")
        return whole(number)

    @router.post(
        "/executions/{execution_id}/cancel",
        summary="Cancel an execution",
        dependencies=[Depends(documented_key)],
        responses=answers(WholeExecution, WHOLE_EXECUTION, 404, 409, 413),
    )
    def cancel(
        execution_id: ExecutionId, _: Annotated[Caller, needs()], body: CancelBody | None = None
    ) -> Document:
        """Only a pending one can be. Scope: operator."""
        runtime.scheduler.cancel_execution(execution_id, reason=None if body is None else body.reason)
        return whole(execution_number(execution_id))

    @router.post(
        "/executions/{execution_id}/replay",
        summary="Replay an execution",
        dependencies=[Depends(documented_key)],
        responses=answers(WholeExecution, WHOLE_EXECUTION, 404, 409, 413),
    )
    def replay(
        execution_id: ExecutionId, _: Annotated[Caller, needs()], body: ReplayBody | None = None
    ) -> Document:
        """Run one that failed or succeeded again, now, with all its retries. Scope: operator."""
        runtime.scheduler.replay(execution_id, reason="replayed" if body is None else body.reason)
        return whole(execution_number(execution_id))

    @router.post(
        "/bulk/cancel",
        summary="Cancel by filter",
        status_code=202,
        dependencies=[Depends(documented_key)],
        responses=_bulk_answers(),
    )
    def cancel_all(body: BulkBody, _: Annotated[Caller, needs()]) -> Document:
        """A job that cancels every pending execution the filter means. Scope: operator."""
        filter = cancellable(_meant(body, wanted(body.filter)))
        return begin(
            "cancel",
            filter,
            body,
            lambda progress: runtime.operations.cancel_matching(
                filter, reason=body.reason, progress=progress
            ),
        )

    @router.post(
        "/bulk/replay",
        summary="Replay by filter",
        status_code=202,
        dependencies=[Depends(documented_key)],
        responses=_bulk_answers(),
    )
    def replay_all(body: BulkBody, _: Annotated[Caller, needs()]) -> Document:
        """A job that replays every failed execution the filter means; by `status` also succeeded ones.

        Scope: operator.
        """
        filter = replayable(_meant(body, wanted(body.filter)))
        reason = body.reason or "replayed"
        return begin(
            "replay",
            filter,
            body,
            lambda progress: runtime.operations.replay_matching(filter, reason=reason, progress=progress),
        )

    def begin(verb: str, filter: Filter, body: BulkBody, act: Any) -> Document:
        matching = runtime.store.count(filter)
        if body.dry_run:
            return Document({"matching": matching})
        return Document(jobs.begin(verb, matching, act).document(), status_code=202)

    @router.get("/jobs/{job_id}", summary="Show a job", responses=answers(Job, JOB, 404))
    def job(job_id: ExecutionId, _: Annotated[Caller, needs()]) -> Document:
        """How far a job has come. A restart of the server forgets it. Scope: operator."""
        return Document(jobs.job(job_id).document())

    return router


def _of_whom(execution: Execution) -> dict[str, Any]:
    return {
        "visitor": execution.visitor,
        "experience": execution.experience,
        "schedule": execution.schedule,
    }


def _meant(body: BulkBody, filter: Filter) -> Filter:
    if filter == _EVERYTHING and not body.everything:
        raise InvalidParameter(
            'nothing says which executions; give a filter such as {"integration": "slack-update"}, '
            "or say everything: true"
        )
    return filter


def _bulk_answers() -> Responses:
    given = answers(Matching, {"matching": 1200}, 409, 413)
    begun = answers(Job, JOB, status=202)[202]
    return {200: given.pop(200) | {"description": "A dry run."}, 202: begun, **given}
