"""The answer of the API about one execution, with everything that is known of it."""

from typing import Any

from pydantic import BaseModel, Field

from experience_runtime.domain.executions import Status
from experience_runtime.web.api.models import LISTED_EXECUTION, AttemptDocument, ListedExecution


class WholeAttempt(AttemptDocument):
    ended_at: str | None
    answer: str | None
    next_at: str | None = Field(description="When it was to be tried again.")
    next_because: str | None = Field(description="Why then: what Retry-After said, a closed window.")


class ChangeDocument(BaseModel):
    at: str
    from_: str | None = Field(alias="from")
    to: str
    reason: str | None
    actor: str | None = Field(description="Who made it by hand, if anybody did.")
    payload_changed: bool = Field(description="Whether it was replayed with another payload.")
    payload_before: Any = Field(description="The payload up to then; null where it was not changed.")


class SameKey(BaseModel):
    """Another execution under the same key of the same visitor."""

    id: str
    status: Status
    due_at: str


class WholeExecution(ListedExecution):
    diagnosis: str = Field(description="What is the matter, in one sentence.")
    attempts: list[WholeAttempt]
    history: list[ChangeDocument]
    run: str | None
    run_is_kept: bool = Field(description="Whether the run that asked for it can still be shown.")
    same_key: list[SameKey]


WHOLE_EXECUTION = LISTED_EXECUTION | {
    "diagnosis": "Waits for its time, 2026-03-09 09:00:00 Europe/Paris",
    "same_key": [],
    "attempts": [],
    "history": [
        {
            "at": "2026-03-06T15:30:00.000Z",
            "from": None,
            "to": "pending",
            "reason": None,
            "actor": None,
            "payload_changed": False,
            "payload_before": None,
        }
    ],
    "run": "rn_0bb6rczg0ryj5",
    "run_is_kept": True,
}
