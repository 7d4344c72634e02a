"""Run lookup: what ran, and what came of it for one visitor, for the command line, the API and the pages."""

from collections.abc import Iterator
from datetime import datetime
from itertools import groupby
from typing import Any

from experience_runtime.documents.documents import Redact
from experience_runtime.documents.runs import (
    counted_document,
    failure_document,
    listed_run_document,
    told,
    whole_run_document,
)
from experience_runtime.domain.admission import ALL
from experience_runtime.domain.errors import InvalidParameter, UnknownRun
from experience_runtime.domain.executions import Execution, Filter, Status
from experience_runtime.domain.instants import iso
from experience_runtime.domain.runs import RunFilter, run_id, run_number
from experience_runtime.domain.visitors import check_visitor_id
from experience_runtime.engine.operations import Operations
from experience_runtime.engine.stores import Store

TOLD = 100
"""How many entries `why` has at most; of runs, executions and conversions it looks at as many."""

_CANCELLED = {
    "replaced": ("replaced", "the same key was scheduled again, and the newer one took its place"),
    "conversion": (
        "cancelled",
        "the visitor converted, and it was to be cancelled then (cancelOnConversion)",
    ),
}


class RunLookup:
    """Kept runs as their JSON documents, secrets redacted."""

    def __init__(self, *, store: Store, operations: Operations, redact: Redact) -> None:
        self._store = store
        self._operations = operations
        self._redact = redact

    def list(self, filter: RunFilter, *, cursor: str | None = None, limit: int = 50) -> dict[str, Any]:
        """A page of runs, newest first; `next` is the cursor of the following one, or None."""
        before = None if cursor is None else _read_cursor(cursor)
        found = self._store.runs.find(filter, before=before, limit=limit + 1)
        page = found[:limit]
        return {
            "runs": [listed_run_document(each, redact=self._redact) for each in page],
            "next": page[-1].id if page and len(found) > limit else None,
        }

    def newer(self, filter: RunFilter, *, after: str) -> dict[str, Any]:
        """The runs that ended after this one began, oldest first."""
        found = self._store.runs.newer(filter, after=run_number(after))
        return {"runs": [listed_run_document(each, redact=self._redact) for each in found]}

    def run(self, id: str) -> dict[str, Any]:
        """One run with its log and its calls. Raises UnknownRun."""
        return whole_run_document(self._store.runs.run(run_number(id)), redact=self._redact)

    def failures(self, experience: str) -> dict[str, Any]:
        """How an experience failed, the most frequent first."""
        found = self._store.runs.failures(experience)
        return {"failures": [failure_document(each, redact=self._redact) for each in found]}

    def counts(self) -> dict[str, dict[str, Any]]:
        """How the newest runs of each experience ended, by its name."""
        found = self._store.runs.counts()
        return {
            name: counted_document(list(counts))
            for name, counts in groupby(found, key=lambda each: each.experience)
        }

    def why(self, visitor: str, *, integration: str | None = None) -> dict[str, Any]:
        """What ran for a visitor and what came of it, newest first: `told` of every id of the same person.

        With an integration, of calls and executions those of it. `now` tells what keeps integrations from
        being called at this moment.
        """
        ids = self._store.ids_of_person(check_visitor_id(visitor))
        entries = [entry for id in ids for entry in self._of(id, integration)]
        entries.sort(key=lambda each: str(each["at"]), reverse=True)
        holds = self._operations.holds()
        return {
            "visitor": visitor,
            "integration": integration,
            "ids": ids,
            "now": [
                hold if name == ALL else f"{name}: {hold}"
                for name, hold in sorted(holds.items())
                if integration in (None, name) or name == ALL
            ],
            "entries": entries[:TOLD],
        }

    def _of(self, visitor: str, integration: str | None) -> Iterator[dict[str, Any]]:
        yield from self._runs(visitor, integration)
        page = self._store.find(Filter(visitor=visitor, integration=integration), limit=TOLD)
        holds = self._operations.waits_because(page.executions)
        for execution in page.executions:
            if changes := self._store.history(execution.number):  # else erased since it was found
                yield self._execution(execution, changes[-1].at, holds.get(execution.id))
        for each in self._store.events.conversions(visitor, limit=TOLD):
            yield told(each.at, "converted", self._redact(f"event {each.event}"))

    def _runs(self, visitor: str, integration: str | None) -> Iterator[dict[str, Any]]:
        for run in self._store.runs.find(RunFilter(visitor=visitor), limit=TOLD):
            document = listed_run_document(run, redact=self._redact)
            of = {"experience": run.experience, "run": run.id}
            yield told(run.at, run.outcome, _why_run(document), **of)
            for call in document["refused"]:
                if integration in (None, call["integration"]):
                    why = f"{call['code']}{_at(call['place'])}: {call['message']}"
                    yield told(run.at, "refused", why, integration=call["integration"], **of)

    def _execution(self, execution: Execution, at: datetime, held: str | None) -> dict[str, Any]:
        number, what, why = execution.number, execution.status.value, execution.reason
        if execution.status is Status.CANCELLED:
            what, why = _CANCELLED.get(execution.reason or "", (what, why))
        elif execution.status is Status.FAILED:
            errors = [each.error for each in self._store.attempts(number) if each.error]
            why = " - ".join(part for part in (execution.reason, *errors[-1:]) if part)
        elif execution.status is Status.PENDING:
            what, why = ("held", held) if held else (what, f"it is due at {iso(execution.due_at)}")
        runs = self._store.runs.of_execution(number)
        return told(
            at,
            what,
            None if why is None else self._redact(why),
            experience=execution.experience,
            integration=execution.integration,
            execution=execution.id,
            run=run_id(runs[0]) if runs else None,
        )


def _read_cursor(cursor: str) -> int:
    try:
        return run_number(cursor)
    except UnknownRun:
        raise InvalidParameter(
            f"{cursor[:64]!r} is not a cursor; pass the `next` of the page before, unchanged"
        ) from None


def _why_run(document: dict[str, Any]) -> str | None:
    match document["outcome"]:
        case "not_triggered":
            return "its triggers said no"
        case "pending":
            return "its triggers never called back"
        case "failed":
            return f"{document['code']}{_at(document['place'])}: {document['message']}"
    made = len(document["executions"])
    return f"it asked for {made} execution{'' if made == 1 else 's'}"


def _at(place: str | None) -> str:
    return "" if place is None else f" at {place}"
