"""/v1: recurring schedules."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends
from pydantic import Field, StrictBool

from experience_runtime.documents.documents import (
    execution_document,
    instants_document,
    run_document,
    schedule_document,
)
from experience_runtime.domain.schedules import Schedule
from experience_runtime.runtime import Runtime
from experience_runtime.web.api.idempotency import OnceRoute, documented_key
from experience_runtime.web.api.models import (
    EXECUTION,
    NEXT,
    SCHEDULE,
    ExecutionDocument,
    Preview,
    Removed,
    SavedSchedule,
    Schedules,
    WholeSchedule,
)
from experience_runtime.web.api.openapi import Body, Name, answers
from experience_runtime.web.guard.access import Caller, needs
from experience_runtime.web.guard.problems import Document

_WHOLE = SCHEDULE | {"next": NEXT, "runs": []}


class When(Body):
    """Exactly one of `every`, `daily`, `weekly` and `cron`, read in `timezone`."""

    every: str | None = Field(default=None, max_length=100, examples=["15 minutes"])
    daily: str | None = Field(default=None, max_length=100, examples=["09:00"])
    weekly: str | None = Field(default=None, max_length=200, examples=["monday-friday 09:00"])
    cron: str | None = Field(default=None, max_length=200, examples=["0 9 * * 1-5"])
    starting: str | None = Field(default=None, max_length=100, description="What `every` counts from.")
    timezone: str | None = Field(default=None, max_length=100, examples=["Europe/Paris"])
    window: dict[str, Any] | None = Field(
        default=None, examples=[{"day": "monday-friday", "time": "09:00-17:00"}]
    )
    skip: list[str] = Field(default=[], max_length=1000, description="Dates without a run.")

    def options(self) -> dict[str, object]:
        return self.model_dump(include=set(When.model_fields), exclude_none=True)


class ScheduleBody(When):
    integration: str = Field(max_length=200)
    payload: Any
    catch_up: Literal["one", "none"] = "one"
    dry_run: StrictBool = Field(default=False, description="Only check it, and tell the next five instants.")


def make_router(runtime: Runtime) -> APIRouter:
    router = APIRouter(prefix="/v1", tags=["schedules"], route_class=OnceRoute)
    redact = runtime.settings.redact

    def shown(name: str) -> Document:
        found = runtime.recurring.show(name)
        document = schedule_document(found.schedule, redact=redact)
        document["next"] = instants_document(found.next, found.schedule.zone)
        document["runs"] = [run_document(run) for run in found.runs]
        return Document(document)

    def line(schedule: Schedule) -> dict[str, Any]:
        return schedule_document(schedule, redact=redact)

    @router.get(
        "/schedules", summary="List schedules", responses=answers(Schedules, {"schedules": [SCHEDULE]})
    )
    def list_schedules(_: Annotated[Caller, needs()]) -> Document:
        """All of them, by name. Scope: operator."""
        return Document({"schedules": [line(each) for each in runtime.recurring.list()]})

    @router.get("/schedules/{name}", summary="Show a schedule", responses=answers(WholeSchedule, _WHOLE, 404))
    def show(name: Name, _: Annotated[Caller, needs()]) -> Document:
        """Its next five instants, and what became of the last ones. Scope: operator."""
        return shown(name)

    @router.put(
        "/schedules/{name}",
        summary="Save a schedule",
        dependencies=[Depends(documented_key)],
        responses=answers(
            SavedSchedule,
            {"saved": True, "is_new": True, "schedule": SCHEDULE, "next": NEXT, "warnings": []},
            404,
            409,
            413,
        ),
    )
    def put(name: Name, body: ScheduleBody, _: Annotated[Caller, needs()]) -> Document:
        """One of this name is replaced; a paused one stays paused. Scope: operator."""
        options = body.options() | {"catch_up": body.catch_up}
        saved = runtime.recurring.set(name, body.integration, body.payload, options, dry_run=body.dry_run)
        return Document(
            {
                "saved": not body.dry_run,
                "is_new": saved.is_new,
                "schedule": line(saved.schedule),
                "next": instants_document(saved.next, saved.schedule.zone),
                "warnings": list(saved.warnings),
            }
        )

    @router.delete(
        "/schedules/{name}",
        summary="Remove a schedule",
        dependencies=[Depends(documented_key)],
        responses=answers(Removed, {"removed": "digest"}, 404, 409),
    )
    def remove(name: Name, _: Annotated[Caller, needs()]) -> Document:
        """What it fired is kept; an execution of it that waits still runs. Scope: operator."""
        runtime.recurring.remove(name)
        return Document({"removed": name})

    @router.post(
        "/schedules/{name}/pause",
        summary="Pause a schedule",
        dependencies=[Depends(documented_key)],
        responses=answers(WholeSchedule, _WHOLE, 404, 409),
    )
    def pause(name: Name, _: Annotated[Caller, needs()]) -> Document:
        """What it would have run meanwhile is not caught up. Scope: operator."""
        runtime.recurring.pause(name)
        return shown(name)

    @router.post(
        "/schedules/{name}/resume",
        summary="Resume a schedule",
        dependencies=[Depends(documented_key)],
        responses=answers(WholeSchedule, _WHOLE, 404, 409),
    )
    def resume(name: Name, _: Annotated[Caller, needs()]) -> Document:
        """It goes on from its next instant. Scope: operator."""
        runtime.recurring.resume(name)
        return shown(name)

    @router.post(
        "/schedules/{name}/run",
        summary="Run a schedule now",
        dependencies=[Depends(documented_key)],
        responses=answers(ExecutionDocument, EXECUTION, 404, 409),
    )
    def run(name: Name, _: Annotated[Caller, needs()]) -> Document:
        """Once, paused or not; its window holds, and its next instant stays. Scope: operator."""
        return Document(execution_document(runtime.recurring.run_now(name), redact=redact))

    @router.post(
        "/preview",
        summary="Preview a schedule",
        dependencies=[Depends(documented_key)],
        responses=answers(
            Preview,
            {"recurrence": {"daily": "09:00"}, "timezone": "Europe/Paris", "next": NEXT},
            409,
            413,
        ),
    )
    def preview(body: When, _: Annotated[Caller, needs()]) -> Document:
        """The next five instants of a schedule that is not saved. Scope: operator."""
        timing, instants = runtime.recurring.preview(body.options())
        return Document(
            {
                "recurrence": timing.recurrence.document,
                "timezone": timing.zone.name,
                "next": instants_document(instants, timing.zone.name),
            }
        )

    return router
