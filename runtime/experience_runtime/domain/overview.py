"""Overview: how the whole waiting room stands, in numbers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from experience_runtime.domain.executions import Execution, Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """What waits of one integration: all of it, what of it is due, and when the first is due."""

    integration: str
    pending: int
    due: int
    first_due_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """What runs of one integration: how many, and since when the first does."""

    integration: str
    count: int
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Failures:
    """How many executions of one integration ended as failed, for one reason."""

    integration: str
    reason: str | None
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How many executions ended so in the hour that began at `hour`."""

    hour: datetime
    status: Status
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """The waiting room at one instant.

    `backlog` is what nobody has claimed yet, `running` what is called now; `counts` has every state. `next`
    are pending executions, the earliest due first.
    """

    counts: Mapping[Status, int]
    backlog: Sequence[Backlog]
    running: Sequence[Running]
    failures: Sequence[Failures]
    next: Sequence[Execution]

    @property
    def oldest_due_at(self) -> datetime | None:
        """When the execution that has waited longest past its time was due; None when none has."""
        return min((each.first_due_at for each in self.backlog if each.due), default=None)
