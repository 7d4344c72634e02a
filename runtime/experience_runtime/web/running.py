"""Running a served experience for whoever asks: its path, its slot, and what the caller may see of it."""

from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from experience_runtime.domain.access import Right
from experience_runtime.domain.errors import DatabaseUnavailable, ScriptFault, UnknownExecution
from experience_runtime.domain.executions import execution_number
from experience_runtime.domain.visitors import Visitor
from experience_runtime.engine.sites import Kind, acting_site
from experience_runtime.running.kept import keep_run
from experience_runtime.running.report import Report
from experience_runtime.running.run import Situation
from experience_runtime.runtime import Runtime
from experience_runtime.tracing import tracing
from experience_runtime.web.experiences import find_experience
from experience_runtime.web.guard.access import Caller
from experience_runtime.web.guard.limits import AtOnce
from experience_runtime.web.metrics import Metrics

_UNDER_WAY = timedelta(seconds=2)
"""By how much less a request may have been under way than another."""


class Runs:
    """Runs experiences for real, at most so many at once."""

    def __init__(self, runtime: Runtime, metrics: Metrics, at_once: AtOnce) -> None:
        self._runtime = runtime
        self._metrics = metrics
        self._at_once = at_once
        self.visitor = runtime.visitor

    def run(
        self,
        name: str,
        situation: Situation,
        *,
        caller: Caller,
        variation: str | None = None,
        repair: bool = False,
        draft: bool = False,
        asked_at: datetime | None = None,
    ) -> dict[str, Any]:
        """Run it to its end; the document of `experience run --json`, as far as the caller may see it.

        `asked_at`: when a page asked for it. A page that is left does not wait for the end of a run before it
        tells what came after it, and a conversion among that cancels what the run schedules.
        ScriptModuleNotFound when there is none of this name that the caller may run.
        """
        runtime = self._runtime
        began_at = runtime.clock.now()
        found = find_experience(
            runtime,
            name,
            released_only=not caller.may(Right.RUN_DRAFTS),
            visitor=situation.visitor.id,
            draft=draft,
        )
        site = acting_site()
        is_kept = site is None or site.take(Kind.RUN)
        try:
            script = found.prepare(variation=variation, repair=repair)
        except ScriptFault as fault:
            report = found.failed(situation.visitor, fault)
        else:
            with self._at_once.of(caller.shares), tracing().run(name) as span:
                report = runtime.run(script, situation, notes_exposure=is_kept)
                span.note({"experience.outcome": report.outcome})
                if report.error is not None:
                    span.fail(report.error.code)
                span.link(report.created)
        if asked_at is not None:
            self._cancel_overtaken(report, situation.visitor, asked_at=asked_at, began_at=began_at)
        code = None if report.error is None else report.error.code
        self._metrics.ran(report.outcome, report.cpu_seconds, experience=name, code=code)
        for call, _ in report.refusals:
            self._metrics.refused(name, call["error"]["code"])
        if is_kept:
            keep_run(
                runtime.store.runs,
                report,
                trigger="site" if caller.is_limited else "api",
                at=began_at,
                redact=runtime.settings.redact,
            )
        if _is_undone(report):
            raise DatabaseUnavailable(f"a run of {name} could store nothing")
        document = report.document(runtime.lookup.of_run(report.created))
        return document if caller.may(Right.READ_RUNS) else _for_sites(document)

    def _cancel_overtaken(
        self, report: Report, visitor: Visitor, *, asked_at: datetime, began_at: datetime
    ) -> None:
        """Cancel what a run has scheduled that was asked for before a conversion which overtook it.

        That was told while it ran, or happened so long after it was asked for that neither's way explains it.
        """
        store, told = self._runtime.store, self._runtime.store.events.conversions(str(visitor.id), limit=10)
        if any(
            each.at > asked_at + (-_UNDER_WAY if each.received_at > began_at else _UNDER_WAY) for each in told
        ):
            for number in map(execution_number, report.created):
                with suppress(UnknownExecution):  # erased with its visitor, a moment ago
                    if store.execution(number).cancel_on_conversion:
                        store.cancel(number, reason="conversion", now=self._runtime.clock.now())


def _is_undone(report: Report) -> bool:
    """Whether a run failed for the database alone, and did nothing: it may be asked for again."""
    codes = {call["error"]["code"] for call, _ in report.refusals}
    return DatabaseUnavailable.code in codes and not any(call["ok"] for call in report.calls)


def _for_sites(document: dict[str, Any]) -> dict[str, Any]:
    """The same document without what only its author should see: a site's key is in everybody's hands."""
    error = document["error"]
    return {
        **document,
        "error": None if error is None else {"code": error["code"], "message": "the experience failed"},
        "log": [],
        "events": [],
        "redirects": [],
        "calls": [{name: call[name] for name in ("integration", "verb", "ok")} for call in document["calls"]],
        "executions": [
            {**each, "key": None, "payload": None, "why": [], "attempts": []}
            for each in document["executions"]
        ],
    }
