"""/v1: integrations; look, call once, pause and resume."""

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import Field, StrictInt

from experience_runtime.domain.access import Right
from experience_runtime.running.guest_calls import Started
from experience_runtime.runtime.integration_settings import change_settings
from experience_runtime.web.answering import answer_of
from experience_runtime.web.api.idempotency import KEY_DOCUMENTED, OnceRoute
from experience_runtime.web.api.integration_models import (
    INTEGRATION,
    Called,
    Held,
    Integrations,
    WholeIntegration,
)
from experience_runtime.web.api.openapi import Body, Name, answers
from experience_runtime.web.given import GivenRuntime
from experience_runtime.web.guard.access import Caller, needs
from experience_runtime.web.guard.problems import Document

_HELD = {"integration": "slack-update", "paused_at": None, "reason": None, "pending": 3}
_WHOLE = INTEGRATION | {
    "site": False,
    "settings": [
        {
            "name": "url",
            "required": True,
            "is_set": True,
            "missing_variable": None,
            "missing_file": None,
            "known": True,
        }
    ],
    "settings_in": "file",
    "settings_version": 0,
    "policy": {"concurrency": None, "rate": None, "breaker": {"failures": 20, "seconds": 30}},
    "paused_at": None,
    "pause_reason": None,
    "breaker_opened_at": None,
    "pending": 3,
}


class CallBody(Body):
    payload: Any
    timeout_ms: StrictInt = Field(default=5000, ge=1, le=30_000)


class PauseBody(Body):
    reason: str | None = Field(default=None, max_length=1000, description="Shown wherever one waits for it.")


class SettingsBody(Body):
    settings: dict[str, Any] = Field(description="By name; null removes one. Those that are not named stay.")
    expected_version: StrictInt | None = Field(
        default=None, ge=0, description="The `settings_version` that they were made from; another is refused."
    )


router = APIRouter(prefix="/v1", tags=["integrations"], route_class=OnceRoute)


@router.get(
    "/integrations",
    summary="List integrations",
    responses=answers(Integrations, {"integrations": [INTEGRATION]}),
)
def list_integrations(runtime: GivenRuntime, caller: Annotated[Caller, needs(Right.READ_RUNS)]) -> Document:
    """Where each comes from, whether it is configured or broken, and what holds it.

    Scopes: operator, viewer; author, for whom `schedules` is 0.
    """
    return Document(runtime.lookup.integrations(with_schedules=caller.may(Right.READ)))


@router.get(
    "/integrations/{name}",
    summary="Show an integration",
    responses=answers(WholeIntegration, _WHOLE, 404),
)
def show(name: Name, runtime: GivenRuntime, _: Annotated[Caller, needs(Right.READ)]) -> Document:
    """Its settings as set or not set only. Scopes: operator, viewer."""
    return Document(runtime.lookup.integration(name))


@router.patch(
    "/integrations/{name}/settings",
    summary="Change settings of an integration",
    openapi_extra=KEY_DOCUMENTED,
    responses=answers(WholeIntegration, _WHOLE | {"settings_in": "database"}, 404, 409, 413),
)
def change(
    name: Name, body: SettingsBody, runtime: GivenRuntime, _: Annotated[Caller, needs(Right.CHANGE)]
) -> Document:
    """They are checked, encrypted and kept in the database, where `[serve] settings` says so.

    Scope: operator.
    """
    given = {key: value for key, value in body.settings.items() if value is not None}
    removed = [key for key, value in body.settings.items() if value is None]
    change_settings(runtime, name, given, removed=removed, expected=body.expected_version)
    return Document(runtime.lookup.integration(name))


@router.post(
    "/integrations/{name}/call",
    summary="Call an integration once",
    openapi_extra=KEY_DOCUMENTED,
    responses=answers(
        Called, {"id": "ex_0bb6rczg0ryj5", "ok": True, "result": {"ok": True}}, 404, 409, 413, 502, 504
    ),
)
def call(
    name: Name, body: CallBody, runtime: GivenRuntime, _: Annotated[Caller, needs(Right.CALL)]
) -> Document:
    """A test call, for real, now; it is kept as an execution. Scope: operator."""
    execution = runtime.scheduler.begin_execute(name, body.payload, key=None, visitor=None, experience=None)
    result = answer_of(runtime, Started(execution=execution, timeout_seconds=body.timeout_ms / 1000))
    return Document({"id": execution.id, "ok": True, "result": result})


@router.post(
    "/integrations/{name}/pause",
    summary="Pause an integration",
    openapi_extra=KEY_DOCUMENTED,
    responses=answers(Held, _HELD, 404, 409, 413),
)
def pause(
    name: Name,
    runtime: GivenRuntime,
    _: Annotated[Caller, needs(Right.CHANGE)],
    body: PauseBody | None = None,
) -> Document:
    """What is due waits and keeps its time; what already runs goes on. Scope: operator."""
    runtime.operations.pause(name, reason=None if body is None else body.reason)
    return Document(runtime.lookup.hold(name))


@router.post(
    "/integrations/{name}/resume",
    summary="Resume an integration",
    openapi_extra=KEY_DOCUMENTED,
    responses=answers(Held, _HELD, 404, 409),
)
def resume(name: Name, runtime: GivenRuntime, _: Annotated[Caller, needs(Right.CHANGE)]) -> Document:
    """What is due starts at once, inside its window. Scope: operator."""
    runtime.operations.resume(name)
    return Document(runtime.lookup.hold(name))
