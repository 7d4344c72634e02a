"""The answers of the API as its OpenAPI document shows them, each with an example."""

from typing import Any, Literal

from pydantic import BaseModel, Field

from experience_runtime.domain.executions import Status
from experience_runtime.web.api.openapi import Instant


class InstantDocument(BaseModel):
    """One instant in UTC, and as a zone's clock shows it."""

    at: Instant
    local: Instant


class AttemptDocument(BaseModel):
    at: Instant
    outcome: str | None
    status: int | None
    error: str | None


class ExecutionDocument(BaseModel):
    """One execution; `due_local` is its instant as the clock of its zone shows it."""

    id: str
    integration: str
    key: Any
    payload: Any
    requested_at: Instant
    due_at: Instant
    due_local: Instant
    zone: str
    zone_from: str
    why: list[str]
    status: Status
    reason: str | None


class RunExecution(ExecutionDocument):
    attempts: list[AttemptDocument]


class ListedExecution(ExecutionDocument):
    """One stored execution; `held` tells what else it waits for than its time."""

    visitor: str | None
    experience: str | None
    release: int | None = Field(description="The release of it that made this; null: files of a folder.")
    schedule: str | None
    window: dict[str, str] | None
    cancel_on_conversion: bool
    created_at: Instant
    held: str | None
    zone_rules: str = Field(description="The release of the time zones' rules that it was planned by.")


class Executions(BaseModel):
    """A page, newest first; `next` is the cursor of the following one.

    `searched_to`: a search for what is rare ends before the page is full, and goes on with `next`; this is
    when the last one it looked at was made (by `due`: is due). Null when it is over, or the page is full.
    """

    executions: list[ListedExecution]
    next: str | None
    searched_to: Instant | None


class LogLine(BaseModel):
    at: Instant
    level: str
    logger: str
    message: str
    metadata: Any


class VisitorFields(BaseModel):
    id: str | None
    timezone: str | None
    timezone_offset: int | None


class RunDocument(BaseModel):
    """What a run did."""

    experience: str
    visitor: VisitorFields
    outcome: Literal["ran", "not_triggered", "pending", "failed"]
    error: dict[str, Any] | None
    log: list[LogLine]
    calls: list[dict[str, Any]]
    executions: list[RunExecution]
    events: list[dict[str, Any]]
    redirects: list[str]


class ExperienceName(BaseModel):
    name: str
    released: bool
    release: int | None
    source: Literal["release", "path", "draft"]


class Experiences(BaseModel):
    experiences: list[ExperienceName]


class FoundProblem(BaseModel):
    code: str
    message: str
    file: str | None
    line: int | None
    column: int | None


class Checked(BaseModel):
    ok: bool
    problems: list[FoundProblem]
    warnings: list[FoundProblem]
    waits: list["Waited"]


class Waited(BaseModel):
    """What triggers wait for, or read: `kind` is event, poll, browser, visitor or cookie."""

    kind: str
    name: str
    file: str
    line: int
    column: int


class Planned(BaseModel):
    requested_at: Instant
    due_at: Instant
    due_local: Instant
    zone: str
    zone_from: str
    why: list[str]


class Matching(BaseModel):
    """A dry run: how many executions the filter means."""

    matching: int


class Job(BaseModel):
    """Long work: how many it means, has looked at, and has changed."""

    id: str
    verb: Literal["cancel", "replay", "restore", "move"]
    state: Literal["running", "done", "failed"]
    matching: int
    seen: int
    done: int
    error: str | None


class ScheduleDocument(BaseModel):
    name: str
    integration: str
    recurrence: dict[str, Any]
    timezone: str
    window: dict[str, str] | None
    payload: Any
    skip: list[str]
    catch_up: Literal["one", "none"]
    paused_at: Instant | None
    next_at: Instant | None
    last: str | None
    created_at: Instant
    updated_at: Instant
    version: int


class ScheduleRun(BaseModel):
    at: Instant
    outcome: str
    execution: str | None
    reason: str | None
    count: int


class WholeSchedule(ScheduleDocument):
    next: list[InstantDocument]
    runs: list[ScheduleRun]


