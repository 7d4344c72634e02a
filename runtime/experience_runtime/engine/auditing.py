"""Auditing: who acts in this thread or task, and what was changed, by whom, as a store keeps it."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from typing import Any, Protocol

from experience_runtime.domain.audit import Actor, AuditEntry, AuditFilter
from experience_runtime.log_context import asked

_acting: ContextVar[Actor | None] = ContextVar("actor", default=None)


@contextmanager
def acting(actor: Actor) -> Iterator[None]:
    """Let what is changed meanwhile, here and in threads that are handed this context, be this actor's."""
    before = _acting.set(actor)
    try:
        yield
    finally:
        _acting.reset(before)


def actor_in_hand() -> Actor | None:
    """Who acts: whoever sent the request that is being answered, else whom `acting` names."""
    request = asked.get()
    if request is None:
        return _acting.get()
    return None if request.caller is None else Actor(request.caller, request.address)


class Audit(Protocol):
    """What was changed by whom. A change and its entry are one transaction; an entry never changes."""

    def record(self, kind: str, action: str, *, object: str, at: datetime, after: Mapping[str, Any]) -> None:
        """Keep what is about to be done outside: before it, since nothing takes it back."""
        ...

    def find(
        self, filter: AuditFilter, *, before: int | None = None, limit: int = 50
    ) -> Sequence[AuditEntry]:
        """The newest first; with `before`, those of a smaller number."""
        ...
