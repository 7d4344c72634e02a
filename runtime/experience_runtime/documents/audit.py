"""Entries of the audit as JSON documents, as lines for people, and as CSV."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

from experience_runtime.documents.documents import Redact, redacted_value
from experience_runtime.domain.audit import AuditEntry
from experience_runtime.domain.instants import iso

_FIELDS = ("id", "at", "actor", "address", "kind", "action", "object", "before", "after")

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet computes, where a cell begins with it."""


def audit_document(entry: AuditEntry, *, redact: Redact) -> dict[str, Any]:
    """One change; `before` and `after` hold the members that differ, null where there was nothing, or is."""
    return {
        "id": entry.number,
        "at": iso(entry.at),
        "actor": entry.actor,
        "address": entry.address,
        "kind": entry.kind,
        "action": entry.action,
        "object": redact(entry.object),
        "before": _redacted(entry.before, redact),
        "after": _redacted(entry.after, redact),
    }


def differences(document: Mapping[str, Any]) -> list[tuple[str, str | None, str | None]]:
    """Each member that differs, as JSON texts: its name, what it was and what it is; None for nothing."""
    before, after = document["before"] or {}, document["after"] or {}
    return [
        (name, _text(before[name]) if name in before else None, _text(after[name]) if name in after else None)
        for name in {**before, **after}
    ]


def audit_csv(documents: Sequence[Mapping[str, Any]]) -> str:
    """The same as CSV, a line each; no cell is a formula of a spreadsheet."""
    written = io.StringIO()
    writer = csv.writer(written)
    writer.writerow(_FIELDS)
    for document in documents:
        writer.writerow([_cell(document[name]) for name in _FIELDS])
    return written.getvalue()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    text = value if isinstance(value, str) else _text(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _redacted(document: Mapping[str, Any] | None, redact: Redact) -> Any:
    return None if document is None else redacted_value(json.dumps(document), redact)
