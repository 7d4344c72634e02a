"""State changes: what happened to executions, as other programs are told of it. Pure rules."""

from dataclasses import dataclass
from typing import Literal, get_args

from experience_runtime.domain.errors import InvalidParameter
from experience_runtime.domain.executions import Attempt, Change, Execution, Status

STATE_CHANGES = "state-changes"
"""The integration that tells the webhooks; what becomes of its own executions is told to nobody."""

EventType = Literal[
    "execution.scheduled",
    "execution.started",
    "execution.succeeded",
    "execution.failed",
    "execution.retrying",
    "execution.cancelled",
    "execution.moved",
    "execution.replayed",
    "execution.restored",
]
EVENT_TYPES: tuple[EventType, ...] = get_args(EventType)

ENDS: tuple[EventType, ...] = ("execution.succeeded", "execution.failed", "execution.cancelled")
"""What a webhook is told that says nothing else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StateChange:
    """One change, at its place in the order of all. `execution` is as it is when this is read, with its last
    attempt, if one has begun."""

    position: int
    change: Change
    execution: Execution
    attempt: Attempt | None

    @property
    def type(self) -> EventType:
        return event_type(self.change.from_status, self.change.to_status)


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """Whom to tell, and of what: one table `[webhooks.NAME]`. With no `integrations`, those of all."""

    name: str
    on: tuple[EventType, ...] = ENDS
    integrations: tuple[str, ...] = ()

    def wants(self, change: StateChange) -> bool:
        """Whether this webhook is to be told of a change."""
        return change.type in self.on and is_of(change, self.integrations)


def is_of(change: StateChange, integrations: tuple[str, ...]) -> bool:
    """Whether an execution is of one of these integrations; of none named, it is."""
    return not integrations or change.execution.integration in integrations


def event_type(from_status: Status | None, to_status: Status) -> EventType:
    """What a change is called."""
    match from_status, to_status:
        case None, Status.PENDING:
            return "execution.scheduled"
        case _, Status.RUNNING:
            return "execution.started"
        case _, Status.SUCCEEDED:
            return "execution.succeeded"
        case _, Status.FAILED:
            return "execution.failed"
        case _, Status.CANCELLED:
            return "execution.cancelled"
        case Status.RUNNING, _:
            return "execution.retrying"
        case Status.CANCELLED, _:
            return "execution.restored"
        case Status.PENDING, _:
            return "execution.moved"
    return "execution.replayed"


def require_for_callers(integration: str) -> None:
    """Refuse an integration that only the runtime calls: what it tells must be true."""
    if integration == STATE_CHANGES:
        raise InvalidParameter(
            f'"{STATE_CHANGES}" tells the webhooks under [webhooks] what happened, and nobody else calls it; '
            'name another integration, such as "webhook"'
        )
