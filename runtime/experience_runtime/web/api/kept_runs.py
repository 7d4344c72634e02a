"""/v1: runs that are over, and what happened to one visitor."""

from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import Field

from experience_runtime.domain.access import Right
from experience_runtime.domain.runs import RunFilter
from experience_runtime.web.api.idempotency import OnceRoute
from experience_runtime.web.api.openapi import Body, Cursor, Limit, VisitorId, answers
from experience_runtime.web.api.run_models import (
    LISTED_RUN,
    WHOLE_RUN,
    WHY,
    KeptRuns,
    Outcome,
    WholeRun,
    Why,
)
from experience_runtime.web.given import GivenRuntime
from experience_runtime.web.guard.access import Caller, needs
from experience_runtime.web.guard.problems import Document

_Text = Annotated[str | None, Field(max_length=200)]

RunId = Annotated[str, Path(max_length=64, description="The id of a run.", examples=["rn_0bb6rczg0ryj5"])]


class RunPage(Body):
    """Which runs are meant, and where in the list; every field that is set must match."""

    experience: _Text = None
    outcome: Outcome | None = None
    visitor: _Text = None
    code: _Text = Field(default=None, description="With this code: script_error, limit_cpu, …")
    place: _Text = Field(default=None, description="That failed here: variation.js:12:5.")
    limit: Limit = 50
    cursor: Cursor = None

    def filter(self) -> RunFilter:
        return RunFilter(
            experience=self.experience,
            outcome=self.outcome,
            visitor=self.visitor,
            code=self.code,
            place=self.place,
        )


router = APIRouter(prefix="/v1", route_class=OnceRoute)


@router.get(
    "/runs",
    summary="List runs",
    tags=["experiences"],
    responses=answers(KeptRuns, {"runs": [LISTED_RUN], "next": None}),
)
def list_runs(
    page: Annotated[RunPage, Query()], runtime: GivenRuntime, _: Annotated[Caller, needs(Right.READ_RUNS)]
) -> Document:
    """What ran and how it ended, newest first, by filter. Scopes: author, viewer, operator."""
    return Document(runtime.lookup.runs.list(page.filter(), cursor=page.cursor, limit=page.limit))


@router.get(
    "/runs/{run_id}",
    summary="Show a run",
    tags=["experiences"],
    responses=answers(WholeRun, WHOLE_RUN, 404),
)
def show(run_id: RunId, runtime: GivenRuntime, _: Annotated[Caller, needs(Right.READ_RUNS)]) -> Document:
    """Its log, its calls and their refusals, and the executions it made. Scopes: author, viewer, operator."""
    return Document(runtime.lookup.runs.run(run_id))


@router.get(
    "/visitors/{visitor_id}/why",
    summary="Say what happened to a visitor",
    tags=["visitors"],
    responses=answers(Why, WHY),
)
def why(
    visitor_id: VisitorId,
    runtime: GivenRuntime,
    _: Annotated[Caller, needs(Right.READ)],
    integration: Annotated[
        str | None, Query(max_length=200, description="Only calls of this integration.")
    ] = None,
) -> Document:
    """What ran, and what was refused, cancelled, replaced, held or failed, newest first, and why.

    Scopes: viewer, operator.
    """
    return Document(runtime.lookup.runs.why(visitor_id, integration=integration))
