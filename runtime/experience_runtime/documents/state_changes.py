"""State changes as webhooks and the stream tell them, everywhere the same."""

import json
from typing import Any

from experience_runtime.documents.documents import (
    Redact,
    Shown,
    attempt_document,
    change_document,
    redacted_value,
)
from experience_runtime.domain.instants import iso
from experience_runtime.domain.state_changes import StateChange

MOST_PAYLOAD_BYTES = 16_384
"""Of a payload that is told whole."""


def state_change_document(told: StateChange, *, redact: Redact, shown: Shown) -> dict[str, Any]:
    """One change: `type`, `timestamp` and `data`, as Standard Webhooks has it.

    A payload that is longer than MOST_PAYLOAD_BYTES is null, and `payload_left_out` true.
    """
    execution, change = told.execution, change_document(told.change, redact=redact)
    payload = shown(execution.integration, execution.payload)
    is_whole = len(payload.encode("utf-8", "surrogatepass")) <= MOST_PAYLOAD_BYTES
    return {
        "type": told.type,
        "timestamp": change["at"],
        "data": {
            "position": told.position,
            "from": change["from"],
            "to": change["to"],
            "reason": change["reason"],
            "actor": change["actor"],
            "execution": {
                "id": execution.id,
                "integration": execution.integration,
                "key": None if execution.key is None else redacted_value(execution.key, redact),
                "visitor": execution.visitor,
                "experience": execution.experience,
                "release": execution.release,
                "schedule": execution.schedule,
                "status": execution.status.value,
                "due_at": iso(execution.due_at),
                "created_at": iso(execution.created_at),
                "payload": redacted_value(payload, redact) if is_whole else None,
                "payload_left_out": not is_whole,
            },
            "attempt": None if told.attempt is None else attempt_document(told.attempt, redact=redact),
        },
    }


def event_text(document: dict[str, Any]) -> str:
    """A document on one line, of characters that every encoding has."""
    return json.dumps(document, separators=(",", ":"))
