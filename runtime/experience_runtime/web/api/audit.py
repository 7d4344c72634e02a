"""/v1: who changed what."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from experience_runtime.domain.access import Right
from experience_runtime.domain.audit import AuditFilter, check_action, check_kind
from experience_runtime.domain.instants import parse_time
from experience_runtime.runtime import Runtime
from experience_runtime.web.api.openapi import Body, Cursor, Instant, Limit, answers
from experience_runtime.web.given import GivenRuntime
from experience_runtime.web.guard.access import Caller, needs
from experience_runtime.web.guard.problems import Document

_Word = Annotated[str | None, Field(max_length=200)]
_At = Annotated[str | None, Field(max_length=100, description="An ISO 8601 instant.")]


class AuditWanted(Body):
    """Which changes are meant; every field that is set must match."""

    kind: _Word = Field(default=None, description="execution, schedule, integration, token, …")
    action: _Word = Field(default=None, description="cancel, set, pause, release, revoke, …")
    actor: _Word = Field(default=None, description="What this token or user changed.")
    object: _Word = Field(default=None, description="The id or name of what was changed.")
    since: _At = Field(default=None, description="At this instant or later.")
    until: _At = Field(default=None, description="Before this instant.")

    def filter(self, runtime: Runtime) -> AuditFilter:
        """What it means; an empty field is none. Raises InvalidParameter or InvalidTime."""
        now = runtime.clock.now()
        return AuditFilter(
            kind=check_kind(self.kind or None),
            action=check_action(self.action or None),
            actor=self.actor or None,
            object=self.object or None,
            since=parse_time(self.since, now=now).at if self.since else None,
            until=parse_time(self.until, now=now).at if self.until else None,
        )


class AuditPage(AuditWanted):
    """A filter, and where in the list."""

    limit: Limit = 50
    cursor: Cursor = None


class AuditEntryDocument(BaseModel):
    """One change. `before` and `after` hold what differs, without secrets; null where there is nothing, or
    where it was erased with the person it was about."""

    id: int
    at: Instant
    actor: str
    address: str
    kind: str
    action: str
    object: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None


class AuditEntries(BaseModel):
    """A page, newest first; `next` is the cursor of the following one."""

    entries: list[AuditEntryDocument]
    next: str | None


_ENTRY = {
    "id": 17,
    "at": "2026-03-06T15:30:00.000Z",
    "actor": "ops",
    "address": "203.0.113.7",
    "kind": "schedule",
    "action": "set",
    "object": "daily-digest",
    "before": {"window": {"day": "monday-friday", "time": "09:00-17:00"}},
    "after": {"window": {"day": "monday-friday", "time": "09:00-18:00"}},
}

router = APIRouter(prefix="/v1", tags=["audit"])


@router.get(
    "/audit",
    summary="List changes by hand",
    responses=answers(AuditEntries, {"entries": [_ENTRY], "next": None}),
)
def list_entries(
    page: Annotated[AuditPage, Query()], runtime: GivenRuntime, _: Annotated[Caller, needs(Right.READ)]
) -> Document:
    """Who changed what, when and from where, newest first, by filter. Scopes: operator, viewer."""
    return Document(runtime.lookup.audit.list(page.filter(runtime), cursor=page.cursor, limit=page.limit))
