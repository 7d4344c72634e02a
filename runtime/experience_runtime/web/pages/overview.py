"""The overview: how everything stands, and what runs next."""

from collections.abc import Callable
from datetime import timedelta

from fastapi import APIRouter, Request
from fastapi.responses import Response

from experience_runtime.domain.access import Scope
from experience_runtime.domain.executions import Status
from experience_runtime.runtime import Runtime
from experience_runtime.web.guard.access import caller_of, signed_in
from experience_runtime.web.pages.refusals import HtmlRoute
from experience_runtime.web.pages.rendering import Rendering, back_to
from experience_runtime.web.pages.rows import picture_of, rows_of
from experience_runtime.web.pages.timeline import span_text
from experience_runtime.web.pages.wording import relative

FAILURES_WITHIN = timedelta(days=1)
_NEXT = 10
_LATE = timedelta(seconds=60)


def make_router(runtime: Runtime, rendering: Rendering, is_delivered: Callable[[], bool]) -> APIRouter:
    router = APIRouter(route_class=HtmlRoute, include_in_schema=False, dependencies=[signed_in(Scope.AUTHOR)])

    @router.get("/")
    def overview(request: Request) -> Response:
        if not caller_of(request).is_operator:
            return back_to("/playground")
        now = runtime.clock.now()
        found = runtime.store.overview(now=now, failed_since=now - FAILURES_WITHIN, next_limit=_NEXT)
        oldest, holds = found.oldest_due_at, runtime.operations.holds()
        lag = timedelta() if oldest is None else max(timedelta(), now - oldest)
        return rendering.page(
            request,
            "overview.html",
            here="/",
            counts={status.value: found.counts.get(status, 0) for status in Status},
            lag="none" if lag < timedelta(seconds=1) else span_text(lag.total_seconds()),
            is_late=lag > _LATE,
            is_delivered=is_delivered(),
            due=sum(each.due for each in found.backlog),
            holds={name: runtime.settings.redact(why) for name, why in holds.items()},
            backlog=[
                {
                    "integration": each.integration,
                    "pending": each.pending,
                    "due": each.due,
                    "first_at": each.first_due_at.isoformat(),
                    "first": relative(each.first_due_at, now),
                }
                for each in found.backlog
            ],
            failures=[
                {"integration": each.integration, "reason": each.reason, "count": each.count}
                for each in found.failures
            ],
            schedules=[
                {
                    "name": each.name,
                    "integration": each.integration,
                    "at": each.next_at.isoformat(),
                    "relative": relative(each.next_at, now),
                }
                for each in sorted(
                    (each for each in runtime.recurring.list() if each.next_at is not None),
                    key=lambda each: each.next_at or now,
                )[:_NEXT]
                if each.next_at is not None
            ],
            rows=rows_of(
                found.next,
                runtime.operations.waits_because(found.next),
                redact=runtime.settings.redact,
                now=now,
            ),
            picture=picture_of(found.next, now),
        )

    return router
