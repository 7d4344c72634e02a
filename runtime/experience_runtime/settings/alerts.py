"""Alerts: the `[alerts.NAME]` tables of the settings, read."""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from experience_runtime.domain.alerts import EVERY, LONGEST, SHORTEST, TEXT, Rule, read_condition
from experience_runtime.domain.durations import parse_delay
from experience_runtime.domain.errors import InvalidDelay, InvalidParameter
from experience_runtime.domain.values import nearest, shown

ALERT_SETTINGS = ("integration", "on", "every", "payload")
_EXAMPLE = 'on = ["execution_failed", "lag > 60 s"]'


def read_alert(name: str, table: Mapping[str, Any], *, where: str) -> Rule:
    """Read one table; `where` names it in a refusal: `experience.toml: alerts.ops`."""
    for key in table:
        if key not in ALERT_SETTINGS:
            meant = nearest(key, ALERT_SETTINGS)
            hint = f'did you mean "{meant}"?' if meant else f"known are: {', '.join(ALERT_SETTINGS)}"
            raise InvalidParameter(f'{where}: "{key}" is not a setting; {hint}')
    integration, on = table.get("integration"), table.get("on")
    if not isinstance(integration, str) or not integration:
        raise InvalidParameter(
            f'{where} names no integration that tells people; write integration = "slack-update"'
        )
    if not isinstance(on, list) or not on:
        raise InvalidParameter(f"{where}: on = {shown(on)} must list what to be told of; write {_EXAMPLE}")
    conditions = tuple(read_condition(each, where=where) for each in on)
    kinds = [each.kind for each in conditions]
    for kind in kinds:
        if kinds.count(kind) > 1:
            raise InvalidParameter(f"{where}: on has {kind} twice; keep the one that counts")
    return Rule(
        name=name,
        integration=integration,
        on=conditions,
        every=_every(table.get("every"), where),
        payload=_payload(table.get("payload", TEXT), where),
    )


def _every(value: object, where: str) -> timedelta:
    if value is None:
        return EVERY
    try:
        if not isinstance(value, str):
            raise InvalidDelay("a number says no unit")
        every = timedelta(milliseconds=parse_delay(value))
    except (InvalidDelay, OverflowError):
        every = timedelta(0)
    if not SHORTEST <= every <= LONGEST:
        raise InvalidParameter(
            f'{where}: every = {shown(value)} must be a duration from 10 s to 7 days; write every = "15 min"'
        )
    return every


def _payload(value: Any, where: str) -> Any:
    try:
        text = json.dumps(value, allow_nan=False)
    except (TypeError, ValueError):  # a date of TOML, or no number
        text = ""
    if TEXT not in text:
        raise InvalidParameter(
            f"{where}: payload = {shown(value)} says nowhere what happened; "
            f'write {TEXT} where that is to stand: payload = {{ body = "{TEXT}" }}'
        )
    return value
