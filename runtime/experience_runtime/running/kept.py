"""Kept runs: what stays of a report once the run is over, and what the log says of one that went wrong."""

import json
import logging
import random
from collections.abc import Callable
from datetime import datetime
from typing import Any

from experience_runtime.documents.documents import redacted_value
from experience_runtime.domain.errors import ExperienceError
from experience_runtime.domain.executions import execution_number
from experience_runtime.domain.runs import (
    MOST_CALLS_BYTES,
    MOST_LOG_BYTES,
    MOST_MESSAGE_CHARS,
    KeptRun,
    bounded,
    shorter_call,
    shorter_line,
)
from experience_runtime.engine.keeping import Runs
from experience_runtime.engine.numbering import ExecutionNumbers
from experience_runtime.running.guest import Problem
from experience_runtime.running.report import Report

_logger = logging.getLogger(__name__)
_numbers = ExecutionNumbers(random.SystemRandom())


def keep_run(
    runs: Runs,
    report: Report,
    *,
    trigger: str,
    at: datetime,
    redact: Callable[[str], str],
    tells: bool = True,
) -> KeptRun | None:
    """Keep a run that is over; `at` is when it began. None when it could not be kept, and the log says why.

    `tells`: the log has one line for a run that failed, and one for each refused call. What the run did has
    happened already: that it cannot be kept fails nobody.
    """
    run = kept_run(report, trigger=trigger, at=at, redact=redact)
    kept = None
    try:
        kept = runs.keep(run)
    except ExperienceError as error:
        _logger.error("a run of %s could not be kept: %s", run.experience, redact(error.message))
    if tells:
        _tell(report, kept)
    return kept


def kept_run(report: Report, *, trigger: str, at: datetime, redact: Callable[[str], str]) -> KeptRun:
    """What is kept of a run: bounded, and without secrets."""
    places = {id(call): place for call, place in report.refusals}
    calls = [each | {"place": places.get(id(each))} for each in report.calls]
    error = report.error
    return KeptRun(
        number=_numbers.next(at),
        at=at,
        experience=report.experience,
        visitor=report.visitor.id,
        release=report.release,
        trigger=trigger,
        outcome=report.outcome,
        cpu_ms=round(report.cpu_seconds * 1000),
        code=None if error is None else error.code,
        message=None if error is None else redact(error.message)[:MOST_MESSAGE_CHARS],
        place=None if error is None else place_of(error),
        refused=len(report.refusals),
        executions=[execution_number(each) for each in dict.fromkeys(report.created)],
        calls=bounded(
            [_redacted(each, redact) for each in calls],
            most_bytes=MOST_CALLS_BYTES,
            is_first=lambda call: not call["ok"],
            shorter=shorter_call,
        ),
        log=bounded(
            [_redacted(each, redact) for each in report.log],
            most_bytes=MOST_LOG_BYTES,
            is_first=lambda line: line["level"] in ("error", "warn"),
            shorter=shorter_line,
        ),
    )


def place_of(problem: Problem) -> str | None:
    """Where a problem stands: `variation.js:12:5`; None when that is not known."""
    if problem.file is None:
        return None
    parts = (problem.file, problem.line, problem.column)
    return ":".join(str(part) for part in parts if part is not None)


def _redacted(entry: dict[str, Any], redact: Callable[[str], str]) -> dict[str, Any]:
    redacted: dict[str, Any] = redacted_value(json.dumps(entry), redact)
    return redacted


def _tell(report: Report, kept: KeptRun | None) -> None:
    id = "not kept" if kept is None else kept.id
    for call, place in report.refusals:
        _logger.warning(
            "call refused: experience %s, code %s, place %s (%s of %s, run %s)",
            report.experience,
            call["error"]["code"],
            place or "unknown",
            call["verb"],
            call["integration"],
            id,
        )
    if report.outcome == "failed" and report.error is not None:
        _logger.warning(
            "run failed: experience %s, code %s, place %s (run %s)",
            report.experience,
            report.error.code,
            place_of(report.error) or "unknown",
            id,
        )
