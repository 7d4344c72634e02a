"""The pages that act on the executions somebody has chosen in a list: asked first, then told one by one."""

from collections.abc import Callable
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import Response

from experience_runtime.domain.access import Right
from experience_runtime.domain.errors import ExperienceError, InvalidParameter, Refusal, UnknownExecution
from experience_runtime.domain.executions import execution_number
from experience_runtime.domain.instants import iso
from experience_runtime.domain.planning import check_reason
from experience_runtime.runtime import Runtime
from experience_runtime.web.given import GivenRuntime
from experience_runtime.web.guard.access import signed_in
from experience_runtime.web.guard.login import own_form
from experience_runtime.web.guard.problems import status_of
from experience_runtime.web.pages.refusals import HtmlRoute
from experience_runtime.web.pages.rendering import GivenRendering, Rendering, back_to
from experience_runtime.web.pages.rows import rows_of
from experience_runtime.web.pages.wanted import read_query

HERE = "/executions"
MOST = 100
"""More than a page of the list shows."""

Verb = Literal["cancel", "replay", "restore", "move"]
_DONE = {"cancel": "cancelled", "replay": "replayed", "restore": "restored", "move": "moved"}
_MAY = {"cancel": "can_cancel", "replay": "can_replay", "restore": "can_restore", "move": "can_cancel"}

router = APIRouter(route_class=HtmlRoute, include_in_schema=False, dependencies=[signed_in(Right.CHANGE)])


@router.get(HERE + "/selected/{verb}")
def ask(
    request: Request,
    verb: Verb,
    runtime: GivenRuntime,
    rendering: GivenRendering,
    id: Annotated[list[str], Query()] = [],  # noqa: B006 - FastAPI copies it
    query: Annotated[str, Query(max_length=8000)] = "",
) -> Response:
    return _asked(request, verb, id, query, runtime, rendering)


@router.post(HERE + "/selected/{verb}", dependencies=[Depends(own_form)])
def act(
    request: Request,
    verb: Verb,
    runtime: GivenRuntime,
    rendering: GivenRendering,
    id: Annotated[list[str], Form()] = [],  # noqa: B006 - FastAPI copies it
    query: Annotated[str, Form()] = "",
    reason: Annotated[str, Form()] = "",
    time: Annotated[str, Form()] = "",
) -> Response:
    given: dict[str, Any] = {"reason": reason, "time": time}
    try:
        why = check_reason(reason.strip() or None)
        ids = _some(id)
        if verb == "move" and not time:
            raise InvalidParameter("no time says when they are to run; write one")
    except Refusal as refusal:
        return _asked(request, verb, id, query, runtime, rendering, problem=refusal, **given)
    # a form that is sent twice finds those that it changed in another state, or as they were made since
    done, refused = _each(ids, _act_of(runtime, verb, why, time))
    if not done and refused:
        return _asked(request, verb, id, query, runtime, rendering, problem=refused[0][1], **given)
    if not refused:
        return back_to(_list_of(query), f"selected-{_DONE[verb]}")
    return rendering.page(
        request,
        "selected_done.html",
        here=HERE,
        verb=verb,
        did_what=_DONE[verb],
        done=done,
        refused=[{"id": each, "code": error.code, "message": error.message} for each, error in refused],
        query=read_query(query).query,
    )


def _act_of(runtime: Runtime, verb: Verb, reason: str | None, time: str) -> Callable[[str], object]:
    match verb:
        case "cancel":
            return lambda id: runtime.scheduler.cancel_execution(id, reason=reason)
        case "replay":
            return lambda id: runtime.scheduler.replay(id, reason=reason or "replayed")
        case "restore":
            return lambda id: runtime.operations.restore(id, reason=reason or "restored")
    return lambda id: runtime.operations.move(id, {"time": time}, reason=reason)


def _each(
    ids: list[str], act: Callable[[str], object]
) -> tuple[list[str], list[tuple[str, ExperienceError]]]:
    done: list[str] = []
    refused: list[tuple[str, ExperienceError]] = []
    for id in ids:
        try:
            act(id)
        except Refusal as refusal:
            refused.append((id, refusal))
        else:
            done.append(id)
    return done, refused


def _some(ids: list[str]) -> list[str]:
    """Each once. Raises InvalidParameter for none and for too many."""
    chosen = list(dict.fromkeys(ids))
    if not chosen:
        raise InvalidParameter("no execution is chosen; tick those that are meant, in the list")
    if len(chosen) > MOST:
        raise InvalidParameter(f"{len(chosen)} executions are chosen, at most {MOST}; use a filter for more")
    return chosen


def _list_of(query: str) -> str:
    words = read_query(query).query
    return f"{HERE}?{words}" if words else HERE


def _asked(
    request: Request,
    verb: Verb,
    ids: list[str],
    query: str,
    runtime: Runtime,
    rendering: Rendering,
    *,
    problem: ExperienceError | None = None,
    reason: str = "",
    time: str = "",
) -> Response:
    rows, now = [], runtime.clock.now()
    try:
        chosen = [runtime.store.execution(execution_number(each)) for each in _some(ids)]
        rows = rows_of(runtime.lookup.listed(chosen), now)
    except UnknownExecution as refusal:
        problem = problem or refusal
    except Refusal as refusal:
        problem = problem or refusal
    ready = [each for each in rows if each[_MAY[verb]]]
    return rendering.page(
        request,
        "selected.html",
        here=HERE,
        status=200 if problem is None else status_of(problem),
        problem=problem,
        verb=verb,
        did_what=_DONE[verb],
        rows=rows,
        ready=ready,
        reason=reason,
        time=time or iso(now)[:16],
        query=read_query(query).query,
    )
