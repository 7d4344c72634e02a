"""The pages of integrations: all of them, one with its outcomes, test call and pause, and its settings."""

import json
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import Response

from experience_runtime.domain.admission import Policy
from experience_runtime.domain.errors import (
    ExperienceError,
    InvalidParameter,
    NotConfigured,
    Refusal,
    UnknownIntegration,
)
from experience_runtime.domain.executions import Filter
from experience_runtime.runtime import Runtime
from experience_runtime.web.guard.access import signed_in
from experience_runtime.web.guard.login import own_form
from experience_runtime.web.guard.problems import status_of
from experience_runtime.web.pages.forms import read_json
from experience_runtime.web.pages.refusals import HtmlRoute
from experience_runtime.web.pages.rendering import Rendering, back_to
from experience_runtime.web.pages.rows import picture_of, rows_of

HERE = "/settings/integrations"
_OUTCOMES = 25
_EXAMPLES: dict[str, Any] = {
    "slack-update": {"message": "Hello!"},
    "webhook": {"body": {"message": "Hello!"}},
    "broadcast": {"flow_id": "welcome"},
}


def make_router(runtime: Runtime, rendering: Rendering) -> APIRouter:
    router = APIRouter(route_class=HtmlRoute, include_in_schema=False, dependencies=[signed_in()])
    writes = [Depends(own_form)]

    @router.get(HERE)
    def integrations(request: Request) -> Response:
        holds = runtime.operations.holds()
        found = runtime.integrations.describe()
        schedules = runtime.recurring.list()
        return rendering.page(
            request,
            "integrations.html",
            here=HERE,
            integrations=[
                {
                    "name": each.name,
                    "source": each.source,
                    "configured": each.configured,
                    "why": None if each.why is None else runtime.settings.redact(each.why),
                    "held": _shown(runtime, holds.get(each.name)),
                    "schedules": sum(schedule.integration == each.name for schedule in schedules),
                }
                for each in found
            ],
        )

    @router.get(HERE + "/{name}")
    def integration(request: Request, name: str) -> Response:
        return shown(request, name)

    @router.post(HERE + "/{name}/pause", dependencies=writes)
    def pause(request: Request, name: str, reason: Annotated[str, Form()] = "") -> Response:
        try:
            runtime.operations.pause(name, reason=reason.strip() or None)
        except UnknownIntegration:
            raise
        except Refusal as refusal:
            return shown(request, name, paused=refusal, reason=reason)
        return back_to(path_of(name), "paused")

    @router.post(HERE + "/{name}/resume", dependencies=writes)
    def resume(request: Request, name: str) -> Response:
        try:
            runtime.operations.resume(name)
        except Refusal as refusal:
            return shown(request, name, paused=refusal)
        return back_to(path_of(name), "resumed")

    @router.post(HERE + "/{name}/call", dependencies=writes)
    def call(request: Request, name: str, payload: Annotated[str, Form()] = "") -> Response:
        try:
            execution = runtime.scheduler.begin_execute(
                name, read_json(payload), key=None, visitor=None, experience=None
            )
            runtime.dispatcher.call_now(execution)
        except UnknownIntegration:
            raise
        except ExperienceError as error:
            return shown(request, name, called=error, payload=payload)
        return back_to(path_of(name), "called")

    def shown(
        request: Request,
        name: str,
        *,
        paused: ExperienceError | None = None,
        called: ExperienceError | None = None,
        reason: str = "",
        payload: str = "",
    ) -> Response:
        found = description_of(runtime, name)
        now, redact = runtime.clock.now(), runtime.settings.redact
        page = runtime.store.find(Filter(integration=name), limit=_OUTCOMES)
        state = runtime.store.integration_states.of(name)
        problem = paused or called
        return rendering.page(
            request,
            "integration.html",
            here=HERE,
            tab="integration",
            status=200 if problem is None else status_of(problem),
            name=name,
            found=found,
            held=_shown(runtime, runtime.operations.holds().get(name)),
            is_held=state.paused_at is not None or state.opened_at is not None,
            is_paused=state.paused_at is not None,
            policy=_policy_words(runtime.policies.of(name)),
            paused=paused,
            called=called,
            reason=reason,
            payload=payload or example_of(name),
            rows=rows_of(
                page.executions, runtime.operations.waits_because(page.executions), redact=redact, now=now
            ),
            picture=picture_of(page.executions, now),
            has_more=page.next is not None,
        )

    @router.get(HERE + "/{name}/settings")
    def settings(request: Request, name: str) -> Response:
        return rendering.page(
            request,
            "integration_settings.html",
            here=HERE,
            tab="settings",
            name=name,
            found=description_of(runtime, name),
            settings=_settings(runtime, name),
            config=str(runtime.settings.config or "experience.toml"),
            policy=_policy_words(runtime.policies.of(name)),
        )

    return router


def example_of(name: str) -> str:
    """A payload to begin with; what an integration takes is its own affair."""
    return json.dumps(_EXAMPLES.get(name, {}), indent=2)


def path_of(name: str) -> str:
    return f"{HERE}/{quote(name, safe='')}"


def description_of(runtime: Runtime, name: str) -> dict[str, Any]:
    """What the registry says of an integration. UnknownIntegration when nothing is registered so."""
    app_integrations = runtime.integrations
    if name not in app_integrations.names():
        app_integrations.get(name)
    found = next(each for each in app_integrations.describe() if each.name == name)
    why = None if found.why is None else runtime.settings.redact(found.why)
    return {"source": found.source, "configured": found.configured, "why": why}


def _settings(runtime: Runtime, name: str) -> list[dict[str, Any]]:
    """Each setting by name, and whether it is set; never a value."""
    try:
        model = runtime.integrations.get(name).settings
    except (InvalidParameter, NotConfigured):
        model = None
    given, missing = runtime.settings.integration(name), runtime.settings.missing_of(name)
    fields = {} if model is None else model.model_fields
    rows = [
        {
            "name": field,
            "is_set": field in given,
            "is_required": spec.is_required(),
            "variable": missing.get(field),
            "is_known": True,
        }
        for field, spec in fields.items()
    ]
    unknown = [field for field in given if field not in fields]
    return rows + [
        {"name": field, "is_set": True, "is_required": False, "variable": None, "is_known": False}
        for field in unknown
    ]


def _policy_words(policy: Policy) -> list[tuple[str, str]]:
    words = [
        (
            "Calls at a time",
            "its share of the worker's" if policy.concurrency is None else str(policy.concurrency),
        ),
        (
            "Rate",
            "no limit" if policy.rate_count is None else f"{policy.rate_count} in {policy.rate_seconds} s",
        ),
    ]
    breaker = (
        f"opens after {policy.breaker_failures} failures in a row, for {policy.breaker_seconds} s"
        if policy.breaker_failures
        else "none"
    )
    return [*words, ("Circuit breaker", breaker)]


def _shown(runtime: Runtime, text: str | None) -> str | None:
    return None if text is None else runtime.settings.redact(text)