class SavedSchedule(BaseModel):
    saved: bool
    is_new: bool
    schedule: ScheduleDocument
    next: list[InstantDocument]
    warnings: list[str]


class Preview(BaseModel):
    recurrence: dict[str, Any]
    timezone: str
    next: list[InstantDocument]


class Removed(BaseModel):
    removed: str


class EventDocument(BaseModel):
    """`at` is when it happened, `received_at` when it was heard of."""

    at: Instant
    received_at: Instant
    type: str
    data: Any


class WholeVisitor(VisitorFields):
    state: dict[str, Any]
    events: list[EventDocument]
    conversions: list[dict[str, str]]
    ids: list[str]


class ListedVisitor(VisitorFields):
    """`ids`: all of the person. `seen_at`: when they were last told of, as far as that is known."""

    ids: list[str]
    seen_at: Instant | None


class VisitorList(BaseModel):
    """`searched` says in words where was looked."""

    visitors: list[ListedVisitor]
    searched: str


class Identified(BaseModel):
    """`ids`: all of the person."""

    visitor: str
    ids: list[str]


class Converted(BaseModel):
    visitor: str
    cancelled: int
    ids: list[str]


class Received(BaseModel):
    """`conversion`: whether the event is one; then it cancelled so many pending executions."""

    visitor: str
    type: str
    conversion: bool
    cancelled: int


EXECUTION: dict[str, Any] = {
    "id": "ex_0bb6rczg0ryj5",
    "integration": "slack-update",
    "key": {"reminder": "basket"},
    "payload": {"message": "A basket is waiting"},
    "requested_at": "2026-03-06T17:30:00.000Z",
    "due_at": "2026-03-09T08:00:00.000Z",
    "due_local": "2026-03-09T09:00:00.000+01:00",
    "zone": "Europe/Paris",
    "zone_from": "visitor_zone",
    "why": ['asked for delay "2 hours" at 2026-03-06T15:30:00.000Z: …'],
    "status": "pending",
    "reason": None,
}
LISTED_EXECUTION = EXECUTION | {
    "visitor": "v1",
    "experience": "reminder",
    "release": 3,
    "schedule": None,
    "window": {"day": "monday-friday", "time": "09:00-17:00"},
    "cancel_on_conversion": True,
    "created_at": "2026-03-06T15:30:00.000Z",
    "held": None,
    "zone_rules": "2026a",
}
RAN = {
    "experience": "reminder",
    "visitor": {"id": "v1", "timezone": "Europe/Paris", "timezone_offset": None},
    "outcome": "ran",
    "error": None,
    "log": [],
    "calls": [],
    "executions": [EXECUTION | {"attempts": []}],
    "events": [],
    "redirects": [],
}
LISTED = {"experiences": [{"name": "reminder", "released": True, "release": 3, "source": "release"}]}
CHECKED = {
    "ok": False,
    "problems": [{"code": "syntax_error", "message": "…", "file": "variation.js", "line": 4, "column": 3}],
    "warnings": [],
    "waits": [{"kind": "event", "name": "ecBasketSummary", "file": "triggers.js", "line": 2, "column": 3}],
}
PLANNED = {
    name: EXECUTION[name] for name in ("requested_at", "due_at", "due_local", "zone", "zone_from", "why")
}
JOB = {
    "id": "job_4f9c2a",
    "verb": "cancel",
    "state": "running",
    "matching": 1200,
    "seen": 500,
    "done": 498,
    "error": None,
}
SCHEDULE = {
    "name": "digest",
    "integration": "slack-update",
    "recurrence": {"daily": "09:00"},
    "timezone": "Europe/Paris",
    "window": None,
    "payload": {"message": "Good morning"},
    "skip": ["2026-12-25"],
    "catch_up": "one",
    "paused_at": None,
    "next_at": "2026-03-07T08:00:00.000Z",
    "last": None,
    "created_at": "2026-03-06T15:30:00.000Z",
    "updated_at": "2026-03-06T15:30:00.000Z",
    "version": 1,
}
NEXT = [{"at": "2026-03-07T08:00:00.000Z", "local": "2026-03-07T09:00:00.000+01:00"}]
