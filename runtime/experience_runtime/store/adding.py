"""Adding: executions put into the waiting room, each under its key as `ifExists` says."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from experience_runtime.domain.errors import AlreadyScheduled, ExperienceError
from experience_runtime.domain.executions import REPLACED, Execution, IfExists, Status
from experience_runtime.domain.instants import to_ms
from experience_runtime.engine.stores import Added, Adding, Cancelling, Done
from experience_runtime.store import rows
from experience_runtime.store.database import Database
from experience_runtime.store.transitions import Transitions, already_scheduled

Act = Adding | Cancelling | ExperienceError
"""One of several; what was refused already keeps its place among them."""


class Adder:
    """Adds and cancels by key; only inside `Database.write`."""

    def __init__(self, database: Database, transitions: Transitions) -> None:
        self._database = database
        self._transitions = transitions

    def add(self, adding: Adding) -> Added:
        execution, if_exists = adding.execution, adding.if_exists
        if _key(adding) is not None:
            self._transitions.hold_key(execution)
        self._hold_visitors([execution])
        is_wanted_alone = _key(adding) is not None and if_exists is not IfExists.REPLACE
        if is_wanted_alone and (found := self._database.execute("pending_under_key", _bound(adding))):
            existing = rows.execution(found[0])
            if if_exists is IfExists.KEEP:
                return Added(execution=existing, is_new=False, replaced=None)
            raise already_scheduled(existing)
        (added,) = self._add_together([adding])
        return added

    def cancel(self, cancelling: Cancelling) -> list[str]:
        return self._transitions.cancel_all(
            "cancel_key", _bound(cancelling), cancelling.reason, cancelling.now
        )

    def carry_out(self, acts: Sequence[Act]) -> list[Done]:
        # two that carry out several never wait for each other's keys in a ring
        keyed = {key: act.execution for act in acts if isinstance(act, Adding) and (key := _key(act))}
        for _, execution in sorted(keyed.items(), key=lambda each: each[0]):
            self._transitions.hold_key(execution)
        self._hold_visitors([act.execution for act in acts if isinstance(act, Adding)])
        done: list[Done] = []
        for stretch in _stretches(acts):
            if isinstance(stretch, ExperienceError):
                done.append(stretch)
            elif isinstance(stretch, list):
                done += self._add_together(stretch)
            elif isinstance(stretch, Cancelling):
                done.append(self.cancel(stretch))
            else:
                try:
                    done.append(self.add(stretch))
                except AlreadyScheduled as refusal:  # raised before anything is changed
                    done.append(refusal)
        return done

    def _hold_visitors(self, executions: Sequence[Execution]) -> None:
        """Let nobody be shown a variation, or made one with another, while what they did of it is counted."""
        exposed = {rows.text(each.visitor) for each in executions if each.visitor and each.experience}
        for visitor in sorted(exposed):
            self._database.hold(f"visitor {visitor}")

    def insert(self, execution: Execution) -> Execution:
        """Insert a row; a number already taken gives way to the next free one."""
        (inserted,), _ = self._insert_each([execution])
        return inserted

    def insert_all(self, executions: Sequence[Execution]) -> Sequence[Execution]:
        """The same of several."""
        return self._insert_each(executions)[0] if executions else ()

    def _add_together(self, addings: Sequence[Adding]) -> list[Added]:
        """Add what replaces, each under a key of its own, which is held, or under none."""
        replaced: list[str | None] = [None] * len(addings)
        keyed = [(place, each) for place, each in enumerate(addings) if _key(each) is not None]
        asked = [("cancel_key", _bound(each) | {"reason": REPLACED}) for _, each in keyed]
        inserted, cancelled = self._insert_each([each.execution for each in addings], after=asked)
        for (place, each), found in zip(keyed, cancelled, strict=True):
            ids = self._transitions.record_cancelled(found, REPLACED, each.execution.created_at)
            replaced[place] = ids[0] if ids else None
        for running in (each for each in inserted if each.status is Status.RUNNING):
            begun = [[running.number, running.attempt, to_ms(running.created_at)]]
            self._database.execute("begin_attempts", {"begun": json.dumps(begun)})
        return [
            Added(execution=execution, is_new=True, replaced=id)
            for execution, id in zip(inserted, replaced, strict=True)
        ]

    def _insert_each(
        self, executions: Sequence[Execution], *, after: Sequence[tuple[str, rows.Values]] = ()
    ) -> tuple[list[Execution], list[list[tuple[Any, ...]]]]:
        """Insert rows, in one round trip with the statements that come before; return what those gave too."""
        inserted = list(executions)
        asked = [*after, *(("insert_execution", rows.values(each)) for each in executions)]
        found = self._database.execute_together(asked)
        before, found = found[: len(after)], found[len(after) :]
        places = list(range(len(inserted)))
        while left := [place for place, numbers in zip(places, found, strict=True) if not numbers]:
            for place in left:
                inserted[place] = replace(inserted[place], number=inserted[place].number + 1)
            asked = [("insert_execution", rows.values(inserted[place])) for place in left]
            places, found = left, self._database.execute_together(asked)
        return inserted, before


def _stretches(acts: Sequence[Act]) -> Iterator[list[Adding] | Act]:
    """What may be added together, as a list, and what goes alone; in order."""
    together: list[Adding] = []
    keys: set[tuple[bytes, str]] = set()
    for act in acts:
        key = None if isinstance(act, ExperienceError) else _key(act)
        alone = not isinstance(act, Adding) or (key is not None and act.if_exists is not IfExists.REPLACE)
        if together and (alone or key in keys):
            yield together
            together, keys = [], set()
        if not isinstance(act, Adding) or alone:
            yield act
            continue
        together.append(act)
        if key is not None:
            keys.add(key)
    if together:
        yield together


def _key(act: Adding | Cancelling) -> tuple[bytes, str] | None:
    """The key that others may be pending under; None for an execution without one, or that runs already."""
    if isinstance(act, Cancelling):
        return act.key_digest, act.key_owner
    execution = act.execution
    if execution.key_digest is None or execution.status is not Status.PENDING:
        return None
    return execution.key_digest, execution.key_owner


def _bound(act: Adding | Cancelling) -> rows.Values:
    named = act if isinstance(act, Cancelling) else act.execution
    return {"key_digest": named.key_digest, "key_owner": rows.text(named.key_owner)}
