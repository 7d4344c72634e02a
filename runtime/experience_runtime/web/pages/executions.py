"""The pages of executions: the list with its picture, and one with all that happened to it."""

import json
from collections.abc import Callable, Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import Response

from experience_runtime.domain.access import Right
from experience_runtime.domain.errors import ExperienceError, Refusal, UnknownExecution
from experience_runtime.domain.executions import Filter, Status, execution_number
from experience_runtime.domain.payloads import read_json
from experience_runtime.domain.zones import UTC
from experience_runtime.engine.lookup import MOST_WALKED
from experience_runtime.engine.operations import fitting_verbs
from experience_runtime.runtime import Runtime
from experience_runtime.web.given import GivenRuntime
from experience_runtime.web.guard.access import caller_of, signed_in
from experience_runtime.web.guard.login import own_form
from experience_runtime.web.guard.problems import status_of
from experience_runtime.web.pages.refusals import HtmlRoute
from experience_runtime.web.pages.rendering import GivenRendering, back_to
from experience_runtime.web.pages.rows import attempts_of, picture_of, row_of, rows_of
from experience_runtime.web.pages.wanted import GivenWanted, moment_fields

HERE = "/executions"
PAGE = 50
MOST_COUNTED = 10_000


router = APIRouter(route_class=HtmlRoute, include_in_schema=False, dependencies=[signed_in(Right.READ_RUNS)])
_WRITES = [signed_in(Right.CHANGE), Depends(own_form)]


class _Page:
    """The page of one execution, and what is done from it."""

    def __init__(
        self, request: Request, execution_id: str, runtime: GivenRuntime, rendering: GivenRendering
    ) -> None:
        self.id = execution_id
        self._request = request
        self._runtime = runtime
        self._rendering = rendering

    def acted(
        self,
        act: Callable[[], object],
        said: str,
        *,
        reason: str,
        time: str | None = None,
        payload: str | None = None,
    ) -> Response:
        """Act, and come back with a note; what is refused is told over what was typed."""
        try:
            act()
        except UnknownExecution:
            raise
        except Refusal as refusal:
            return self.shown(problem=refusal, reason=reason, time=time, payload=payload)
        return back_to(f"{HERE}/{self.id}", said)

    def shown(
        self,
        *,
        problem: ExperienceError | None = None,
        reason: str = "",
        time: str | None = None,
        payload: str | None = None,
    ) -> Response:
        """`payload`: what was typed for another one, if it was."""
        found = caller_of(self._request).require_visible(self.id, self._runtime.lookup.execution)
        return self._rendering.page(
            self._request,
            "execution.html",
            here=HERE,
            status=200 if problem is None else status_of(problem),
            problem=problem,
            reason=reason,
            time=found["due_at"][:16] if time is None else time,
            row=row_of(found, self._runtime.clock.now()),
            payload=payload,
            is_whole=self._is_whole(found),
            changes=found["history"],
            attempts=attempts_of(found["attempts"]),
        )

    def _is_whole(self, found: Mapping[str, Any]) -> bool:
        """Whether the payload is shown as it is: what stands for a secret is never to be sent instead."""
        stored = self._runtime.store.execution(execution_number(self.id)).payload
        return bool(found["payload"] == json.loads(stored))


GivenPage = Annotated[_Page, Depends()]


@router.get(HERE)
def executions(
    request: Request, wanted: GivenWanted, runtime: GivenRuntime, rendering: GivenRendering
) -> Response:
    if is_id(wanted["text"]):
        return back_to(f"{HERE}/{wanted['text']}")
    now, problem, filter, zone, total = runtime.clock.now(), None, Filter(), UTC, None
    page: dict[str, Any] = {"executions": [], "next": None, "searched_to": None}
    try:
        filter, zone = wanted.filter(now=now), wanted.zone
        caller, cursor = caller_of(request), wanted["cursor"] or None
        seen = caller.visible(filter)
        with caller.looking(request):
            page = runtime.lookup.executions(seen, sort=wanted.sort, cursor=cursor, limit=PAGE)
            total = _total(runtime, seen, page, is_first=cursor is None)
    except Refusal as refusal:
        problem = refusal
    return rendering.page(
        request,
        "executions.html",
        here=HERE,
        status=200 if problem is None else status_of(problem),
        problem=problem,
        wanted=wanted,
        moments=moment_fields(filter, zone),
        total=total,
        states=[status.value for status in Status],
        verbs=fitting_verbs(filter),
        integrations=integration_names(runtime),
        rows=rows_of(page["executions"], now, zone),
        picture=picture_of(page["executions"], now),
        next=page["next"],
        searched_to=page["searched_to"],
        page_size=PAGE,
    )


@router.get(HERE + "/{execution_id}")
def execution(page: GivenPage) -> Response:
    return page.shown()


@router.post(HERE + "/{execution_id}/cancel", dependencies=_WRITES)
def cancel(
    page: GivenPage,
    runtime: GivenRuntime,
    reason: Annotated[str, Form()] = "",
) -> Response:
    return page.acted(
        lambda: runtime.scheduler.cancel_execution(page.id, reason=reason.strip() or None),
        "cancelled",
        reason=reason,
    )


@router.post(HERE + "/{execution_id}/replay", dependencies=_WRITES)
def replay(
    page: GivenPage,
    runtime: GivenRuntime,
    reason: Annotated[str, Form()] = "",
    payload: Annotated[str | None, Form()] = None,
) -> Response:
    why = reason.strip() or "replayed"
    if payload is None:
        return page.acted(lambda: runtime.scheduler.replay(page.id, reason=why), "replayed", reason=reason)
    return page.acted(
        lambda: runtime.operations.replay_with(page.id, read_json(payload), reason=why),
        "replayed",
        reason=reason,
        payload=payload,
    )


@router.post(HERE + "/{execution_id}/restore", dependencies=_WRITES)
def restore(
    page: GivenPage,
    runtime: GivenRuntime,
    reason: Annotated[str, Form()] = "",
) -> Response:
    return page.acted(
        lambda: runtime.operations.restore(page.id, reason=reason.strip() or "restored"),
        "restored",
        reason=reason,
    )


@router.post(HERE + "/{execution_id}/move", dependencies=_WRITES)
def move(
    page: GivenPage,
    runtime: GivenRuntime,
    time: Annotated[str, Form()] = "",
    reason: Annotated[str, Form()] = "",
) -> Response:
    return page.acted(
        lambda: runtime.operations.move(page.id, {"time": time or None}, reason=reason.strip() or None),
        "moved",
        time=time,
        reason=reason,
    )


@router.post(HERE + "/{execution_id}/run", dependencies=_WRITES)
def run_now(
    page: GivenPage,
    runtime: GivenRuntime,
    reason: Annotated[str, Form()] = "",
) -> Response:
    return page.acted(
        lambda: runtime.operations.run_now(page.id, reason=reason.strip() or None), "run-now", reason=reason
    )


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


def _total(runtime: Runtime, seen: Filter, page: dict[str, Any], *, is_first: bool) -> str | None:
    """How many there are, for people; None where only reading what is stored would tell."""
    if is_first and page["next"] is None:
        return str(len(page["executions"]))
    if seen.text is not None or seen.payload is not None:
        return None
    count, is_all = runtime.store.count_up_to(seen, MOST_COUNTED, walks=MOST_WALKED)
    if is_all:
        return f"{count:,}"
    return f"{count:,} or more" if count > len(page["executions"]) else None
