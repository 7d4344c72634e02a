"""The page of the settings of an integration: where they stand, and a form where they may be typed."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import Response

from experience_runtime.domain.access import Right
from experience_runtime.domain.errors import Conflict, NotConfigured, Refusal, UnknownIntegration
from experience_runtime.domain.executions import Filter, Status
from experience_runtime.runtime import Runtime
from experience_runtime.runtime.integration_settings import (
    WrongSettings,
    change_settings,
    typed_settings,
    where_settings_stand,
)
from experience_runtime.web.given import GivenRuntime
from experience_runtime.web.guard.access import signed_in
from experience_runtime.web.guard.login import own_form
from experience_runtime.web.guard.problems import status_of
from experience_runtime.web.pages.integrations import HERE, changed_on_disk, path_of, policy_words
from experience_runtime.web.pages.refusals import HtmlRoute
from experience_runtime.web.pages.rendering import GivenRendering, Rendering, back_to

_TYPED, _REMOVED = "set.", "remove."
router = APIRouter(route_class=HtmlRoute, include_in_schema=False, dependencies=[signed_in(Right.READ)])


async def _texts(request: Request) -> dict[str, str]:
    return {name: value for name, value in (await request.form()).items() if isinstance(value, str)}


@router.get(HERE + "/{name}/settings")
def settings(request: Request, name: str, runtime: GivenRuntime, rendering: GivenRendering) -> Response:
    return _page(request, name, runtime, rendering)


@router.post(HERE + "/{name}/settings", dependencies=[signed_in(Right.CHANGE), Depends(own_form)])
def save(
    request: Request,
    name: str,
    runtime: GivenRuntime,
    rendering: GivenRendering,
    texts: Annotated[dict[str, str], Depends(_texts)],
    version: Annotated[str, Form(pattern="^[0-9]{1,18}$")],
) -> Response:
    typed = {
        key.removeprefix(_TYPED): text
        for key, text in texts.items()
        if key.startswith(_TYPED) and text.strip()
    }
    removed = [key.removeprefix(_REMOVED) for key in texts if key.startswith(_REMOVED)]
    try:
        given = typed_settings(runtime, name, typed)
        change_settings(runtime, name, given, removed=removed, expected=int(version))
    except UnknownIntegration:
        raise
    except Refusal as refusal:
        return _page(request, name, runtime, rendering, typed=typed, problem=refusal)
    return back_to(f"{path_of(name)}/settings", "settings-saved")


def _page(
    request: Request,
    name: str,
    runtime: Runtime,
    rendering: Rendering,
    *,
    typed: dict[str, str] | None = None,
    problem: Refusal | None = None,
) -> Response:
    wrong: dict[str, str] = {}
    for each in problem.problems if isinstance(problem, WrongSettings) else ():
        wrong.setdefault(each.setting.partition(".")[0].partition("[")[0], runtime.settings.redact(each.text))
    if isinstance(problem, Conflict):
        runtime.kept_settings.forget()
    found = runtime.lookup.integration(name)
    fields = runtime.integrations.setting_fields(name)
    failed = Filter(statuses=[Status.FAILED], integration=name, reason=NotConfigured.code)
    return rendering.page(
        request,
        "integration_settings.html",
        here=HERE,
        tab="settings",
        status=200 if problem is None else status_of(problem),
        invalid=next((f"set-{each.name}" for each in fields if each.name in wrong), ""),
        name=name,
        found=found,
        troubles=runtime.lookup.troubles().get(name, []),
        stand=where_settings_stand(runtime, name),
        fields=fields,
        typed=typed or {},
        wrong=wrong,
        problem=problem,
        failed=runtime.store.count(failed),
        changed=changed_on_disk(runtime),
        policy=policy_words(found["policy"]),
        audit=runtime.lookup.audit.of("integration", name),
    )
