"""Kept runs as the JSON documents show them, everywhere the same."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from experience_runtime.documents.documents import Redact, redacted_value
from experience_runtime.domain.executions import execution_id
from experience_runtime.domain.instants import iso
from experience_runtime.domain.runs import FailureGroup, KeptRun, RunCount, run_id


def listed_run_document(run: KeptRun, *, redact: Redact) -> dict[str, Any]:
    """One run as a list shows it; `refused` are its refused calls."""
    calls: list[dict[str, Any]] = redacted_value(run.calls, redact)
    return {
        "id": run.id,
        "at": iso(run.at),
        "experience": run.experience,
        "release": run.release,
        "visitor": run.visitor,
        "trigger": run.trigger,
        "outcome": run.outcome,
        "code": run.code,
        "message": None if run.message is None else redact(run.message),
        "place": run.place,
        "cpu_ms": run.cpu_ms,
        "refused": [_refusal(each) for each in calls if each.get("ok") is False],
        "executions": [execution_id(number) for number in run.executions],
    }


def whole_run_document(run: KeptRun, *, redact: Redact) -> dict[str, Any]:
    """One run with everything that is kept of it: the document of `runs show --json`."""
    return listed_run_document(run, redact=redact) | {
        "calls": redacted_value(run.calls, redact),
        "log": redacted_value(run.log, redact),
    }


def _refusal(call: dict[str, Any]) -> dict[str, Any]:
    return {
        "integration": call["integration"],
        "verb": call["verb"],
        "code": call["error"]["code"],
        "message": call["error"]["message"],
        "place": call.get("place"),
    }


def failure_document(group: FailureGroup, *, redact: Redact) -> dict[str, Any]:
    """Failed runs that are alike; `last` is the newest of them."""
    return {
        "code": group.code,
        "place": group.place,
        "count": group.count,
        "message": None if group.message is None else redact(group.message),
        "last": run_id(group.last),
    }


def counted_document(counts: Sequence[RunCount]) -> dict[str, Any]:
    """How often one experience ended in each way, and when it ran last."""
    return {
        "outcomes": {each.outcome: each.count for each in counts},
        "last_at": iso(max(each.last_at for each in counts)) if counts else None,
    }


def told(at: datetime, what: str, why: str | None, **of: Any) -> dict[str, Any]:
    """One entry of `why`: what happened to a visitor, and because of what."""
    entry: dict[str, Any] = {"at": iso(at), "what": what, "why": why}
    for name in ("experience", "integration", "run", "execution"):
        entry[name] = of.get(name)
    return entry
