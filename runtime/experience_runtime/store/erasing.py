"""Erasing: a person goes from every table, in one transaction."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from experience_runtime.domain.errors import Conflict
from experience_runtime.domain.executions import Status, execution_id
from experience_runtime.domain.instants import to_ms
from experience_runtime.domain.values import shown
from experience_runtime.domain.visitors import Erased
from experience_runtime.store import rows
from experience_runtime.store.audit import SqlAudit
from experience_runtime.store.database import Database
from experience_runtime.store.transitions import Transitions

_ANSWER = b'{"erased": true}'


class SqlErasing:
    """`keeping.Erasing` in the store's own database."""

    def __init__(self, database: Database, transitions: Transitions, audit: SqlAudit) -> None:
        self._database = database
        self._transitions = transitions
        self._audit = audit

    def count(self, visitor: str) -> Erased:
        def act() -> Erased:
            bound = {"visitor": rows.text(visitor)}
            found = self._database.execute("ids_of_person", bound)
            ids = [id for (id,) in found] or [bound["visitor"]]
            return self._counted(ids)

        return self._database.read(act)

    def erase(self, visitor: str, *, now: datetime) -> Erased:
        def act() -> Erased:
            self._database.hold("persons")
            ids = list(self._transitions.hold_person(visitor))
            erased = self._counted(ids)
            answers = sum(self._erase(id) for id in ids)
            erased = replace(erased, ids=len(ids), answers=answers)
            for name in erased.schedules:
                self._audit.note("schedule", "remove", object=name, at=now)
            bound = {"now": to_ms(now), "counts": json.dumps(erased.counts())}
            self._database.execute("record_erasure", bound)
            # whom, nobody keeps
            self._audit.note("visitor", "erase", object="", at=now, after=erased.counts())
            return erased

        erased = self._database.write(act)
        self._database.scrub()
        return erased

    def _counted(self, ids: list[str]) -> Erased:
        executions = pending = runs = events = conversions = 0
        schedules: set[str] = set()
        for id in ids:
            bound = {"visitor": id}
            states = [status for _, status in self._executions(id)]
            schedules.update(self._naming("schedules_naming", id))
            executions += len(states)
            pending += states.count(Status.PENDING)
            runs += len(self._database.execute("runs_of_visitor", bound))
            events += int(self._database.execute("count_events", bound)[0][0])
            conversions += int(self._database.execute("count_conversions", bound)[0][0])
        return Erased(
            ids=len(ids),
            executions=executions,
            cancelled=pending,
            runs=runs,
            events=events,
            conversions=conversions,
            schedules=tuple(sorted(schedules)),
        )

    def schedules(self, visitor: str) -> Sequence[str]:
        def act() -> list[str]:
            bound = {"visitor": rows.text(visitor)}
            ids = [id for (id,) in self._database.execute("ids_of_person", bound)] or [bound["visitor"]]
            return sorted({name for id in ids for name in self._naming("schedules_naming", id)})

        return self._database.read(act)

    def _executions(self, visitor: str) -> list[tuple[int, str]]:
        """Those of an id, and those of recurring schedules that name it; number and state."""
        found = dict(self._database.execute("executions_of_visitor", {"visitor": visitor}))
        for needle in _needles(visitor):
            found.update(self._database.execute("executions_naming", {"needle": needle}))
        return sorted(found.items())

    def _naming(self, statement: str, visitor: str, *, kept: bool = False) -> list[str]:
        """The names of the schedules whose payload has an id as a text; `kept`: of what was removed."""
        needles = [json.dumps(each)[1:-1] if kept else each for each in _needles(visitor)]
        return [name for each in needles for (name,) in self._database.execute(statement, {"needle": each})]

    def _erase(self, visitor: str) -> int:
        """Erase one id; return how many answers named it. Conflict while an execution of it runs."""
        bound = {"visitor": visitor}
        for name in self._naming("schedules_naming", visitor):  # first: what fires now has fired then
            for statement in ("remove_schedule", "remove_runs"):
                self._database.execute_counted(statement, {"name": name})
        for name in self._naming("removed_naming", visitor, kept=True):
            for statement in ("forget_removed_schedule", "remove_runs"):
                self._database.execute_counted(statement, {"name": name})
        found = self._executions(visitor)
        if running := [number for number, status in found if status == Status.RUNNING]:
            raise Conflict(
                f"{execution_id(running[0])} of {shown(visitor)} is being delivered at this moment; "
                "nothing was erased, try again when it has ended"
            )
        numbers = {"numbers": json.dumps([number for number, _ in found])}
        ids = {"ids": json.dumps([[execution_id(number)] for number, _ in found])}
        self._database.execute("erase_audit_of_executions", ids)
        for statement in (
            "erase_changes",
            "erase_history",
            "erase_attempts",
            "erase_execution_links",
            "erase_executions",
        ):
            self._database.execute(statement, numbers)
        runs = {"numbers": json.dumps([run for (run,) in self._database.execute("runs_of_visitor", bound)])}
        self._database.execute("drop_run_links", runs)
        self._database.execute("drop_runs", runs)
        for statement in (
            "erase_events",
            "erase_state",
            "erase_conversions",
            "erase_exposures",
            "erase_marks",
            "erase_visitor",
            "erase_person",
        ):
            self._database.execute(statement, bound)
        needles = _needles(visitor)
        for needle in needles:
            self._database.execute("erase_jobs", {"needle": needle})
            self._database.execute("erase_audit", {"needle": needle})
        return sum(
            self._database.execute_counted("erase_answers", {"needle": needle.encode(), "erased": _ANSWER})
            for needle in needles
        )


def _needles(visitor: str) -> list[str]:
    """An id as a JSON text, in both ways it may be written: a part of somebody else's id is not meant."""
    return sorted({json.dumps(visitor), json.dumps(visitor, ensure_ascii=False)})
