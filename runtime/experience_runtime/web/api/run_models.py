"""What the API answers about runs that are over, each with an example."""

from typing import Any, Literal

from pydantic import BaseModel

from experience_runtime.web.api.openapi import Instant

Outcome = Literal["ran", "not_triggered", "pending", "failed"]


class RefusedCall(BaseModel):
    """A call that was refused; `place` is where the author's file made it."""

    integration: str
    verb: str
    code: str
    message: str
    place: str | None


class ListedRun(BaseModel):
    """One run that is over. `release` is null for files of a folder; `cpu_ms` milliseconds of CPU."""

    id: str
    at: Instant
    experience: str
    release: int | None
    visitor: str | None
    trigger: Literal["api", "site", "cli"]
    outcome: Outcome
    code: str | None
    message: str | None
    place: str | None
    cpu_ms: int
    refused: list[RefusedCall]
    executions: list[str]


class KeptRuns(BaseModel):
    """A page, newest first; `next` is the cursor of the following one."""

    runs: list[ListedRun]
    next: str | None


class WholeRun(ListedRun):
    """The same with its calls and its log, up to 64 KiB each; a last entry counts what was `left_out`."""

    calls: list[dict[str, Any]]
    log: list[dict[str, Any]]


class Told(BaseModel):
    """What happened, and because of what."""

    at: Instant
    what: str
    why: str | None
    experience: str | None
    integration: str | None
    run: str | None
    execution: str | None


class Why(BaseModel):
    """What happened to a visitor, newest first; `now` tells what keeps integrations from being called."""

    visitor: str
    integration: str | None
    ids: list[str]
    now: list[str]
    entries: list[Told]


LISTED_RUN: dict[str, Any] = {
    "id": "rn_0bb6rczg0ryj5",
    "at": "2026-03-06T15:30:00.000Z",
    "experience": "reminder",
    "release": None,
    "visitor": "v1",
    "trigger": "site",
    "outcome": "failed",
    "code": "script_error",
    "message": "options.data is undefined",
    "place": "variation.js:3:5",
    "cpu_ms": 2,
    "refused": [],
    "executions": [],
}
WHOLE_RUN = LISTED_RUN | {"calls": [], "log": []}
WHY = {
    "visitor": "v1",
    "integration": None,
    "ids": ["v1"],
    "now": [],
    "entries": [
        {
            "at": "2026-03-06T15:30:00.000Z",
            "what": "failed",
            "why": "script_error at variation.js:3:5: options.data is undefined",
            "experience": "reminder",
            "integration": None,
            "run": "rn_0bb6rczg0ryj5",
            "execution": None,
        }
    ],
}


class ErasedDocument(BaseModel):
    """How much of a person was erased, or would be; `cancelled` of the executions were pending.

    `schedules`: the recurring schedules whose payload named them, which are removed.
    """

    erased: bool
    ids: int
    executions: int
    cancelled: int
    runs: int
    events: int
    conversions: int
    answers: int
    schedules: list[str]


class Exported(BaseModel):
    """Everything that is kept of a person; each list has the documents that show one such thing."""

    visitor: str
    ids: list[str]
    zones: list[dict[str, Any]]
    states: list[dict[str, Any]]
    events: list[dict[str, Any]]
    conversions: list[dict[str, Any]]
    exposures: list[dict[str, Any]]
    executions: list[dict[str, Any]]
    runs: list[dict[str, Any]]
    schedules: list[dict[str, Any]]


ERASED = {
    "erased": True,
    "ids": 2,
    "executions": 3,
    "cancelled": 1,
    "runs": 4,
    "events": 10,
    "conversions": 1,
    "answers": 0,
    "schedules": [],
}
EXPORTED: dict[str, Any] = {
    "visitor": "v1",
    "ids": ["v1"],
    "zones": [{"id": "v1", "timezone": "Europe/Paris", "timezone_offset": None}],
    "states": [{"id": "v1", "state": {"tier": "gold"}}],
    "events": [],
    "conversions": [],
    "exposures": [],
    "executions": [],
    "runs": [],
    "schedules": [],
}
