"""The changes of executions by hand: each a transaction, told once however often it is asked for."""

from collections.abc import Sequence
from datetime import datetime
from typing import TypeVar

from experience_runtime.domain.executions import Execution, NewPayload
from experience_runtime.store import rows
from experience_runtime.store.by_hand import ByHand
from experience_runtime.store.database import Database
from experience_runtime.store.journal import Journal
from experience_runtime.store.visitors import SqlVisitors

D = TypeVar("D", bound=Database)


class SqlChanging(SqlVisitors[D]):
    """The part of a store that changes executions for a person."""

    _journal: Journal
    _by_hand: ByHand

    def cancel(self, number: int, *, reason: str | None, now: datetime) -> bool:
        numbers = [rows.bindable(number)]
        return bool(self._journal.write("cancel", lambda: self._by_hand.cancel(numbers, reason, now)))

    def cancel_each(self, numbers: Sequence[int], *, reason: str | None, now: datetime) -> list[str]:
        bindable = [rows.bindable(number) for number in numbers]
        return self._journal.write("cancel", lambda: self._by_hand.cancel(bindable, reason, now))

    def replay(
        self, number: int, *, reason: str | None, now: datetime, changed: NewPayload | None = None
    ) -> Execution | None:
        return self._journal.write(
            "replay",
            lambda: self._by_hand.replay(rows.bindable(number), reason, now, changed),
            as_json=lambda replayed: None if replayed is None else replayed.number,
            from_json=lambda n: None if n is None else self._journal.execution_from_json(n),
        )

    def restore(self, number: int, *, reason: str | None, now: datetime) -> Execution | None:
        return self._journal.write(
            "restoring",
            lambda: self._by_hand.restore(rows.bindable(number), reason, now),
            as_json=lambda restored: None if restored is None else restored.number,
            from_json=lambda n: None if n is None else self._journal.execution_from_json(n),
        )

    def move(self, number: int, *, due_at: datetime, reason: str | None, now: datetime) -> Execution | None:
        return self._journal.write(
            "move",
            lambda: self._by_hand.move(rows.bindable(number), due_at, reason, now),
            as_json=lambda moved: None if moved is None else moved.number,
            from_json=lambda n: None if n is None else self._journal.execution_from_json(n),
        )

    def replay_each(self, numbers: Sequence[int], *, reason: str | None, now: datetime) -> list[str]:
        bindable = [rows.bindable(number) for number in numbers]
        return self._journal.write("replay", lambda: self._by_hand.replay_each(bindable, reason, now))

    def restore_each(self, numbers: Sequence[int], *, reason: str | None, now: datetime) -> list[str]:
        bindable = [rows.bindable(number) for number in numbers]
        return self._journal.write("restoring", lambda: self._by_hand.restore_each(bindable, reason, now))

    def move_each(
        self, moves: Sequence[tuple[int, datetime]], *, reason: str | None, now: datetime
    ) -> list[str]:
        bindable = [(rows.bindable(number), due_at) for number, due_at in moves]
        return self._journal.write("move", lambda: self._by_hand.move_each(bindable, reason, now))
