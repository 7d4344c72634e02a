"""The pages that cancel or replay all executions of a filter: counted first, then with progress."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import Response

from experience_runtime.domain.access import Right
from experience_runtime.domain.errors import Conflict, ExperienceError, Refusal
from experience_runtime.domain.planning import check_reason
from experience_runtime.engine.operations import cancellable, replayable
from experience_runtime.runtime import Runtime
from experience_runtime.web.given import GivenJobs, GivenRuntime
from experience_runtime.web.guard.access import signed_in
from experience_runtime.web.guard.login import own_form
from experience_runtime.web.guard.problems import status_of
from experience_runtime.web.pages.refusals import HtmlRoute
from experience_runtime.web.pages.rendering import GivenRendering, Rendering, back_to
from experience_runtime.web.pages.wanted import GivenWanted, Wanted, read_query

HERE = "/executions"
Verb = Literal["cancel", "replay"]
_MEANT = {"cancel": cancellable, "replay": replayable}


router = APIRouter(route_class=HtmlRoute, include_in_schema=False, dependencies=[signed_in(Right.CHANGE)])


@router.get(HERE + "/bulk/{verb}")
def ask(
    request: Request,
    verb: Verb,
    wanted: GivenWanted,
    runtime: GivenRuntime,
    rendering: GivenRendering,
) -> Response:
    return _asked(request, verb, wanted, runtime, rendering)


@router.post(HERE + "/bulk/{verb}", dependencies=[Depends(own_form)])
def act(
    request: Request,
    verb: Verb,
    runtime: GivenRuntime,
    rendering: GivenRendering,
    jobs: GivenJobs,
    query: Annotated[str, Form()] = "",
    reason: Annotated[str, Form()] = "",
    counted: Annotated[int, Form()] = 0,
) -> Response:
    wanted = read_query(query)
    try:
        filter = wanted.filter(now=runtime.clock.now())
        why = check_reason(reason.strip() or ("replayed" if verb == "replay" else None))
        total = runtime.store.count(_MEANT[verb](filter))
        if total > counted:
            raise Conflict(
                f"{total} executions match now, and {counted} matched when you were asked; count them again"
            )

        job = jobs.begin(verb, filter, matching=total, reason=why)
    except Refusal as refusal:
        return _asked(request, verb, wanted, runtime, rendering, problem=refusal, reason=reason)
    return back_to(f"{HERE}/jobs/{job.id}?{wanted.query}")


@router.get(HERE + "/jobs/{job_id}")
def progress(
    request: Request,
    job_id: str,
    wanted: GivenWanted,
    rendering: GivenRendering,
    jobs: GivenJobs,
) -> Response:
    job = jobs.job(job_id)
    return rendering.page(
        request, "bulk_progress.html", here=HERE, job=job, verb=job.verb, query=wanted.query
    )


def _asked(
    request: Request,
    verb: Verb,
    wanted: Wanted,
    runtime: Runtime,
    rendering: Rendering,
    *,
    problem: ExperienceError | None = None,
    reason: str = "",
) -> Response:
    count = 0
    try:
        count = runtime.store.count(_MEANT[verb](wanted.filter(now=runtime.clock.now())))
    except Refusal as refusal:
        problem = problem or refusal
    return rendering.page(
        request,
        "bulk.html",
        here=HERE,
        status=200 if problem is None else status_of(problem),
        problem=problem,
        verb=verb,
        wanted=wanted,
        count=count,
        reason=reason,
    )
