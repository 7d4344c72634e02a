"""The page of changes by hand: who changed what, by filter, and the same as CSV."""

from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from experience_runtime.domain.access import Right
from experience_runtime.domain.audit import ACTIONS
from experience_runtime.domain.errors import Refusal
from experience_runtime.web.api.audit import AuditWanted
from experience_runtime.web.given import GivenRuntime
from experience_runtime.web.guard.access import signed_in
from experience_runtime.web.guard.problems import status_of
from experience_runtime.web.pages.refusals import HtmlRoute
from experience_runtime.web.pages.rendering import GivenRendering

HERE = "/settings/audit"
_PAGE = 50

router = APIRouter(route_class=HtmlRoute, include_in_schema=False, dependencies=[signed_in(Right.READ)])


class Wanted(AuditWanted):
    cursor: str = ""

    @property
    def query(self) -> str:
        """The filter as the query of an address."""
        given = self.model_dump(exclude={"cursor"}, exclude_none=True)
        return urlencode({name: text for name, text in given.items() if text})


@router.get(HERE)
def audit(
    request: Request, wanted: Annotated[Wanted, Query()], runtime: GivenRuntime, rendering: GivenRendering
) -> Response:
    problem: Refusal | None = None
    page: dict[str, Any] = {"entries": [], "next": None}
    try:
        page = runtime.lookup.audit.list(wanted.filter(runtime), cursor=wanted.cursor or None, limit=_PAGE)
    except Refusal as refusal:
        problem = refusal
    return rendering.page(
        request,
        "audit.html",
        here=HERE,
        status=200 if problem is None else status_of(problem),
        problem=problem,
        wanted=wanted,
        kinds=list(ACTIONS),
        entries=page["entries"],
        next=page["next"],
    )


@router.get(HERE + ".csv")
def as_csv(wanted: Annotated[Wanted, Query()], runtime: GivenRuntime) -> Response:
    text = runtime.lookup.audit.csv(wanted.filter(runtime))
    kept = {"Content-Disposition": 'attachment; filename="audit.csv"', "X-Content-Type-Options": "nosniff"}
    return Response(text.encode("utf-8", "replace"), media_type="text/csv; charset=utf-8", headers=kept)
