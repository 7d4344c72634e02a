"""/v1: the agenda of a day."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from experience_runtime.domain.access import Right
from experience_runtime.domain.filters import read_zone
from experience_runtime.domain.moments import read_day
from experience_runtime.web.api.idempotency import OnceRoute
from experience_runtime.web.api.openapi import Body, Cursor, Limit, answers
from experience_runtime.web.given import GivenRuntime
from experience_runtime.web.guard.access import Caller, needs
from experience_runtime.web.guard.problems import Document


class AgendaPage(Body):
    """Which day, by whose clock, and where in its entries."""

    day: str = Field(default="today", max_length=100, description="today, tomorrow, yesterday or a date.")
    zone: str | None = Field(default=None, max_length=100, description="Whose day and clock; else UTC.")
    limit: Limit = 50
    cursor: Cursor = None


class AgendaCounts(BaseModel):
    executions: int = Field(description="Pending, and due then.")
    instants: int = Field(description="Of recurring schedules: they are no executions yet.")


class AgendaOfIntegration(AgendaCounts):
    integration: str
    held: str | None


class AgendaHour(AgendaCounts):
    hour: str


class AgendaEntry(BaseModel):
    """A pending execution, or an instant of a schedule, whose `execution` is null."""

    at: str
    local: str
    integration: str
    execution: str | None
    visitor: str | None
    schedule: str | None


class AgendaDay(AgendaCounts):
    day: str
    zone: str
    from_: str = Field(alias="from")
    until: str
    is_whole: bool = Field(description="Whether every instant of every schedule is counted.")
    late: int = Field(description="Pending, and due before the day; of today.")
    integrations: list[AgendaOfIntegration]
    hours: list[AgendaHour]
    entries: list[AgendaEntry]
    next: str | None


_BOTH = {"executions": 1, "instants": 1}
_AT = {"at": "2026-03-09T08:00:00.000Z", "local": "2026-03-09T09:00:00.000+01:00"}
AGENDA: dict[str, Any] = {
    "day": "2026-03-09",
    "zone": "Europe/Paris",
    "from": "2026-03-08T23:00:00.000Z",
    "until": "2026-03-09T23:00:00.000Z",
    **_BOTH,
    "is_whole": True,
    "late": 0,
    "integrations": [{"integration": "slack-update", **_BOTH, "held": None}],
    "hours": [{"hour": "09:00", **_BOTH}],
    "entries": [
        _AT | {"integration": "slack-update", "execution": None, "visitor": None, "schedule": "digest"},
        _AT
        | {"integration": "slack-update", "execution": "ex_0bb6rczg0ryj5", "visitor": "v1", "schedule": None},
    ],
    "next": None,
}

router = APIRouter(prefix="/v1", tags=["executions"], route_class=OnceRoute)


@router.get("/agenda", summary="Show the agenda of a day", responses=answers(AgendaDay, AGENDA))
def agenda(
    page: Annotated[AgendaPage, Query()], runtime: GivenRuntime, _: Annotated[Caller, needs(Right.READ)]
) -> Document:
    """What is pending and due on it, and the instants of recurring schedules, earliest first; with totals.

    Scopes: operator, viewer.
    """
    zone, now = read_zone(page.zone), runtime.clock.now()
    day = read_day(page.day, zone=zone, now=now)
    return Document(runtime.lookup.agenda.of(day, zone, now=now, cursor=page.cursor, limit=page.limit))
