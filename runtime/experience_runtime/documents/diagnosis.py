"""Diagnosis: what is the matter with one execution, in one sentence."""

import json
from collections.abc import Callable, Sequence

from experience_runtime.domain.executions import Attempt, Change, Execution, Status
from experience_runtime.domain.spans import span_text

_TOLD = ("error", "message", "detail", "description", "title", "reason", "errors")
_LONGEST = 200


Plain = Callable[[str], str]


def diagnosis(
    execution: Execution,
    attempts: Sequence[Attempt],
    history: Sequence[Change],
    *,
    held: str | None,
    due_local: str,
    redact: Callable[[str], str],
) -> str:
    """Say it: `Failed after 6 tries in 10 min; last answer HTTP 400: invalid recipient`.

    Of a replayed one, the tries since. `held` and `due_local` are as its document has them.
    """

    def plain(text: str) -> str:
        """On one line; redacted before it is cut."""
        line = " ".join(redact(text).split())
        return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"

    replayed = [each.at for each in history if each.to_status is Status.PENDING and _was_over(each)]
    tried = [
        each
        for each in attempts
        if each.outcome != "held" and (not replayed or each.started_at >= replayed[-1])
    ]
    match execution.status:
        case Status.PENDING:
            due = f"{due_local[:19].replace('T', ' ')} {execution.zone}"
            waits = "Waits again" if replayed else "Waits"
            time = f", due at {due}" if held else f" for its time, {due}"
            said = _next(tried, due, plain) if tried else waits + time
            said += f"; {held}" if held else ""
        case Status.RUNNING:
            said = f"Runs: the {_nth(len(tried))} try has no answer yet"
        case Status.SUCCEEDED:
            said = f"Delivered at the {_nth(len(tried))} try{_after(tried)}"
        case Status.FAILED if not tried:
            said = f"Failed before any try: {plain(execution.reason or 'nobody said why')}"
        case Status.FAILED:
            said = f"Failed after {_tries(tried)}{_last(tried, plain)}"
        case _:
            said = _cancelled(execution, history, plain)
    return said


def _was_over(change: Change) -> bool:
    return change.from_status in (Status.FAILED, Status.SUCCEEDED, Status.CANCELLED)


def _next(tried: Sequence[Attempt], due: str, plain: Plain) -> str:
    because = f" ({tried[-1].next_because})" if tried[-1].next_because else ""
    return f"Failed {_tries(tried)}, next try at {due}{because}{_last(tried, plain)}"


def _cancelled(execution: Execution, history: Sequence[Change], plain: Plain) -> str:
    match execution.reason:
        case "conversion":
            return "Cancelled, as its visitor converted"
        case "replaced":
            return "Cancelled, as the same key was scheduled again"
    actor = history[-1].actor if history else None
    by = f" by {plain(actor)}" if actor else ""
    given = execution.reason if execution.reason != "cancelled" else None
    return f"Cancelled{by}" + (f": {plain(given)}" if given else "")


def _tries(tried: Sequence[Attempt]) -> str:
    return "1 try" if len(tried) == 1 else f"{len(tried)} tries{_over(tried, ' in ')}"


def _after(tried: Sequence[Attempt]) -> str:
    return "" if len(tried) < 2 else f"{_over(tried, ', ')} after the first"


def _over(tried: Sequence[Attempt], before: str) -> str:
    first, last = tried[0].started_at, tried[-1].ended_at or tried[-1].started_at
    return before + span_text((last - first).total_seconds())


def _last(tried: Sequence[Attempt], plain: Plain) -> str:
    last = tried[-1]
    said = _answer(last.answer, plain) or plain(last.error or "")
    if last.http_status is not None:
        return f"; last answer HTTP {last.http_status}" + (f": {said}" if said else "")
    return f"; last error: {said}" if said else ""


def _answer(text: str | None, plain: Plain) -> str:
    """What an answer tells people: the message in its JSON, or its text; nothing of a web page."""
    if text is None or text.lstrip()[:1] == "<":
        return ""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return plain(text)
    for _ in range(3):  # {"error": {"message": "…"}}, {"errors": [{"detail": "…"}]}
        if isinstance(value, list):
            value = value[0] if value else None
        if isinstance(value, dict):
            value = next((value[name] for name in _TOLD if value.get(name)), None)
    return plain(value) if isinstance(value, str) else ""


def _nth(number: int) -> str:
    return {1: "first", 2: "second", 3: "third"}.get(number, f"{number}th")
