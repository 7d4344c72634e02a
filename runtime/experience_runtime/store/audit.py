"""The audit of a store: each change by hand, with who made it, in the transaction that makes it."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from experience_runtime.documents.documents import Redact, redacted_value
from experience_runtime.domain.audit import RUNTIME, Actor, AuditEntry, AuditFilter, actor_text, kept_text
from experience_runtime.domain.instants import from_ms, to_ms
from experience_runtime.engine.auditing import actor_in_hand
from experience_runtime.store import rows
from experience_runtime.store.database import Database

_ENTRY = (
    rows.Column("number"),
    rows.Column("at", to_ms, from_ms),
    rows.Column("actor", rows.text),
    rows.Column("address", rows.text),
    rows.Column("kind"),
    rows.Column("action"),
    rows.Column("object", rows.text),
    rows.Column("before", read=lambda text: None if text is None else json.loads(text)),
    rows.Column("after", read=lambda text: None if text is None else json.loads(text)),
)
"""The columns of `audit`, in the order its statement lists them."""


class SqlAudit:
    """`auditing.Audit` in the store's own database."""

    def __init__(self, database: Database, redact: Redact) -> None:
        self._database = database
        self._redact = redact

    def note(
        self,
        kind: str,
        action: str,
        *,
        object: str,
        at: datetime,
        before: Mapping[str, Any] | None = None,
        after: Mapping[str, Any] | None = None,
        actor: str | None = None,
    ) -> None:
        """Keep what was changed; inside the transaction that changes it. `actor`: where that is known better
        than by `actor_in_hand`."""
        hand = actor_in_hand() or Actor(actor or RUNTIME.name)
        bound = {
            "at": to_ms(at),
            "actor": rows.text(actor_text(hand.name)),
            "address": rows.text(hand.address),
            "kind": kind,
            "action": action,
            "object": rows.text(object),
            "before": self._kept(before),
            "after": self._kept(after),
        }
        self._database.execute("note_audit", bound)

    def record(self, kind: str, action: str, *, object: str, at: datetime, after: Mapping[str, Any]) -> None:
        self._database.write(lambda: self.note(kind, action, object=object, at=at, after=after))

    def _kept(self, document: Mapping[str, Any] | None) -> str | None:
        # as text first: a secret may stand anywhere in it
        return None if document is None else kept_text(redacted_value(json.dumps(document), self._redact))

    def find(
        self, filter: AuditFilter, *, before: int | None = None, limit: int = 50
    ) -> Sequence[AuditEntry]:
        bound = {
            "below": rows.LARGEST if before is None else min(before, rows.LARGEST),
            "kind": filter.kind,
            "action": filter.action,
            "actor": rows.optional_text(filter.actor),
            "object": rows.optional_text(filter.object),
            "since": rows.optional_ms(filter.since),
            "until": rows.optional_ms(filter.until),
            "limit": limit,
        }
        found = self._database.look(lambda read: read("audit", bound))
        return [AuditEntry(**rows.read(_ENTRY, row)) for row in found]
