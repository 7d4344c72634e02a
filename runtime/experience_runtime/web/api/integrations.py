"""/v1: integrations; look, call once, pause and resume."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field, StrictInt

from experience_runtime.domain.access import Scope
from experience_runtime.domain.admission import IntegrationState
from experience_runtime.domain.executions import Filter, Status
from experience_runtime.domain.instants import iso
from experience_runtime.runtime import Runtime
from experience_runtime.web.api.idempotency import OnceRoute, documented_key
from experience_runtime.web.api.models import (
    INTEGRATION,
    Called,
    Held,
    Integrations,
    WholeIntegration,
)
from experience_runtime.web.api.openapi import Body, Name, answers
from experience_runtime.web.guard.access import Caller, needs
from experience_runtime.web.guard.problems import Document

_HELD = {"integration": "slack-update", "paused_at": None, "reason": None, "pending": 3}
_WHOLE = INTEGRATION | {
    "site": False,
    "settings": [{"name": "url", "required": True, "is_set": True, "missing_variable": None}],
    "paused_at": None,
    "pause_reason": None,
    "pending": 3,
}


class CallBody(Body):
    payload: Any
    timeout_ms: StrictInt = Field(default=5000, ge=1, le=30_000)


class PauseBody(Body):
    reason: str | None = Field(default=None, max_length=1000, description="Shown wherever one waits for it.")


def make_router(runtime: Runtime) -> APIRouter:
    router = APIRouter(prefix="/v1", tags=["integrations"], route_class=OnceRoute)

    def redacted(text: str | None) -> str | None:
        return None if text is None else runtime.settings.redact(text)

    def pending(name: str) -> int:
        return runtime.store.count(Filter(statuses=[Status.PENDING], integration=name))

    def held(state: IntegrationState) -> Document:
        return Document(
            {
                "integration": state.integration,
                "paused_at": None if state.paused_at is None else iso(state.paused_at),
                "reason": redacted(state.pause_reason),
                "pending": pending(state.integration),
            }
        )

    @router.get(
        "/integrations",
        summary="List integrations",
        responses=answers(Integrations, {"integrations": [INTEGRATION]}),
    )
    def list_integrations(_: Annotated[Caller, needs(Scope.AUTHOR)]) -> Document:
        """Where each comes from, whether it is configured, and what holds it. Scopes: author, operator."""
        holds = runtime.operations.holds()
        return Document(
            {
                "integrations": [
                    {
                        "name": each.name,
                        "source": each.source,
                        "configured": each.configured,
                        "why": redacted(each.why),
                        "held": redacted(holds.get(each.name)),
                    }
                    for each in runtime.integrations.describe()
                ]
            }
        )

    @router.get(
        "/integrations/{name}",
        summary="Show an integration",
        responses=answers(WholeIntegration, _WHOLE, 404),
    )
    def show(name: Name, _: Annotated[Caller, needs()]) -> Document:
        """Its settings as set or not set only. Scope: operator."""
        model = runtime.integrations.get(name).settings
        (line,) = (each for each in runtime.integrations.describe() if each.name == name)
        state = runtime.store.integration_states.of(name)
        return Document(
            {
                "name": name,
                "source": line.source,
                "configured": line.configured,
                "why": redacted(line.why),
                "held": redacted(runtime.operations.holds().get(name)),
                "site": runtime.settings.is_for_sites(name),
                "settings": _settings(runtime, name, model),
                "paused_at": None if state.paused_at is None else iso(state.paused_at),
                "pause_reason": redacted(state.pause_reason),
                "pending": pending(name),
            }
        )

    @router.post(
        "/integrations/{name}/call",
        summary="Call an integration once",
        dependencies=[Depends(documented_key)],
        responses=answers(
            Called, {"id": "ex_0bb6rczg0ryj5", "ok": True, "result": {"ok": True}}, 404, 409, 413, 502, 504
        ),
    )
    def call(name: Name, body: CallBody, _: Annotated[Caller, needs()]) -> Document:
        """A test call, for real, now; it is kept as an execution. Scope: operator."""
        execution = runtime.scheduler.begin_execute(
            name, body.payload, key=None, visitor=None, experience=None
        )
        result = runtime.dispatcher.call_now(execution, body.timeout_ms / 1000)
        return Document({"id": execution.id, "ok": True, "result": result})

    @router.post(
        "/integrations/{name}/pause",
        summary="Pause an integration",
        dependencies=[Depends(documented_key)],
        responses=answers(Held, _HELD, 404, 409, 413),
    )
    def pause(name: Name, _: Annotated[Caller, needs()], body: PauseBody | None = None) -> Document:
        """What is due waits and keeps its time; what runs is not stopped. Scope: operator."""
        return held(runtime.operations.pause(name, reason=None if body is None else body.reason))

    @router.post(
        "/integrations/{name}/resume",
        summary="Resume an integration",
        dependencies=[Depends(documented_key)],
        responses=answers(Held, _HELD, 404, 409),
    )
    def resume(name: Name, _: Annotated[Caller, needs()]) -> Document:
        """What is due starts at once, inside its window. Scope: operator."""
        return held(runtime.operations.resume(name))

    return router


def _settings(runtime: Runtime, name: str, model: type[BaseModel] | None) -> list[dict[str, Any]]:
    """Each setting as set or not set: a value never leaves the settings."""
    if model is None:
        return []
    given, missing = runtime.settings.integration(name), runtime.settings.missing_of(name)
    return [
        {
            "name": field,
            "required": kind.is_required(),
            "is_set": field in given or kind.alias in given,
            "missing_variable": missing.get(field),
        }
        for field, kind in model.model_fields.items()
    ]
