"""/v1: recurring schedules."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field, StrictBool, StrictInt

from experience_runtime.documents.documents import preview_document
from experience_runtime.domain.access import Right
from experience_runtime.web.api.idempotency import KEY_DOCUMENTED, OnceRoute
from experience_runtime.web.api.models import (
    LISTED_EXECUTION,
    NEXT,
    SCHEDULE,
    ListedExecution,
    Preview,
    Removed,
    SavedSchedule,
    ScheduleDocument,
    WholeSchedule,
)
from experience_runtime.web.api.openapi import Body, Name, answers
from experience_runtime.web.given import GivenRuntime
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
    version: StrictInt | None = Field(
        default=None, description="The version that was read; refused with `conflict` when it is another now."
    )


class RemovedSchedule(BaseModel):
    name: str
    integration: str
    removed_at: str


class Schedules(BaseModel):
    """`removed` are those that can be restored: for a day."""

    schedules: list[ScheduleDocument]
    removed: list[RemovedSchedule]


router = APIRouter(prefix="/v1", tags=["schedules"], route_class=OnceRoute)


@router.get(
    "/schedules",
    summary="List schedules",
    responses=answers(Schedules, {"schedules": [SCHEDULE], "removed": []}),
)
def list_schedules(runtime: GivenRuntime, _: Annotated[Caller, needs(Right.READ)]) -> Document:
    """All of them, by name. Scopes: operator, viewer."""
    return Document(runtime.lookup.schedules())


@router.get("/schedules/{name}", summary="Show a schedule", responses=answers(WholeSchedule, _WHOLE, 404))
def show(name: Name, runtime: GivenRuntime, _: Annotated[Caller, needs(Right.READ)]) -> Document:
    """Its next five instants, and what became of the last ones. Scopes: operator, viewer."""
    return Document(runtime.lookup.schedule(name))


@router.put(
    "/schedules/{name}",
    summary="Save a schedule",
    openapi_extra=KEY_DOCUMENTED,
    responses=answers(
        SavedSchedule,
        {"saved": True, "is_new": True, "schedule": SCHEDULE, "next": NEXT, "warnings": []},
        404,
        409,
        413,
    ),
)
def put(
    name: Name, body: ScheduleBody, runtime: GivenRuntime, _: Annotated[Caller, needs(Right.CHANGE)]
) -> Document:
    """One of this name is replaced; a paused one stays paused. Scope: operator."""
    options = body.options() | {"catch_up": body.catch_up}
    saved = runtime.recurring.set(
        name, body.integration, body.payload, options, expected=body.version, dry_run=body.dry_run
    )
    return Document(runtime.lookup.saved(saved, dry_run=body.dry_run))


@router.delete(
    "/schedules/{name}",
    summary="Remove a schedule",
    openapi_extra=KEY_DOCUMENTED,
    responses=answers(Removed, {"removed": "digest"}, 404, 409),
)
def remove(name: Name, runtime: GivenRuntime, _: Annotated[Caller, needs(Right.CHANGE)]) -> Document:
    """For good after a day. What it fired is kept, and what is pending still runs. Scope: operator."""
    runtime.recurring.remove(name)
    return Document({"removed": name})


@router.post(
    "/schedules/{name}/restore",
    summary="Restore a schedule",
    openapi_extra=KEY_DOCUMENTED,
    responses=answers(WholeSchedule, _WHOLE, 404, 409),
)
def restore(name: Name, runtime: GivenRuntime, _: Annotated[Caller, needs(Right.CHANGE)]) -> Document:
    """Take a removal back, within a day; it goes on from its next instant. Scope: operator."""
    runtime.operations.restore_schedule(name)
    return Document(runtime.lookup.schedule(name))


@router.post(
    "/schedules/{name}/pause",
    summary="Pause a schedule",
    openapi_extra=KEY_DOCUMENTED,
    responses=answers(WholeSchedule, _WHOLE, 404, 409),
)
def pause(name: Name, runtime: GivenRuntime, _: Annotated[Caller, needs(Right.CHANGE)]) -> Document:
    """What it would have fired meanwhile is not caught up. Scope: operator."""
    runtime.recurring.pause(name)
    return Document(runtime.lookup.schedule(name))


@router.post(
    "/schedules/{name}/resume",
    summary="Resume a schedule",
    openapi_extra=KEY_DOCUMENTED,
    responses=answers(WholeSchedule, _WHOLE, 404, 409),
)
def resume(name: Name, runtime: GivenRuntime, _: Annotated[Caller, needs(Right.CHANGE)]) -> Document:
    """It goes on from its next instant. Scope: operator."""
    runtime.recurring.resume(name)
    return Document(runtime.lookup.schedule(name))


@router.post(
    "/schedules/{name}/run",
    summary="Run a schedule now",
    openapi_extra=KEY_DOCUMENTED,
    responses=answers(ListedExecution, LISTED_EXECUTION, 404, 409),
)
def run(name: Name, runtime: GivenRuntime, _: Annotated[Caller, needs(Right.CHANGE)]) -> Document:
    """Once, also while it is paused. Its window holds; its next instant is not moved. Scope: operator."""
    (document,) = runtime.lookup.listed([runtime.recurring.run_now(name)])
    return Document(document)


@router.post(
    "/preview",
    summary="Preview a schedule",
    openapi_extra=KEY_DOCUMENTED,
    responses=answers(
        Preview,
        {"recurrence": {"daily": "09:00"}, "timezone": "Europe/Paris", "next": NEXT},
        409,
        413,
    ),
)
def preview(body: When, runtime: GivenRuntime, _: Annotated[Caller, needs(Right.READ)]) -> Document:
    """The next five instants of a schedule that is not saved. Scopes: operator, viewer."""
    return Document(preview_document(*runtime.recurring.preview(body.options())))
