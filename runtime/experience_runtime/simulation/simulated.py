"""Simulated: what a story came to, and its JSON document."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from experience_runtime.documents.documents import visitor_document
from experience_runtime.domain.executions import Change, Execution
from experience_runtime.domain.visitors import Visitor
from experience_runtime.running.report import Report

_NOBODY = Visitor(id=None)


@dataclass(slots=True, kw_only=True)
class Simulated:
    """What a simulation did: the reports of its runs in order, and every execution with its history.

    `is_cut`: something was still to come at `watched_until`, where the story ends.
    `unconfigured`: integrations that were played as if they answered, and would fail for want of settings.
    """

    experience: str
    began_at: datetime
    ended_at: datetime
    reports: list[Report]
    executions: list[Execution]
    tell: Callable[[], list[dict[str, Any]]]
    histories: dict[str, list[Change]]
    differences: list[str] = field(default_factory=list)
    met_expectations: int = 0
    watched_until: datetime
    is_cut: bool = False
    expected_failures: frozenset[tuple[str | None, str]] = frozenset()
    unconfigured: frozenset[str] = frozenset()

    @property
    def documents(self) -> list[dict[str, Any]]:
        """The document of each execution, in their order: made for the first who asks."""
        return self.tell()

    @property
    def failures(self) -> list[Report]:
        """The runs that failed; those whose refusal the story expects did not."""
        return [
            report
            for report in self.reports
            if report.outcome == "failed"
            and (report.error is None or (report.visitor.id, report.error.code) not in self.expected_failures)
        ]

    @property
    def failed(self) -> bool:
        return bool(self.differences or self.failures)


def simulated_document(simulated: Simulated) -> dict[str, Any]:
    """The document of `simulate --json`: one run's as it is, several runs' as one."""
    reports = simulated.reports
    first = reports[0] if reports else Report(experience=simulated.experience, visitor=_NOBODY)
    error = next((report.error for report in reports if report.error), None)
    whole = Report(
        experience=first.experience,
        visitor=first.visitor,
        outcome=next(
            (o for o in ("failed", "ran", "pending") if any(r.outcome == o for r in reports)), first.outcome
        ),
        error=error,
        log=[line for report in reports for line in report.log],
        calls=[call for report in reports for call in report.calls],
        events=[event for report in reports for event in report.events],
        redirects=[url for report in reports for url in report.redirects],
    )
    document = whole.document(simulated.documents)
    if len(reports) > 1:
        document["runs"] = [
            {"visitor": visitor_document(report.visitor), "outcome": report.outcome} for report in reports
        ]
    if simulated.unconfigured:
        document["would_fail"] = sorted(simulated.unconfigured)
    if simulated.differences:
        document["differences"] = simulated.differences
    return document
