"""By hand: the changes of executions that a person asks for, each with its entry in the audit."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from types import MappingProxyType
from typing import Any

from experience_runtime.domain.errors import AlreadyScheduled, Conflict
from experience_runtime.domain.executions import Execution, NewPayload, Status
from experience_runtime.domain.instants import iso
from experience_runtime.engine.auditing import actor_in_hand
from experience_runtime.store.audit import SqlAudit
from experience_runtime.store.transitions import Transitions

_MOST_NAMED = 50
"""Of the executions that one entry is about."""


class ByHand:
    """Only inside `Database.write`."""

    def __init__(self, transitions: Transitions, audit: SqlAudit) -> None:
        self._transitions = transitions
        self._audit = audit

    def cancel(self, numbers: Sequence[int], reason: str | None, now: datetime) -> list[str]:
        """Cancel those that are pending; return their ids."""
        by = actor_name()
        done = [
            id
            for number in numbers
            for id in self._transitions.cancel_all("cancel", {"number": number}, reason, now, actor=by)
        ]
        self._note("cancel", done, Status.CANCELLED, reason, now)
        return done

    def replay(
        self, number: int, reason: str | None, now: datetime, changed: NewPayload | None = None
    ) -> Execution | None:
        """See `Transitions.replay`."""
        replayed = self._transitions.replay(number, reason, now, actor=actor_name(), changed=changed)
        more = {} if changed is None else {"payload_changed": True}
        self._note("replay", [] if replayed is None else [replayed.id], Status.PENDING, reason, now, more)
        return replayed

    def restore(self, number: int, reason: str | None, now: datetime) -> Execution | None:
        """See `Transitions.restore`."""
        restored = self._transitions.restore(number, reason, now, actor=actor_name())
        self._note("restore", [] if restored is None else [restored.id], Status.PENDING, reason, now)
        return restored

    def move(self, number: int, due_at: datetime, reason: str | None, now: datetime) -> Execution | None:
        """See `Transitions.move`."""
        moved = self._transitions.move(number, due_at, reason, now, actor=actor_name())
        if moved is not None:
            after = {"due_at": iso(due_at), "reason": reason}
            self._audit.note("execution", "move", object=moved.id, at=now, after=after)
        return moved

    def replay_each(self, numbers: Sequence[int], reason: str | None, now: datetime) -> list[str]:
        """Replay those that may be; return their ids."""
        done = self._each(
            numbers, lambda number: self._transitions.replay(number, reason, now, actor=actor_name())
        )
        self._note("replay", done, Status.PENDING, reason, now)
        return done

    def restore_each(self, numbers: Sequence[int], reason: str | None, now: datetime) -> list[str]:
        """Restore those that may be; return their ids."""
        done = self._each(
            numbers, lambda number: self._transitions.restore(number, reason, now, actor=actor_name())
        )
        self._note("restore", done, Status.PENDING, reason, now)
        return done

    def move_each(
        self, moves: Sequence[tuple[int, datetime]], reason: str | None, now: datetime
    ) -> list[str]:
        """Move those that are pending; return their ids."""
        due = dict(moves)
        done = self._each(
            list(due),
            lambda number: self._transitions.move(number, due[number], reason, now, actor=actor_name()),
        )
        self._note(
            "move", done, Status.PENDING, reason, now, {"due_at": iso(min(due.values()))} if due else {}
        )
        return done

    @staticmethod
    def _each(numbers: Sequence[int], act: Callable[[int], Execution | None]) -> list[str]:
        def acted() -> Iterator[str]:
            for number in numbers:
                with suppress(AlreadyScheduled, Conflict):  # raised before anything is changed
                    if changed := act(number):
                        yield changed.id

        return list(acted())

    def _note(
        self,
        action: str,
        ids: Sequence[str],
        to: Status,
        reason: str | None,
        now: datetime,
        more: Mapping[str, Any] = MappingProxyType({}),
    ) -> None:
        """One entry, however many they are; none where nothing was changed."""
        if not ids:
            return
        after: dict[str, Any] = {"status": to.value, "reason": reason, **more}
        if len(ids) > 1:
            after |= {"count": len(ids), "ids": list(ids[:_MOST_NAMED])}
        self._audit.note("execution", action, object=ids[0] if len(ids) == 1 else "", at=now, after=after)


def actor_name() -> str | None:
    """Who acts, as the history of an execution has it."""
    hand = actor_in_hand()
    return None if hand is None else hand.name
