"""The paces of a SQL store: how fast each receiver may be called."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

from experience_runtime.domain.instants import to_ms
from experience_runtime.domain.pace import Learned, Pace, PaceState, Receiver
from experience_runtime.store import rows
from experience_runtime.store.database import Database


class SqlPaces:
    """`stores.Paces` in the store's own database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> Sequence[PaceState]:
        return self._database.read(lambda: list(self.known().values()))

    def learn(
        self, learned: Mapping[Receiver, Learned], starts: Mapping[str, Pace], *, now: datetime
    ) -> Mapping[Receiver, PaceState]:
        def act() -> dict[Receiver, PaceState]:
            self.hold()
            known = self.known()
            after = {}
            for receiver, lesson in learned.items():
                before = known.get(receiver)
                if before is None or not before.is_current(now):
                    first_at = min(now, *(each.ended_at for each in lesson.spoken))  # the clock may jump
                    before = PaceState.beginning(receiver, starts.get(receiver[0]), now=first_at)
                after[receiver] = lesson.taught(before)
                if after[receiver] != known.get(receiver):
                    self.put(after[receiver])
            for receiver, state in known.items():
                if receiver not in after and not state.is_current(now):
                    self._drop(receiver)
            return after

        return self._database.write(act)

    # --- inside a transaction

    def hold(self) -> None:
        """Let nobody else change a pace between a look at it and `put`; after the claims, if both are."""
        self._database.hold("paces")

    def known(self) -> dict[Receiver, PaceState]:
        return self.read(self._database.execute("paces", {}))

    @staticmethod
    def read(found: Sequence[Sequence[Any]]) -> dict[Receiver, PaceState]:
        """What the statement `paces` gave, by receiver."""
        states = (_pace(*row) for row in found)
        return {(state.integration, state.key): state for state in states}

    def put(self, state: PaceState) -> None:
        if not state.says_something:
            self._drop((state.integration, state.key))
            return
        self._database.execute(
            "put_pace",
            {
                "integration": rows.text(state.integration),
                "pace_key": rows.text(state.key),
                "state": json.dumps(_document(state)),
                "seen_at": to_ms(state.seen_at),
            },
        )

    def _drop(self, receiver: Receiver) -> None:
        integration, key = receiver
        self._database.execute(
            "drop_pace", {"integration": rows.text(integration), "pace_key": rows.text(key)}
        )


_NAMES = [field.name for field in fields(PaceState) if field.name not in ("integration", "key")]
_INSTANTS = ("held_until", "free_at", "since", "refused_at", "stepped_at", "seen_at")


def _document(state: PaceState) -> dict[str, Any]:
    values = {name: getattr(state, name) for name in _NAMES}
    # free_at is finer than a clock's milliseconds: a fast pace needs it
    return {
        name: v.isoformat() if isinstance(v, datetime) else v for name, v in values.items() if v is not None
    }


def _pace(integration: str, key: str, text: str) -> PaceState:
    values = json.loads(text)
    known = {name: value for name, value in values.items() if name in _NAMES}
    instants = {name: datetime.fromisoformat(known[name]) for name in _INSTANTS if name in known}
    return PaceState(integration=integration, key=key, **{**known, **instants})
