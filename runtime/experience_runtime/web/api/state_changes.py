"""State changes in the document of the API: what the stream tells, and what webhooks are called with."""

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel, Field

from experience_runtime.domain.executions import Status
from experience_runtime.domain.state_changes import EventType
from experience_runtime.web.api.openapi import Instant


class ToldAttempt(BaseModel):
    """The last try."""

    at: Instant
    outcome: str | None
    status: int | None
    error: str | None


class ToldExecution(BaseModel):
    """An execution, as it is when it is told of."""

    id: str
    integration: str
    key: Any
    visitor: str | None
    experience: str | None
    release: int | None
    schedule: str | None
    status: Status
    due_at: Instant
    created_at: Instant
    payload: Any
    payload_left_out: bool = Field(description="The payload has more than 16 KiB, and is null here.")


class StateChangeData(BaseModel):
    """What changed."""

    position: int | None = Field(
        description="Its place in the order of all changes; null for those who do not see all."
    )
    from_: Status | None = Field(alias="from", description="Null: it was made.")
    to: Status
    reason: str | None
    actor: str | None = Field(description="Who changed it by hand.")
    execution: ToldExecution
    attempt: ToldAttempt | None


class StateChangeEvent(BaseModel):
    """One change of the state of an execution."""

    type: EventType
    timestamp: Instant
    data: StateChangeData


STATE_CHANGE: Mapping[str, Any] = {
    "type": "execution.failed",
    "timestamp": "2026-03-09T09:12:05.250Z",
    "data": {
        "position": 1207,
        "from": "running",
        "to": "failed",
        "reason": "integration_failed",
        "actor": None,
        "execution": {
            "id": "ex_0bb6rczg0ryj5",
            "integration": "slack-update",
            "key": {"basket": 7},
            "visitor": "v1",
            "experience": "reminder",
            "release": 12,
            "schedule": None,
            "status": "failed",
            "due_at": "2026-03-09T09:12:00.000Z",
            "created_at": "2026-03-09T07:12:00.000Z",
            "payload": {"message": "Hello!"},
            "payload_left_out": False,
        },
        "attempt": {
            "at": "2026-03-09T09:12:05.010Z",
            "outcome": "failed",
            "status": 400,
            "error": "the receiver answered 400",
        },
    },
}


def add_webhooks(web: FastAPI) -> None:
    """Say in the document what the receivers under `[webhooks]` are called with."""

    @web.webhooks.post(
        "state-change",
        operation_id="receiveStateChange",
        summary="Be told of a state change",
        tags=["executions"],
        responses={"2XX": {"description": "Taken. Any other answer is tried again, or has failed."}},
    )
    def told(body: StateChangeEvent) -> None:
        """Sent to each receiver under `[webhooks]`, signed as Standard Webhooks has it."""
