"""A run's report: what `run --json` and `simulate --json` print."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from experience_runtime.documents.documents import visitor_document
from experience_runtime.domain.experience import Experience
from experience_runtime.domain.instants import iso
from experience_runtime.domain.visitors import Visitor
from experience_runtime.running.guest import Problem


@dataclass(slots=True)
class Report:
    """What one run did so far, in the shapes of the JSON document; `created` holds execution ids.

    `lines_before`: how long the log was when each of them was made.
    """

    experience: str
    visitor: Visitor
    outcome: str = "failed"  # "ran" | "not_triggered" | "pending" | "failed"
    error: Problem | None = None
    log: list[dict[str, Any]] = field(default_factory=list)
    calls: list[dict[str, Any]] = field(default_factory=list)
    created: list[str] = field(default_factory=list)
    lines_before: dict[str, int] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)
    redirects: list[str] = field(default_factory=list)
    cpu_seconds: float = 0.0
    release: int | None = None
    refusals: list[tuple[dict[str, Any], str | None]] = field(default_factory=list)
    """Entries of `calls` that were refused, each with where it was made."""

    waits: Sequence[str] = ()
    """Of one that is pending: the events that its triggers listen for."""

    @classmethod
    def of(cls, experience: Experience, visitor: Visitor) -> "Report":
        """The report of a run that begins."""
        return cls(experience=experience.name, visitor=visitor, release=experience.release)

    def write(self, at: datetime, level: str, logger: str, message: str, metadata: Any = None) -> None:
        """Add one line to the log."""
        self.log.append(
            {"at": iso(at), "level": level, "logger": logger, "message": message, "metadata": metadata}
        )

    def add_created(self, execution_id: str) -> None:
        self.created.append(execution_id)
        self.lines_before.setdefault(execution_id, len(self.log))

    @property
    def asked(self) -> tuple[int, int, int]:
        """Grows with whatever may change what is due: calls, what they made, events that may convert."""
        return len(self.calls), len(self.created), len(self.events)

    def document(self, executions: list[dict[str, Any]]) -> dict[str, Any]:
        """The JSON document, around the executions as the store has them."""
        return {
            "experience": self.experience,
            "visitor": visitor_document(self.visitor),
            "outcome": self.outcome,
            "error": None if self.error is None else problem_document(self.error),
            "log": self.log,
            "calls": self.calls,
            "executions": executions,
            "events": self.events,
            "redirects": self.redirects,
        }


def problem_document(problem: Problem) -> dict[str, Any]:
    return {
        "code": problem.code,
        "message": problem.message,
        "file": problem.file,
        "line": problem.line,
        "column": problem.column,
        "stack": problem.stack,
    }


def call_document(integration: str, verb: str, outcome: Mapping[str, Any]) -> dict[str, Any]:
    """One entry of `calls`: `outcome` is {"result": …} or {"error": {"code", "message"}}."""
    return {"integration": integration, "verb": verb, "ok": "error" not in outcome, **outcome}
