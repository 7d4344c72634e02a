"""Webhooks: the `[webhooks.NAME]` tables of the settings, read."""

import re
from collections.abc import Mapping
from typing import Any

from experience_runtime.domain.errors import InvalidParameter
from experience_runtime.domain.state_changes import ENDS, EVENT_TYPES, Webhook
from experience_runtime.domain.values import nearest, shown

RECEIVER_SETTINGS = ("url", "secret", "headers")
"""What the integration that tells them reads."""

WEBHOOK_SETTINGS = (*RECEIVER_SETTINGS, "on", "integrations")

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


def read_webhook(name: str, table: Mapping[str, Any], *, where: str) -> Webhook:
    """Read whom one table tells of what; `where` names it in a refusal: `experience.toml: webhooks.crm`."""
    if not _NAME.fullmatch(name):
        raise InvalidParameter(f"{where} cannot be named so; use up to 64 letters, digits, - and _")
    for key in table:
        if key not in WEBHOOK_SETTINGS:
            meant = nearest(key, WEBHOOK_SETTINGS)
            hint = f'did you mean "{meant}"?' if meant else f"known are: {', '.join(WEBHOOK_SETTINGS)}"
            raise InvalidParameter(f'{where}: "{key}" is not a setting; {hint}')
    types = _texts(table, "on", where) or ENDS
    for each in types:
        if each not in EVENT_TYPES:
            meant = nearest(each, EVENT_TYPES, cutoff=0.5)
            hint = f'did you mean "{meant}"?' if meant else f"known are: {', '.join(EVENT_TYPES)}"
            raise InvalidParameter(f"{where}: on has {shown(each)}, which never happens; {hint}")
    return Webhook(
        name=name,
        on=tuple(each for each in EVENT_TYPES if each in types),
        integrations=tuple(_texts(table, "integrations", where)),
    )


def receiver(table: Mapping[str, Any]) -> dict[str, Any]:
    """What of a table is for the integration that tells it."""
    return {key: table[key] for key in RECEIVER_SETTINGS if key in table}


def _texts(table: Mapping[str, Any], key: str, where: str) -> list[str]:
    value = table.get(key, [])
    if not isinstance(value, list) or not all(isinstance(each, str) and each for each in value):
        raise InvalidParameter(
            f'{where}: {key} = {shown(value)} must be a list of texts; write {key} = ["…"]'
        )
    if key in table and not value:
        raise InvalidParameter(f"{where}: {key} is empty, and nothing would be told; leave it out")
    return value
