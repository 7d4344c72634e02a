"""/v1: all executions of a filter, changed by a job that goes on after a restart."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import Field, StrictBool

from experience_runtime.domain.access import Right
from experience_runtime.domain.errors import InvalidParameter
from experience_runtime.domain.executions import Filter
from experience_runtime.domain.planning import plan_move
from experience_runtime.engine.operations import meant
from experience_runtime.runtime import Runtime
from experience_runtime.web.api.executions import Reason, Wanted
from experience_runtime.web.api.idempotency import KEY_DOCUMENTED, OnceRoute
from experience_runtime.web.api.jobs import Jobs
from experience_runtime.web.api.models import JOB, Job, Matching
from experience_runtime.web.api.openapi import Body, ExecutionId, Responses, answers
from experience_runtime.web.given import GivenJobs, GivenRuntime
from experience_runtime.web.guard.access import Caller, needs
from experience_runtime.web.guard.problems import Document

_EVERYTHING = Filter()


class BulkBody(Body):
    """What a filter means; without one, `everything` must be said."""

    filter: Wanted = Wanted()
    everything: StrictBool = False
    dry_run: StrictBool = Field(default=False, description="Only count what the filter means.")
    reason: Reason = None

    def meant(self, *, now: datetime) -> Filter:
        """The filter; InvalidParameter when nothing says which executions."""
        filter = self.filter.filter(now=now)
        if filter == _EVERYTHING and not self.everything:
            raise InvalidParameter(
                'nothing says which executions; give a filter such as {"integration": "slack-update"}, '
                "or say everything: true"
            )
        return filter


class BulkMoveBody(BulkBody):
    """The instant of all of them: exactly one of `delay` and `time`, as in an experience."""

    delay: Any = Field(default=None, description='Milliseconds, or a text such as `"2 hours"`.')
    time: Any = Field(default=None, description="An ISO 8601 instant, or milliseconds since 1970.")


def _answers() -> Responses:
    given = answers(Matching, {"matching": 1200}, 409, 413)
    begun = answers(Job, JOB, status=202)[202]
    return {200: given.pop(200) | {"description": "A dry run."}, 202: begun, **given}


_SHARED: dict[str, Any] = {"status_code": 202, "openapi_extra": KEY_DOCUMENTED, "responses": _answers()}
router = APIRouter(prefix="/v1", tags=["executions"], route_class=OnceRoute)


@router.post("/bulk/cancel", summary="Cancel by filter", **_SHARED)
def cancel_all(
    body: BulkBody, runtime: GivenRuntime, jobs: GivenJobs, _: Annotated[Caller, needs(Right.CHANGE)]
) -> Document:
    """A job that cancels every pending execution the filter matches. Scope: operator."""
    return _begun("cancel", body, runtime, jobs, reason=body.reason)


@router.post("/bulk/replay", summary="Replay by filter", **_SHARED)
def replay_all(
    body: BulkBody, runtime: GivenRuntime, jobs: GivenJobs, _: Annotated[Caller, needs(Right.CHANGE)]
) -> Document:
    """A job that replays every failed execution the filter matches; by `status` also succeeded ones.

    Scope: operator.
    """
    return _begun("replay", body, runtime, jobs, reason=body.reason or "replayed")


@router.post("/bulk/restore", summary="Restore by filter", **_SHARED)
def restore_all(
    body: BulkBody, runtime: GivenRuntime, jobs: GivenJobs, _: Annotated[Caller, needs(Right.CHANGE)]
) -> Document:
    """A job that restores every cancelled execution the filter matches, each at its own time.

    Passed over: what is past, what converted, what has its key pending, and what was replaced, unless
    `reason` of the filter asks for it. Scope: operator.
    """
    return _begun("restore", body, runtime, jobs, reason=body.reason or "restored")


@router.post("/bulk/move", summary="Move by filter", **_SHARED)
def move_all(
    body: BulkMoveBody, runtime: GivenRuntime, jobs: GivenJobs, _: Annotated[Caller, needs(Right.CHANGE)]
) -> Document:
    """A job that moves every pending execution the filter matches to one instant, each inside its window.

    Scope: operator.
    """
    due_at = plan_move({"delay": body.delay, "time": body.time}, now=runtime.clock.now())
    return _begun("move", body, runtime, jobs, reason=body.reason, due_at=due_at)


@router.get("/jobs/{job_id}", summary="Show a job", responses=answers(Job, JOB, 404))
def job(job_id: ExecutionId, jobs: GivenJobs, _: Annotated[Caller, needs(Right.READ)]) -> Document:
    """How far a job has come. It goes on after a restart. Scopes: operator, viewer."""
    return Document(jobs.job(job_id).document())


def _begun(
    verb: str,
    body: BulkBody,
    runtime: Runtime,
    jobs: Jobs,
    *,
    reason: str | None,
    due_at: datetime | None = None,
) -> Document:
    filter = meant(verb, body.meant(now=runtime.clock.now()))
    matching = runtime.store.count(filter)
    if body.dry_run:
        return Document({"matching": matching})
    begun = jobs.begin(verb, filter, matching=matching, reason=reason, due_at=due_at)
    return Document(begun.document(), status_code=202)
