"""Attempt lines: what the log says of one that failed, is tried again, or was lost; and what a span says.

Never a payload.
"""

import logging

from experience_runtime.domain.executions import Execution, Status
from experience_runtime.domain.instants import iso
from experience_runtime.engine.attempt import Outcome
from experience_runtime.engine.judging import Ended
from experience_runtime.log_context import hiding, payload_texts
from experience_runtime.tracing import Span

_MOST_ERROR_CHARS = 300

_logger = logging.getLogger("experience_runtime.attempts")


def tell_ended(ended: Ended, row: Execution | None) -> None:
    """One line for an attempt that did not succeed; `row` is how it was settled, None when it was not."""
    execution, outcome, settlement = ended.execution, ended.outcome, ended.settlement
    about = {**_about(execution), "outcome": settlement.outcome, "code": outcome.code}
    if row is None:
        _logger.warning(
            "attempt %d of %s ended as %s, but the row had moved on; nothing was changed",
            execution.attempt,
            execution.id,
            settlement.status,
            extra=about,
        )
        return
    if outcome.code is None or settlement.held:
        return  # what waits for a window or for a pace has used up no try
    error = _error(outcome.error or outcome.code, execution)
    answered = "" if outcome.http_status is None else f" (HTTP {outcome.http_status})"
    _logger.log(
        logging.WARNING if row.status is not Status.FAILED else logging.ERROR,
        "attempt %d of %s of %s failed with %s%s: %s; %s",
        execution.attempt,
        execution.id,
        execution.integration,
        outcome.code,
        answered,
        error,
        _then(row),
        extra=about | _after(row) | {"http_status": outcome.http_status, "error": error},
    )


def tell_span(span: Span, execution: Execution, outcome: Outcome) -> None:
    """What a span says of an attempt."""
    span.name(f"attempt {execution.integration}")
    span.note({"experience.integration": execution.integration, "experience.attempt": execution.attempt})
    if outcome.http_status is not None:
        span.note({"http.response.status_code": outcome.http_status})
    if outcome.code is not None:
        span.fail(outcome.code)


def tell_given_back(row: Execution, why: str) -> None:
    """One line for what its worker no longer holds; `row` is as it is now."""
    was_lost = row.reason == "lost"
    _logger.warning(
        "%s %s: %s; %s",
        row.id,
        why,
        f"{'the last attempt at' if was_lost else 'its attempt at'} {row.integration} "
        + ("was lost, and may have acted" if was_lost else "had not begun"),
        _then(row),
        extra={**_about(row), **_after(row), "outcome": "lost" if was_lost else "unclaimed"},
    )


def _error(text: str, execution: Execution) -> str:
    first, _, rest = hiding(text, payload_texts(execution.payload)).partition("\n")
    return first if len(first) <= _MOST_ERROR_CHARS and not rest else first[:_MOST_ERROR_CHARS] + " …"


def _about(execution: Execution) -> dict[str, object]:
    return {"execution": execution.id, "integration": execution.integration, "attempt": execution.attempt}


def _after(row: Execution) -> dict[str, object]:
    return {
        "status": row.status.value,
        "next_try": iso(row.due_at) if row.status is Status.PENDING else None,
    }


def _then(row: Execution) -> str:
    if row.status is Status.PENDING:
        return f"the next try is at {iso(row.due_at)}"
    return f"it is {row.status} now"
