"""The overview: how everything stands, and what runs next."""

from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import Response

from experience_runtime.domain.access import Right
from experience_runtime.domain.admission import ALL
from experience_runtime.domain.errors import Conflict, Refusal
from experience_runtime.domain.executions import Status
from experience_runtime.domain.overview import Backlog
from experience_runtime.domain.spans import span_text
from experience_runtime.runtime import Runtime
from experience_runtime.web.given import GivenIsDelivered, GivenRuntime
from experience_runtime.web.guard.access import caller_of, signed_in
from experience_runtime.web.guard.login import own_form
from experience_runtime.web.guard.problems import status_of
from experience_runtime.web.pages.executions import MOST_COUNTED
from experience_runtime.web.pages.refusals import HtmlRoute
from experience_runtime.web.pages.rendering import GivenRendering, Rendering, back_to
from experience_runtime.web.pages.rows import picture_of, rows_of
from experience_runtime.web.pages.trend import MOST, trend_of
from experience_runtime.web.pages.wanted import link
from experience_runtime.web.pages.wording import relative

FAILURES_WITHIN = timedelta(days=1)
_NEXT = 10
_TICK = timedelta(milliseconds=1)
_LATE = timedelta(seconds=60)


router = APIRouter(route_class=HtmlRoute, include_in_schema=False, dependencies=[signed_in(Right.READ_RUNS)])


@router.get("/")
def overview(
    request: Request, runtime: GivenRuntime, rendering: GivenRendering, is_delivered: GivenIsDelivered
) -> Response:
    if not caller_of(request).may(Right.READ):
        return back_to("/playground")
    return _shown(request, runtime, rendering, is_delivered())


@router.post("/hold", dependencies=[signed_in(Right.CHANGE), Depends(own_form)])
def hold(
    request: Request,
    runtime: GivenRuntime,
    rendering: GivenRendering,
    is_delivered: GivenIsDelivered,
    reason: Annotated[str, Form()] = "",
) -> Response:
    try:
        runtime.operations.hold_all(reason=reason.strip() or None)
    except Refusal as refusal:
        return _shown(request, runtime, rendering, is_delivered(), problem=refusal)
    return back_to("/", "held")


@router.post("/resume", dependencies=[signed_in(Right.CHANGE), Depends(own_form)])
def resume(
    request: Request, runtime: GivenRuntime, rendering: GivenRendering, is_delivered: GivenIsDelivered
) -> Response:
    try:
        runtime.operations.resume_all()
    except Conflict as refusal:
        return _shown(request, runtime, rendering, is_delivered(), problem=refusal)
    return back_to("/", "released")


def _shown(
    request: Request,
    runtime: Runtime,
    rendering: Rendering,
    is_delivered: bool,
    *,
    problem: Refusal | None = None,
) -> Response:
    now = runtime.clock.now()
    found = runtime.store.overview(
        now=now, failed_since=now - FAILURES_WITHIN, next_limit=_NEXT, most=MOST_COUNTED
    )
    holds = runtime.operations.holds()
    oldest, upcoming = found.oldest_due_at, runtime.lookup.listed(found.next)
    lag = timedelta() if oldest is None else max(timedelta(), now - oldest)
    failed_since, due = now - FAILURES_WITHIN, sum(each.due for each in found.backlog)
    return rendering.page(
        request,
        "overview.html",
        here="/",
        status=200 if problem is None else status_of(problem),
        problem=problem,
        counts={status.value: _counted(found.counts.get(status, 0)) for status in Status},
        lag="none" if lag < timedelta(seconds=1) else span_text(lag.total_seconds()),
        is_late=lag > _LATE,
        is_delivered=is_delivered,
        due=due,
        due_text=_counted(due),
        held=holds.pop(ALL, None),
        troubles=runtime.lookup.troubles(),
        holds=holds,
        backlog=[_waiting(each, now) for each in found.backlog],
        failures=[
            {
                "integration": each.integration,
                "reason": each.reason,
                "count": each.count,
                "link": link(
                    now,
                    status=Status.FAILED,
                    integration=each.integration,
                    reason=each.reason,
                    failed_since=failed_since,
                ),
            }
            for each in found.failures
        ],
        due_link=link(now, status=Status.PENDING, due_until=now + _TICK),
        schedules=_schedules(runtime, now),
        trend=trend_of(runtime.store.ended_by_hour(since=now - 2 * FAILURES_WITHIN, most=MOST), now=now),
        rows=rows_of(upcoming, now),
        picture=picture_of(upcoming, now),
    )


def _counted(count: int) -> str:
    """A number of executions, which were counted up to MOST_COUNTED of each kind."""
    return f"{count:,}" if count < MOST_COUNTED else f"{count:,} or more"


def _waiting(backlog: Backlog, now: datetime) -> dict[str, Any]:
    return {
        "integration": backlog.integration,
        "pending": _counted(backlog.pending),
        "due": _counted(backlog.due),
        "due_link": link(now, status=Status.PENDING, integration=backlog.integration, due_until=now + _TICK),
        "first_at": backlog.first_due_at.isoformat(),
        "first": relative(backlog.first_due_at, now),
    }


def _schedules(runtime: Runtime, now: datetime) -> list[dict[str, Any]]:
    """The recurring schedules that come next, the earliest first."""
    coming = [(each.next_at, each) for each in runtime.recurring.list() if each.next_at is not None]
    coming.sort(key=lambda pair: pair[0])
    return [
        {
            "name": each.name,
            "integration": each.integration,
            "at": next_at.isoformat(),
            "relative": relative(next_at, now),
        }
        for next_at, each in coming[:_NEXT]
    ]
