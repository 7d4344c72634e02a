"""The pages that change all executions of a filter: counted first, then with progress."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import Response

from experience_runtime.domain.access import Right
from experience_runtime.domain.errors import Conflict, ExperienceError, Refusal
from experience_runtime.domain.instants import iso
from experience_runtime.domain.planning import check_reason, plan_move
from experience_runtime.engine.operations import DONE, meant
from experience_runtime.runtime import Runtime
from experience_runtime.web.given import GivenJobs, GivenRuntime
from experience_runtime.web.guard.access import signed_in
from experience_runtime.web.guard.login import own_form
from experience_runtime.web.guard.problems import status_of
from experience_runtime.web.pages.refusals import HtmlRoute
from experience_runtime.web.pages.rendering import GivenRendering, Rendering, back_to
from experience_runtime.web.pages.wanted import GivenWanted, Wanted, read_query

HERE = "/executions"
Verb = Literal["cancel", "replay", "restore", "move"]
_REASONS = {"replay": "replayed", "restore": "restored"}


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
    time: Annotated[str, Form(max_length=100)] = "",
    counted: Annotated[int, Form()] = 0,
) -> Response:
    wanted, now = read_query(query), runtime.clock.now()
    try:
        filter = wanted.filter(now=now)
        why = check_reason(reason.strip() or _REASONS.get(verb))
        due_at = plan_move({"time": time or None}, now=now) if verb == "move" else None
        total = runtime.store.count(meant(verb, filter))
        if total > counted:
            raise Conflict(
                f"{total} executions match now, and {counted} matched when you were asked; count them again"
            )
        job = jobs.begin(verb, filter, matching=total, reason=why, due_at=due_at)
    except Refusal as refusal:
        return _asked(request, verb, wanted, runtime, rendering, problem=refusal, reason=reason, time=time)
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
        request,
        "bulk_progress.html",
        here=HERE,
        job=job,
        verb=job.verb,
        done=DONE[job.verb],
        query=wanted.query,
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
    time: str = "",
) -> Response:
    count, now = 0, runtime.clock.now()
    try:
        count = runtime.store.count(meant(verb, wanted.filter(now=now)))
    except Refusal as refusal:
        problem = problem or refusal
    return rendering.page(
        request,
        "bulk.html",
        here=HERE,
        status=200 if problem is None else status_of(problem),
        problem=problem,
        verb=verb,
        done=DONE[verb],
        wanted=wanted,
        count=count,
        reason=reason,
        time=time or iso(now)[:16],
    )
