"""Executions as the pages show them: the documents of the API, and a few words for people."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from experience_runtime.documents.documents import (
    Redact,
    change_document,
    execution_document,
    whole_attempt_document,
)
from experience_runtime.domain.executions import Attempt, Change, Execution, Status
from experience_runtime.web.pages.timeline import Picture, Point, around_now
from experience_runtime.web.pages.wording import relative, utc_text

_ZONE_FROM = {
    "window": "the zone of its window or schedule",
    "visitor_zone": "the visitor's zone",
    "visitor_offset": "the visitor's offset from UTC",
    "default": "no zone is known",
}


def rows_of(
    executions: Sequence[Execution], held: Mapping[str, str], *, redact: Redact, now: datetime
) -> list[dict[str, Any]]:
    """Rows of a table of executions."""
    return [row_of(each, held.get(each.id), redact=redact, now=now) for each in executions]


def row_of(execution: Execution, held: str | None, *, redact: Redact, now: datetime) -> dict[str, Any]:
    """One execution: its document, and whom and what it belongs to."""
    document = execution_document(execution, held=held, redact=redact)
    return document | {
        "held": _redacted(held, redact),
        "zone_said": _ZONE_FROM.get(execution.zone_from, execution.zone_from),
        "visitor": execution.visitor,
        "experience": execution.experience,
        "schedule": execution.schedule,
        "window": execution.window,
        "cancel_on_conversion": execution.cancel_on_conversion,
        "relative": relative(execution.due_at, now),
        "created_at": execution.created_at.isoformat(),
        "can_cancel": execution.status is Status.PENDING,
        "can_replay": execution.status in (Status.FAILED, Status.SUCCEEDED),
    }


def picture_of(executions: Sequence[Execution], now: datetime) -> Picture:
    """The picture over a table of executions."""
    return around_now(
        [
            Point(
                at=each.due_at,
                status=each.status,
                title=f"{utc_text(each.due_at)} UTC {each.status.value}: {each.integration}"
                + (f" for {each.visitor}" if each.visitor else ""),
            )
            for each in executions
        ],
        now,
    )


def changes_of(changes: Sequence[Change], *, redact: Redact) -> list[dict[str, Any]]:
    return [change_document(each, redact=redact) for each in changes]


def attempts_of(attempts: Sequence[Attempt], *, redact: Redact) -> list[dict[str, Any]]:
    """Attempts with how long each took."""
    rows = []
    for number, each in enumerate(attempts, 1):
        took = None if each.ended_at is None else (each.ended_at - each.started_at).total_seconds()
        rows.append(
            whole_attempt_document(each)
            | {
                "number": number,
                "took": None if took is None else f"{took:.3f} s",
                "error": _redacted(each.error, redact),
                "answer": _redacted(each.answer, redact),
            }
        )
    return rows


def _redacted(text: str | None, redact: Redact) -> str | None:
    return None if text is None else redact(text)
