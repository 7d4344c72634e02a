"""The pages of executions: the list with its picture, and one with all that happened to it."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import Response

from experience_runtime.domain.access import Scope
from experience_runtime.domain.errors import ExperienceError, Forbidden, Refusal, UnknownExecution
from experience_runtime.domain.executions import Filter, Status, execution_number
from experience_runtime.domain.zones import UTC
from experience_runtime.runtime import Runtime
from experience_runtime.web.guard.access import caller_of, signed_in
from experience_runtime.web.guard.login import own_form
from experience_runtime.web.guard.problems import status_of
from experience_runtime.web.pages.forms import Wanted
from experience_runtime.web.pages.refusals import HtmlRoute
from experience_runtime.web.pages.rendering import Rendering, back_to
from experience_runtime.web.pages.rows import attempts_of, changes_of, picture_of, row_of, rows_of

HERE = "/executions"
PAGE = 50


def make_router(runtime: Runtime, rendering: Rendering) -> APIRouter:
    router = APIRouter(route_class=HtmlRoute, include_in_schema=False, dependencies=[signed_in(Scope.AUTHOR)])
    writes = [signed_in(), Depends(own_form)]
    redact = runtime.settings.redact

    @router.get(HERE)
    def executions(request: Request, wanted: Annotated[Wanted, Query()]) -> Response:
        if is_id(wanted.q.strip()):
            return back_to(f"{HERE}/{wanted.q.strip()}")
        now, problem, filter, caller = runtime.clock.now(), None, Filter(), caller_of(request)
        try:
            filter = wanted.filter(now=now)
            page = runtime.store.find(filter, cursor=wanted.cursor or None, limit=PAGE)
        except Refusal as refusal:
            problem, page = refusal, None
        found = [] if page is None else [each for each in page.executions if caller.may_see(each)]
        held = runtime.operations.waits_because(found)
        return rendering.page(
            request,
            "executions.html",
            here=HERE,
            status=200 if problem is None else status_of(problem),
            problem=problem,
            wanted=wanted,
            since=_field(filter, "created_from"),
            until=_field(filter, "created_until"),
            states=[status.value for status in Status],
            integrations=integration_names(runtime),
            rows=rows_of(found, held, redact=redact, now=now),
            picture=picture_of(found, now),
            next=None if page is None else page.next,
            page_size=PAGE,
        )

    @router.get(HERE + "/{execution_id}")
    def execution(request: Request, execution_id: str) -> Response:
        return shown(request, execution_id)

    @router.post(HERE + "/{execution_id}/cancel", dependencies=writes)
    def cancel(request: Request, execution_id: str, reason: Annotated[str, Form()] = "") -> Response:
        try:
            runtime.scheduler.cancel_execution(execution_id, reason=reason.strip() or None)
        except UnknownExecution:
            raise
        except Refusal as refusal:
            return shown(request, execution_id, refusal, reason)
        return back_to(f"{HERE}/{execution_id}", "cancelled")

    @router.post(HERE + "/{execution_id}/replay", dependencies=writes)
    def replay(request: Request, execution_id: str, reason: Annotated[str, Form()] = "") -> Response:
        try:
            runtime.scheduler.replay(execution_id, reason=reason.strip() or "replayed")
        except UnknownExecution:
            raise
        except Refusal as refusal:
            return shown(request, execution_id, refusal, reason)
        return back_to(f"{HERE}/{execution_id}", "replayed")

    def shown(
        request: Request, execution_id: str, problem: ExperienceError | None = None, reason: str = ""
    ) -> Response:
        number = execution_number(execution_id)
        found = runtime.store.execution(number)
        if not caller_of(request).may_see(found):
            raise Forbidden(f"{execution_id} was made by no experience; this needs operator")
        held = runtime.operations.waits_because([found])
        return rendering.page(
            request,
            "execution.html",
            here=HERE,
            status=200 if problem is None else status_of(problem),
            problem=problem,
            reason=reason,
            row=row_of(found, held.get(found.id), redact=redact, now=runtime.clock.now()),
            changes=changes_of(runtime.store.history(number), redact=redact),
            attempts=attempts_of(runtime.store.attempts(number), redact=redact),
        )

    return router


def integration_names(runtime: Runtime) -> list[str]:
    """The names to choose from; none when the folder of integrations cannot be read."""
    try:
        return list(runtime.integrations.names())
    except ExperienceError:
        return []


def is_id(text: str) -> bool:
    try:
        execution_number(text)
    except UnknownExecution:
        return False
    return True


def _field(filter: Filter, name: str) -> str:
    """An instant as a field of the form takes it, in UTC."""
    at = getattr(filter, name)
    return "" if at is None else f"{UTC.local(at):%Y-%m-%dT%H:%M}"
