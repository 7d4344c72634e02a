"""/v1: hold all deliveries, and let them go on."""

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from experience_runtime.domain.access import Right
from experience_runtime.web.api.idempotency import KEY_DOCUMENTED, OnceRoute
from experience_runtime.web.api.openapi import Body, Instant, answers
from experience_runtime.web.given import GivenRuntime
from experience_runtime.web.guard.access import Caller, needs
from experience_runtime.web.guard.problems import Document


class HoldBody(Body):
    reason: str | None = Field(default=None, max_length=1000, description="Shown wherever one waits for it.")


class HoldDocument(BaseModel):
    """`held_at` is null while deliveries go on; `pending` counts what waits, for whatever reason."""

    held_at: Instant | None
    reason: str | None
    pending: int


_HELD: dict[str, Any] = {
    "held_at": "2026-03-06T15:30:00.000Z",
    "reason": "a backup was restored",
    "pending": 3,
}

router = APIRouter(prefix="/v1", tags=["deliveries"], route_class=OnceRoute)


@router.post(
    "/hold",
    summary="Hold all deliveries",
    openapi_extra=KEY_DOCUMENTED,
    responses=answers(HoldDocument, _HELD, 409, 413),
)
def hold(
    runtime: GivenRuntime, _: Annotated[Caller, needs(Right.CHANGE)], body: HoldBody | None = None
) -> Document:
    """No worker starts anything any more; what is due waits, what runs goes on. Scope: operator."""
    runtime.operations.hold_all(reason=None if body is None else body.reason)
    return Document(runtime.lookup.hold_of_all())


@router.post(
    "/resume",
    summary="Let deliveries go on",
    openapi_extra=KEY_DOCUMENTED,
    responses=answers(HoldDocument, _HELD | {"held_at": None, "reason": None}, 409),
)
def resume(runtime: GivenRuntime, _: Annotated[Caller, needs(Right.CHANGE)]) -> Document:
    """What is due starts at once, inside its window; a paused integration stays paused. Scope: operator."""
    runtime.operations.resume_all()
    return Document(runtime.lookup.hold_of_all())
