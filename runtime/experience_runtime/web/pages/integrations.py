"""The pages of integrations: all of them, and one with its outcomes, test call and pause."""

from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import Response

from experience_runtime.domain.access import Right
from experience_runtime.domain.errors import ExperienceError, Refusal, UnknownIntegration
from experience_runtime.domain.executions import Filter
from experience_runtime.domain.payloads import read_json
from experience_runtime.runtime import Runtime
from experience_runtime.web.given import GivenRuntime
from experience_runtime.web.guard.access import signed_in
from experience_runtime.web.guard.login import own_form
from experience_runtime.web.guard.problems import status_of
from experience_runtime.web.pages.refusals import HtmlRoute
from experience_runtime.web.pages.rendering import GivenRendering, Rendering, back_to
from experience_runtime.web.pages.rows import picture_of, rows_of

HERE = "/settings/integrations"
_OUTCOMES = 25
router = APIRouter(route_class=HtmlRoute, include_in_schema=False, dependencies=[signed_in(Right.READ)])
_WRITES = [signed_in(Right.CHANGE), Depends(own_form)]


@router.get(HERE)
def integrations(request: Request, runtime: GivenRuntime, rendering: GivenRendering) -> Response:
    changed = changed_on_disk(runtime)
    return rendering.page(
        request,
        "integrations.html",
        here=HERE,
        changed=changed,
        troubles=runtime.lookup.troubles(),
        **runtime.lookup.integrations(),
    )


@router.get(HERE + "/{name}")
def integration(request: Request, name: str, runtime: GivenRuntime, rendering: GivenRendering) -> Response:
    return _shown(request, name, runtime, rendering)


@router.post(HERE + "/{name}/pause", dependencies=_WRITES)
def pause(
    request: Request,
    name: str,
    runtime: GivenRuntime,
    rendering: GivenRendering,
    reason: Annotated[str, Form()] = "",
) -> Response:
    try:
        runtime.operations.pause(name, reason=reason.strip() or None)
    except UnknownIntegration:
        raise
    except Refusal as refusal:
        return _shown(request, name, runtime, rendering, paused=refusal, reason=reason)
    return back_to(path_of(name), "paused")


@router.post(HERE + "/{name}/resume", dependencies=_WRITES)
def resume(request: Request, name: str, runtime: GivenRuntime, rendering: GivenRendering) -> Response:
    try:
        runtime.operations.resume(name)
    except Refusal as refusal:
        return _shown(request, name, runtime, rendering, paused=refusal)
    return back_to(path_of(name), "resumed")


@router.post(HERE + "/{name}/call", dependencies=[signed_in(Right.CALL), Depends(own_form)])
def call(
    request: Request,
    name: str,
    runtime: GivenRuntime,
    rendering: GivenRendering,
    payload: Annotated[str, Form()] = "",
) -> Response:
    try:
        execution = runtime.scheduler.begin_execute(
            name, read_json(payload), key=None, visitor=None, experience=None
        )
    except UnknownIntegration:
        raise
    except Refusal as refusal:
        return _shown(request, name, runtime, rendering, called=refusal, payload=payload)
    asked = {"execution": execution.id}
    runtime.store.audit.record("integration", "call", object=name, at=runtime.clock.now(), after=asked)
    try:
        runtime.dispatcher.call_now(execution)
    except ExperienceError as error:  # it is made: nobody is to be told that nothing was stored
        return _shown(request, name, runtime, rendering, called=error, payload=payload)
    return back_to(path_of(name), "called")


def _shown(
    request: Request,
    name: str,
    runtime: Runtime,
    rendering: Rendering,
    *,
    paused: ExperienceError | None = None,
    called: ExperienceError | None = None,
    reason: str = "",
    payload: str = "",
) -> Response:
    found, now = runtime.lookup.integration(name), runtime.clock.now()
    page = runtime.lookup.executions(Filter(integration=name), limit=_OUTCOMES)
    problem = paused or called
    return rendering.page(
        request,
        "integration.html",
        here=HERE,
        tab="integration",
        status=200 if problem is None else status_of(problem),
        name=name,
        found=found,
        troubles=runtime.lookup.troubles().get(name, []),
        is_held=found["paused_at"] is not None or found["breaker_opened_at"] is not None,
        policy=policy_words(found["policy"]),
        paused=paused,
        called=called,
        reason=reason,
        payload=payload or runtime.integrations.example(name),
        rows=rows_of(page["executions"], now),
        picture=picture_of(page["executions"], now),
        has_more=page["next"] is not None,
        audit=runtime.lookup.audit.of("integration", name),
    )


def changed_on_disk(runtime: Runtime) -> str:
    """The files that are others than when this process read them."""
    return ", ".join([] if runtime.on_disk is None else runtime.on_disk.changed())


def path_of(name: str) -> str:
    return f"{HERE}/{quote(name, safe='')}"


def policy_words(policy: Mapping[str, Any]) -> list[tuple[str, str]]:
    """How an integration may be called, in pairs of a term and words."""
    concurrency, rate, breaker = policy["concurrency"], policy["rate"], policy["breaker"]
    return [
        ("Calls at a time", "its share of the worker's" if concurrency is None else str(concurrency)),
        ("Rate", "no limit" if rate is None else f"{rate['count']} in {rate['seconds']} s"),
        (
            "Circuit breaker",
            "none"
            if breaker is None
            else f"opens after {breaker['failures']} failures in a row, for {breaker['seconds']} s",
        ),
    ]
