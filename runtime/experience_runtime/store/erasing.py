"""Erasing: a person goes from every table, in one transaction."""

import json
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
            erased = Erased(**{**erased.counts(), "ids": len(ids), "answers": answers})
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
        for id in ids:
            bound = {"visitor": id}
            states = [status for _, status in self._database.execute("executions_of_visitor", bound)]
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
        )

    def _erase(self, visitor: str) -> int:
        """Erase one id; return how many answers named it. Conflict while an execution of it runs."""
        bound = {"visitor": visitor}
        found = self._database.execute("executions_of_visitor", bound)
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
        # as a JSON text, in both ways it may be written: a part of somebody else's id is not meant
        needles = {json.dumps(visitor), json.dumps(visitor, ensure_ascii=False)}
        for needle in needles:
            self._database.execute("erase_jobs", {"needle": needle})
            self._database.execute("erase_audit", {"needle": needle})
        return sum(
            self._database.execute_counted("erase_answers", {"needle": needle.encode(), "erased": _ANSWER})
            for needle in needles
        )
