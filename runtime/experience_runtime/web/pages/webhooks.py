"""The page of webhooks: which programs are told of what, how that goes, and a test."""

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from experience_runtime.domain.access import Right
from experience_runtime.domain.errors import (
    CallFailed,
    ExperienceError,
    NotConfigured,
    Refusal,
    UnknownIntegration,
)
from experience_runtime.domain.state_changes import STATE_CHANGES
from experience_runtime.domain.values import shown
from experience_runtime.plugins.http import Outbound
from experience_runtime.runtime import Runtime
from experience_runtime.runtime.webhooks import LOOKED_AT, call_to_test, webhook_documents
from experience_runtime.web.given import GivenRuntime
from experience_runtime.web.guard.access import signed_in
from experience_runtime.web.guard.login import own_form
from experience_runtime.web.guard.problems import status_of
from experience_runtime.web.pages.refusals import HtmlRoute
from experience_runtime.web.pages.rendering import GivenRendering, Rendering, back_to

HERE = "/settings/webhooks"
router = APIRouter(route_class=HtmlRoute, include_in_schema=False, dependencies=[signed_in(Right.READ)])


@router.get(HERE)
def webhooks(request: Request, runtime: GivenRuntime, rendering: GivenRendering) -> Response:
    return _page(request, runtime, rendering)


@router.post(HERE + "/{name}/test", dependencies=[signed_in(Right.CALL), Depends(own_form)])
def test(request: Request, name: str, runtime: GivenRuntime, rendering: GivenRendering) -> Response:
    webhook = next((each for each in runtime.settings.webhooks if each.name == name), None)
    if webhook is None:
        raise UnknownIntegration(f"there is no webhook {shown(name)}; there are those of the page before")
    http = Outbound(now=runtime.clock.now, allow_private=runtime.settings.allow_private)
    try:
        outcome = call_to_test(runtime, webhook, http)
    finally:
        http.close()
    if outcome.code is None:
        return back_to(HERE, "webhook-told")
    failed = CallFailed(f"{name} did not take the event: {outcome.error}")
    return _page(request, runtime, rendering, tested=name, problem=outcome.refusal or failed)


def _page(
    request: Request,
    runtime: Runtime,
    rendering: Rendering,
    *,
    tested: str = "",
    problem: ExperienceError | None = None,
) -> Response:
    unconfigured: Refusal | None = None
    try:
        if runtime.settings.webhooks:
            runtime.integrations.settings(STATE_CHANGES)
    except NotConfigured as refusal:
        unconfigured = refusal
    return rendering.page(
        request,
        "webhooks.html",
        here="/settings/integrations",
        status=200 if problem is None else status_of(problem),
        webhooks=webhook_documents(runtime),
        looked_at=LOOKED_AT,
        unconfigured=unconfigured,
        tested=tested,
        problem=problem,
    )
