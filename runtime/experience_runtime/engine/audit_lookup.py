"""Audit lookup: who changed what, for the command line, the API and the pages."""

from collections.abc import Sequence
from typing import Any

from experience_runtime.documents.audit import audit_csv, audit_document
from experience_runtime.documents.documents import Redact
from experience_runtime.domain.audit import AuditFilter
from experience_runtime.domain.errors import InvalidParameter
from experience_runtime.domain.values import shown
from experience_runtime.engine.auditing import Audit

EXPORTED = 10_000
"""How many entries a CSV has at most."""

_SHOWN = 10


class AuditLookup:
    """Entries as their JSON documents, secrets redacted."""

    def __init__(self, *, audit: Audit, redact: Redact) -> None:
        self._audit = audit
        self._redact = redact

    def list(self, filter: AuditFilter, *, cursor: str | None = None, limit: int = 50) -> dict[str, Any]:
        """A page, newest first; `next` is the cursor of the following one, or None."""
        found = self._audit.find(filter, before=_read_cursor(cursor), limit=limit + 1)
        page = found[:limit]
        return {
            "entries": [audit_document(each, redact=self._redact) for each in page],
            "next": str(page[-1].number) if page and len(found) > limit else None,
        }

    def csv(self, filter: AuditFilter) -> str:
        """The newest as CSV."""
        return audit_csv(self.list(filter, limit=EXPORTED)["entries"])

    def of(self, kind: str, object: str | None = None) -> Sequence[dict[str, Any]]:
        """The last changes of one thing, or of all of a kind, for its own page."""
        found = self._audit.find(AuditFilter(kind=kind, object=object), limit=_SHOWN)
        return [audit_document(each, redact=self._redact) for each in found]


def _read_cursor(cursor: str | None) -> int | None:
    if cursor is None:
        return None
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) <= 19):
        raise InvalidParameter(
            f"{shown(cursor[:64])} is not a cursor; pass the `next` of the page before, unchanged"
        )
    return int(cursor)
