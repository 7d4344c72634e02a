"""The pages of experiences: all of them, one with its failures and its runs, and one run."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel

from experience_runtime.documents.traffic import traffic_document
from experience_runtime.domain.access import Right
from experience_runtime.domain.errors import Refusal
from experience_runtime.domain.runs import OUTCOMES, RunFilter, check_outcome
from experience_runtime.web.experiences import listed
from experience_runtime.web.given import GivenRuntime
from experience_runtime.web.guard.access import caller_of, signed_in
from experience_runtime.web.guard.problems import status_of
from experience_runtime.web.pages.refusals import HtmlRoute
from experience_runtime.web.pages.rendering import GivenRendering

HERE = "/experiences"
_PAGE = 50

router = APIRouter(route_class=HtmlRoute, include_in_schema=False, dependencies=[signed_in(Right.READ_RUNS)])


class WantedRuns(BaseModel):
    """The filter of the runs of an experience, as its address has it."""

    outcome: str = ""
    visitor: str = ""
    code: str = ""
    place: str = ""
    cursor: str = ""

    def filter(self, experience: str) -> RunFilter:
        """What it means. Raises InvalidParameter."""
        return RunFilter(
            experience=experience,
            outcome=check_outcome(self.outcome or None),
            visitor=self.visitor or None,
            code=self.code or None,
            place=self.place or None,
        )


@router.get(HERE)
def experiences(request: Request, runtime: GivenRuntime, rendering: GivenRendering) -> Response:
    served = {each["name"]: each for each in listed(runtime)}
    counts = runtime.lookup.runs.counts()
    return rendering.page(
        request,
        "experiences.html",
        here=HERE,
        outcomes=OUTCOMES,
        experiences=[
            {
                "name": name,
                "served": served.get(name),
                "outcomes": counts.get(name, {}).get("outcomes", {}),
                "last_at": counts.get(name, {}).get("last_at"),
            }
            for name in sorted({*served, *counts})
        ],
    )


@router.get(HERE + "/{name}")
def experience(
    request: Request,
    name: str,
    wanted: Annotated[WantedRuns, Query()],
    runtime: GivenRuntime,
    rendering: GivenRendering,
) -> Response:
    problem: Refusal | None = None
    page: dict[str, Any] = {"runs": [], "next": None}
    try:
        page = runtime.lookup.runs.list(wanted.filter(name), cursor=wanted.cursor or None, limit=_PAGE)
    except Refusal as refusal:
        problem = refusal
    return rendering.page(
        request,
        "experience.html",
        here=HERE,
        status=200 if problem is None else status_of(problem),
        problem=problem,
        name=name,
        change=runtime.live.all().get(name),
        releases=runtime.store.releases.releases(name, limit=_PAGE),
        audit=runtime.lookup.audit.of("experience", name) if caller_of(request).may(Right.READ) else [],
        wanted=wanted,
        outcomes=OUTCOMES,
        runs=page["runs"],
        next=page["next"],
        failures=runtime.lookup.runs.failures(name)["failures"],
    )


@router.get(HERE + "/{name}/traffic")
def traffic(request: Request, name: str, runtime: GivenRuntime, rendering: GivenRendering) -> Response:
    tallies = runtime.store.exposures.tally(name)
    found = traffic_document(name, tallies)["variations"]
    return rendering.page(request, "traffic.html", here=HERE, name=name, variations=found)


@router.get("/runs/{run_id}")
def run(request: Request, run_id: str, runtime: GivenRuntime, rendering: GivenRendering) -> Response:
    return rendering.page(request, "run.html", here=HERE, run=runtime.lookup.runs.run(run_id))
