"""Jobs: what is done to many executions, batch after batch, and how far it has come."""

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from experience_runtime.domain.executions import Filter, Status
from experience_runtime.domain.instants import from_ms, to_ms

VERBS = ("cancel", "replay", "restore", "move")
"""What can be done to all executions of a filter."""


class JobState(StrEnum):
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """`seen` of `matching` executions were looked at, down to `cursor`; `done` of them were changed. `actor`
    began it, from `address`. `due_at`: the instant that they are moved to, before the window of each."""

    id: str
    verb: str  # one of VERBS
    filter: Filter
    reason: str | None
    matching: int
    begun_at: datetime
    state: JobState = JobState.RUNNING
    seen: int = 0
    done: int = 0
    cursor: str | None = None
    error: str | None = None
    actor: str = ""
    address: str = ""
    due_at: datetime | None = None

    def document(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "verb": self.verb,
            "state": self.state.value,
            "matching": self.matching,
            "seen": self.seen,
            "done": self.done,
            "error": self.error,
        }


def filter_text(filter: Filter) -> str:
    """A filter as it is kept: JSON, instants in milliseconds."""
    fields = asdict(filter)
    return json.dumps({n: to_ms(v) if isinstance(v, datetime) else v for n, v in fields.items()})


def read_filter(text: str) -> Filter:
    """The filter that was kept."""
    fields = json.loads(text)
    fields |= {
        name: from_ms(value)
        for name, value in fields.items()
        if name.endswith(("_from", "_until")) and value is not None
    }
    return Filter(**fields | {"statuses": tuple(Status(each) for each in fields["statuses"])})
