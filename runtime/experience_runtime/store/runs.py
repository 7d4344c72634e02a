"""The runs of a store: experiences that ran, and what came of it."""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from experience_runtime.domain.errors import UnknownRun
from experience_runtime.domain.instants import from_ms, to_ms
from experience_runtime.domain.runs import FailureGroup, KeptRun, RunCount, RunFilter, run_id
from experience_runtime.store import rows
from experience_runtime.store.database import Database

_COUNTED = 10_000  # of the newest: a page that counts stays quick, however many are kept


class SqlRuns:
    """`keeping.Runs` in the store's own database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def keep(self, run: KeptRun) -> KeptRun:
        def act() -> KeptRun:
            kept = run
            while not self._database.execute("keep_run", _values(kept)):
                kept = replace(kept, number=kept.number + 1)
            if kept.executions:
                made = json.dumps([[number] for number in kept.executions])
                self._database.execute("link_run", {"made": made, "number": kept.number})
            return kept

        return self._database.write(act)

    def run(self, number: int) -> KeptRun:
        bound = {"number": min(number, rows.LARGEST)}
        found = self._database.read(lambda: self._database.execute("run", bound))
        if not found:
            raise UnknownRun(
                f"there is no run {run_id(number)} in {self._database.name!r}, or it was kept long enough; "
                "`experience runs list` shows those there are"
            )
        return _run(found[0])

    def find(self, filter: RunFilter, *, before: int | None = None, limit: int = 50) -> Sequence[KeptRun]:
        below = rows.LARGEST if before is None else min(before, rows.LARGEST)
        bound = _conditions(filter) | {"before": below, "limit": limit}
        return [_run(row) for row in self._database.look(lambda read: read("find_runs", bound))]

    def newer(self, filter: RunFilter, *, after: int, limit: int = 100) -> Sequence[KeptRun]:
        bound = _conditions(filter) | {"after": min(after, rows.LARGEST), "limit": limit}
        return [_run(row) for row in self._database.look(lambda read: read("newer_runs", bound))]

    def failures(self, experience: str) -> Sequence[FailureGroup]:
        bound = {"experience": rows.text(experience), "limit": _COUNTED}
        return [
            FailureGroup(code=code, place=place, count=count, last=last, message=message)
            for code, place, count, last, message in self._database.look(
                lambda read: read("run_failures", bound)
            )
        ]

    def counts(self) -> Sequence[RunCount]:
        found = self._database.look(lambda read: read("run_counts", {"limit": _COUNTED}))
        return [
            RunCount(experience=experience, outcome=outcome, count=count, last_at=from_ms(at))
            for experience, outcome, count, at in found
        ]

    def is_kept(self, number: int) -> bool:
        bound = {"number": number}
        return bool(self._database.read(lambda: self._database.execute("run_is_kept", bound)))

    def of_execution(self, number: int) -> Sequence[int]:
        bound = {"execution": number}
        found = self._database.read(lambda: self._database.execute("runs_of_execution", bound))
        return [run for (run,) in found]


def _values(run: KeptRun) -> rows.Values:
    return {
        "number": run.number,
        "at": to_ms(run.at),
        "experience": rows.text(run.experience),
        "visitor": rows.optional_text(run.visitor),
        "release": run.release,
        "trigger": run.trigger,
        "outcome": run.outcome,
        "code": rows.optional_text(run.code),
        "message": rows.optional_text(run.message),
        "place": rows.optional_text(run.place),
        "cpu_ms": run.cpu_ms,
        "refused": run.refused,
        "executions": json.dumps(list(run.executions)),
        "calls": rows.text(run.calls),
        "log": rows.text(run.log),
    }


def _run(row: Sequence[Any]) -> KeptRun:
    number, at, experience, visitor, release, trigger, outcome, code, message, place = row[:10]
    cpu_ms, refused, executions, calls, *log = row[10:]
    return KeptRun(
        number=number,
        at=from_ms(at),
        experience=experience,
        visitor=visitor,
        release=release,
        trigger=trigger,
        outcome=outcome,
        code=code,
        message=message,
        place=place,
        cpu_ms=cpu_ms,
        refused=refused,
        executions=json.loads(executions),
        calls=calls,
        log=log[0] if log else "[]",
    )


def _conditions(filter: RunFilter) -> rows.Values:
    return {
        "experience": rows.optional_text(filter.experience),
        "outcome": filter.outcome,
        "visitor": rows.optional_text(filter.visitor),
        "code": rows.optional_text(filter.code),
        "place": rows.optional_text(filter.place),
    }
