"""The agenda: what goes out on a day, by the clock of a zone."""

from datetime import date, datetime, timedelta
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from experience_runtime.domain.access import Right
from experience_runtime.domain.errors import Refusal
from experience_runtime.domain.filters import read_zone
from experience_runtime.domain.moments import day_bounds, read_day
from experience_runtime.domain.zones import UTC, Zone
from experience_runtime.web.given import GivenRuntime
from experience_runtime.web.guard.access import signed_in
from experience_runtime.web.guard.problems import status_of
from experience_runtime.web.pages.refusals import HtmlRoute
from experience_runtime.web.pages.rendering import GivenRendering
from experience_runtime.web.pages.wanted import link

HERE = "/agenda"
PAGE = 50
_DAY = timedelta(days=1)
_HOUR = timedelta(hours=1)

router = APIRouter(route_class=HtmlRoute, include_in_schema=False, dependencies=[signed_in(Right.READ)])


@router.get(HERE)
def agenda(
    request: Request,
    runtime: GivenRuntime,
    rendering: GivenRendering,
    day: str = "",
    zone: str = "",
    cursor: str = "",
) -> Response:
    now, problem, found = runtime.clock.now(), None, None
    clock, which = UTC, read_day("today", zone=UTC, now=now)
    try:
        clock = read_zone(zone.strip())
        which = read_day(day.strip() or "today", zone=clock, now=now)
        found = runtime.lookup.agenda.of(which, clock, now=now, cursor=cursor or None, limit=PAGE)
    except Refusal as refusal:
        problem = refusal
    return rendering.page(
        request,
        "agenda.html",
        here=HERE,
        status=200 if problem is None else status_of(problem),
        problem=problem,
        agenda=found,
        day=which.isoformat(),
        zone=zone.strip(),
        is_given=bool(day or zone),
        before=(which - _DAY).isoformat(),
        after=(which + _DAY).isoformat(),
        links=_links(found, which, clock, now),
    )


def _links(found: dict[str, Any] | None, day: date, zone: Zone, now: datetime) -> dict[str, str]:
    """The lists of executions that its numbers count: of the day, of each integration, of what is late."""
    if found is None:
        return {}
    start, end = day_bounds(day, zone)
    shown = {"status": "pending", "sort": "due", "zone": zone.name}
    of = {
        each["integration"]: link(
            now, **shown, integration=each["integration"], due_since=start, due_until=end
        )
        for each in found["integrations"]
    }
    return of | {
        "": link(now, **shown, due_since=start, due_until=end),
        " late": link(now, **shown, due_until=start),
    }
