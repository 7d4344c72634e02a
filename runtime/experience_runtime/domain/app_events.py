"""Scheduled events: the named parameters of `App("utils/scheduler", …)`, read.

Source: reference/scheduled-events#parameters.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from experience_runtime.domain.app_event_times import event_time
from experience_runtime.domain.clients import Client
from experience_runtime.domain.errors import InvalidParameter, MissingParameter
from experience_runtime.domain.executions import IfExists
from experience_runtime.domain.keys import canonical_key
from experience_runtime.domain.planning import CancelPlan, Plan
from experience_runtime.domain.urls import require_web_address, without_query
from experience_runtime.domain.values import nearest, read_name, shown
from experience_runtime.domain.zones import UTC

FUNCTION = "utils/scheduler"
"""The name it is called by; also the key space: one schedule_id for all actions."""

WEBHOOK_INTEGRATION = "event-webhook"
BROADCAST_INTEGRATION = "broadcast"

_LONGEST_NAME = 1000  # as the broadcast integration has it
_WHEN = ("schedule_id", "schedule_time", "delay")


class Action(StrEnum):
    WEBHOOK = "webhook"
    BROADCAST = "broadcast"
    CANCEL = "cancel"


_OWN = {
    Action.WEBHOOK: ("url", "body"),
    Action.BROADCAST: ("flow_id", "step_id", "metadata"),
    Action.CANCEL: (),
}
_KNOWN = ("action", *_WHEN, *(name for names in _OWN.values() for name in names))


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What to schedule. `told` is what the answer repeats of it: the url without its query.

    `schedule_id` is None when the caller leaves the choice to us.
    """

    action: Action
    integration: str
    payload: Mapping[str, object]
    told: Mapping[str, object]
    schedule_id: str | None


@dataclass(frozen=True, slots=True)
class Cancelling:
    """Which event to cancel."""

    schedule_id: str


def read_event(parameters: Mapping[str, object], *, client: Client) -> Event | Cancelling:
    """Read everything but the time. Null is left out; raises the Refusal of the first rule it breaks.

    What is missing is told before what is wrong with the rest.
    """
    _check_names(parameters)
    action = _action(parameters.get("action"))
    given = parameters.get("schedule_id")
    if action is Action.CANCEL and given is None:
        raise MissingParameter(
            "schedule_id is missing; name the event to cancel: the schedule_id it was scheduled under"
        )
    event = None if action is Action.CANCEL else _event(action, parameters, client)
    schedule_id = None if given is None else read_name("schedule_id", given)
    if event is None:
        assert schedule_id is not None
        return Cancelling(schedule_id)
    integration, payload, told = event
    return Event(action=action, integration=integration, payload=payload, told=told, schedule_id=schedule_id)


def plan_event(parameters: Mapping[str, object], *, schedule_id: str, client: Client, now: datetime) -> Plan:
    """Decide when an event happens: at its exact instant, which no window moves."""
    time = event_time(parameters, now=now)
    return Plan(
        requested_at=time.at,
        due_at=time.at,
        asked=time.asked,
        window=None,
        zone=UTC,  # "All times are given in UTC"
        zone_from="default",
        key=_key(schedule_id, client),
        scope_is_visitor=True,
        cancel_on_conversion=False,
        if_exists=IfExists.REPLACE,
    )


def plan_cancelling(cancelling: Cancelling, *, client: Client) -> CancelPlan:
    """Decide what is cancelled: the client's own event of this name."""
    return CancelPlan(key=_key(cancelling.schedule_id, client), scope_is_visitor=True, reason=None)


def _key(schedule_id: str, client: Client) -> str:
    """The name within bot and channel; the user is the key's owner."""
    scope = {name: value for name, value in client.fields().items() if name != "user_id"}
    return canonical_key({"schedule_id": schedule_id, **scope})


def schedule_id_in(key: str) -> str:
    """The name that a key of an event was made of."""
    return str(json.loads(key)["schedule_id"])


def _check_names(parameters: Mapping[str, object]) -> None:
    for name, value in parameters.items():
        if value is None or name in _KNOWN:
            continue
        meant = nearest(str(name), _KNOWN)
        hint = f'did you mean "{meant}"?' if meant else f"the parameters are {', '.join(_KNOWN)}"
        raise InvalidParameter(f"parameter {shown(name)} is not known; {hint}")


def _action(value: object) -> Action:
    if value is None:
        return Action.BROADCAST
    if isinstance(value, str) and value in tuple(Action):
        return Action(value)
    words = ", ".join(f'"{action}"' for action in Action)
    raise InvalidParameter(f"action {shown(value)} is not one of its values; write one of {words}")


def _event(
    action: Action, parameters: Mapping[str, object], client: Client
) -> tuple[str, dict[str, object], dict[str, object]]:
    """The integration, its payload, and what is told of it."""
    if action is Action.WEBHOOK:
        return WEBHOOK_INTEGRATION, *_webhook(parameters)
    return BROADCAST_INTEGRATION, *_broadcast(parameters, client)


def _webhook(parameters: Mapping[str, object]) -> tuple[dict[str, object], dict[str, object]]:
    url, body = parameters.get("url"), parameters.get("body")
    if url is None:
        raise MissingParameter(
            'url is missing; a webhook needs the address to call: write url: "https://example.com/hook"'
        )
    if not isinstance(url, str):
        raise InvalidParameter(f"url {shown(url)} is not a string; write it in quotes")
    try:
        require_web_address(url)
    except ValueError as problem:  # no text of the address is in it
        raise InvalidParameter(f"url {problem}") from None
    own = {} if body is None else {"body": body}
    return {"url": url, **own}, {"url": without_query(url), **own}


def _broadcast(
    parameters: Mapping[str, object], client: Client
) -> tuple[dict[str, object], dict[str, object]]:
    flow_id, step_id, metadata = (parameters.get(name) for name in _OWN[Action.BROADCAST])
    if flow_id is None:
        is_webhook = parameters.get("url") is not None
        raise MissingParameter(
            "flow_id is missing; a broadcast needs the flow to trigger"
            + ('; to call a url, write action: "webhook"' if is_webhook else ': write flow_id: "myFlow"')
        )
    if client.user_id is None:
        raise MissingParameter(
            "client.user_id is missing; a broadcast is for one user: run the experience for a visitor, "
            "name a client, or set one under [csml]"
        )
    if not isinstance(metadata, Mapping | None):
        raise InvalidParameter(f'metadata {shown(metadata)} is not an object; write {{"some": "info"}}')
    told: dict[str, object] = {
        "flow_id": _name("flow_id", flow_id),
        "step_id": "start" if step_id is None else _name("step_id", step_id),
        "metadata": {} if metadata is None else metadata,
    }
    channel = {} if client.channel_id is None else {"channel": client.channel_id}
    return {**told, "client": client.fields(), **channel}, told


def _name(parameter: str, value: object) -> str:
    if not isinstance(value, str) or not 1 <= len(value) <= _LONGEST_NAME:
        raise InvalidParameter(
            f"{parameter} {shown(value)} is not a string of 1 to {_LONGEST_NAME} characters; "
            "write it in quotes"
        )
    return value
