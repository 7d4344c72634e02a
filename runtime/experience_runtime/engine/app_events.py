"""The event side: a call of `App("utils/scheduler", …)` -> Scheduler -> its answer.

Source: reference/scheduled-events.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from experience_runtime.domain.app_events import (
    BROADCAST_INTEGRATION,
    FUNCTION,
    WEBHOOK_INTEGRATION,
    Action,
    Cancelling,
    Event,
    plan_cancelling,
    plan_event,
    read_event,
    schedule_id_in,
)
from experience_runtime.domain.clients import Client
from experience_runtime.domain.errors import ExperienceError, Forbidden, InvalidParameter
from experience_runtime.domain.executions import Execution
from experience_runtime.domain.instants import iso, to_ms
from experience_runtime.domain.values import shown
from experience_runtime.domain.visitors import Visitor
from experience_runtime.engine.scheduler import Scheduler

Require = Callable[[str], object]


def _anything(integration: str) -> None:
    """Any integration may be called."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What a call came to: the answer, the execution it made if it made one, lines for an author's log."""

    answer: dict[str, Any]
    execution: Execution | None = None
    warnings: tuple[str, ...] = ()


def call_app(
    scheduler: Scheduler,
    function_id: object,
    parameters: object,
    *,
    client: Client,
    experience: str | None = None,
    require: Require = _anything,
) -> Answered:
    """Schedule or cancel an event of this client. Raises the Refusal of the first rule it breaks.

    `require` raises for an integration that the caller may not have called.
    """
    if function_id != FUNCTION:
        raise InvalidParameter(f'there is no app {shown(function_id)}; write "{FUNCTION}"')
    if not isinstance(parameters, Mapping):
        raise InvalidParameter(
            f'the parameters {shown(parameters)} are not an object; write {{action: "webhook", …}}'
        )
    event = read_event(parameters, client=client)
    visitor = Visitor(id=client.user_id)
    if isinstance(event, Cancelling):
        _require_one(require)
        done = scheduler.cancel_under(FUNCTION, plan_cancelling(event, client=client), visitor=visitor)
        return Answered(answer=_cancelled(event, is_cancelled=bool(done.ids)))
    require(event.integration)
    schedule_id = event.schedule_id or scheduler.fresh_name()
    wanted = scheduler.want(event.integration, event.payload)
    scheduled = scheduler.put(
        wanted,
        plan_event(parameters, schedule_id=schedule_id, client=client, now=wanted.at),
        visitor=visitor,
        experience=experience,
        key_space=FUNCTION,
    )
    if scheduled.execution.key is not None:  # what is told again has the name that was made then
        schedule_id = schedule_id_in(scheduled.execution.key)
    return Answered(
        answer=_scheduled(event, schedule_id, scheduled.execution),
        execution=scheduled.execution,
        warnings=scheduled.warnings,
    )


def answer_app(
    scheduler: Scheduler,
    function_id: object,
    parameters: object,
    *,
    client: Client,
    require: Require = _anything,
) -> Any:
    """As `call_app`; a refusal is an answer too, but for what the caller may not do at all."""
    try:
        return call_app(scheduler, function_id, parameters, client=client, require=require).answer
    except Forbidden:
        raise
    except ExperienceError as error:
        return refused(error)


def refused(error: ExperienceError) -> dict[str, Any]:
    return {"success": False, "error": {"code": error.code, "message": error.message}}


def _require_one(require: Require) -> None:
    """Of which integration an event to cancel is, its name does not say: one of the two will do."""
    try:
        require(WEBHOOK_INTEGRATION)
    except Forbidden:
        require(BROADCAST_INTEGRATION)


def _scheduled(event: Event, schedule_id: str, execution: Execution) -> dict[str, Any]:
    result = {
        "action": event.action.value,
        "schedule_id": schedule_id,
        "scheduled_at": iso(execution.due_at),
        "scheduled_at_unix": to_ms(execution.due_at) // 1000,
        **event.told,
    }
    return {"success": True, "result": result}


def _cancelled(event: Cancelling, *, is_cancelled: bool) -> dict[str, Any]:
    # in both places: the table has it beside `success`, and callers read every other answer's `result`
    result = {
        "action": Action.CANCEL.value,
        "schedule_id": event.schedule_id,
        "cancelled": is_cancelled,
    }
    return {"success": True, "cancelled": is_cancelled, "result": result}
