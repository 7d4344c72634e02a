"""The diagnosis of an execution: one sentence that says what is the matter, whatever became of it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from experience_runtime.documents.diagnosis import diagnosis
from experience_runtime.domain.executions import Attempt, Change, Execution, Status

from tests.support.executions import NOW, an_execution

DUE = "2026-03-02T07:00:00.250-05:00"
BAD = '{"error":{"message":"invalid recipient"}}'


def tries(count: int, minutes: float = 2, **last: object) -> list[Attempt]:
    """As many failed attempts, the last of them with these fields."""
    made = [
        Attempt(
            attempt=n + 1,
            started_at=NOW + timedelta(minutes=n * minutes),
            ended_at=NOW + timedelta(minutes=n * minutes),
            outcome="retry",
            http_status=503,
            error="the receiver answered 503",
        )
        for n in range(count)
    ]
    return [*made[:-1], replace(made[-1], **last)]  # type: ignore[arg-type]


def change(old: Status, new: Status, **fields: object) -> Change:
    given: dict[str, object] = {"at": NOW, "reason": None, **fields}
    return Change(from_status=old, to_status=new, **given)  # type: ignore[arg-type]


PENDING = an_execution()
FAILED = replace(PENDING, status=Status.FAILED, reason="integration_failed")
CANCELLED = replace(PENDING, status=Status.CANCELLED, reason="cancelled")
REPLAYED = change(Status.FAILED, Status.PENDING, at=NOW + timedelta(minutes=5))
BY_ADA = change(Status.PENDING, Status.CANCELLED, actor="ada")
CASES: list[tuple[Execution, Sequence[Attempt], Sequence[Change], str]] = [
    (
        FAILED,
        tries(6, http_status=400, answer=BAD),
        (),
        "Failed after 6 tries in 10 min; last answer HTTP 400: invalid recipient",
    ),
    (FAILED, tries(1, answer="no such\nroom"), (), "Failed after 1 try; last answer HTTP 503: no such room"),
    (
        FAILED,
        tries(1, answer="<html>oops"),
        (),
        "Failed after 1 try; last answer HTTP 503: the receiver answered 503",
    ),
    (
        FAILED,
        tries(2, http_status=None, error="no route", answer='{"errors":[{"detail":{}}]}'),
        (),
        "Failed after 2 tries in 2 min; last error: no route",
    ),
    (FAILED, tries(1, answer="[" * 9000), (), "Failed after 1 try; last answer HTTP 503: " + "[" * 199 + "…"),
    (replace(FAILED, reason="not_configured"), (), (), "Failed before any try: not_configured"),
    (
        FAILED,
        [*tries(2), *(replace(a, started_at=NOW + timedelta(minutes=6)) for a in tries(1))],
        [REPLAYED],
        "Failed after 1 try; last answer HTTP 503: the receiver answered 503",
    ),
    (PENDING, (), (), "Waits for its time, 2026-03-02 07:00:00 America/New_York"),
    (PENDING, tries(2), [REPLAYED], "Waits again for its time, 2026-03-02 07:00:00 America/New_York"),
    (PENDING, tries(1, outcome="held"), (), "Waits for its time, 2026-03-02 07:00:00 America/New_York"),
    (
        PENDING,
        tries(
            2, next_because="Retry-After said 3 s; its window was closed then", http_status=429, error=None
        ),
        (),
        "Failed 2 tries in 2 min, next try at 2026-03-02 07:00:00 America/New_York "
        "(Retry-After said 3 s; its window was closed then); last answer HTTP 429",
    ),
    (replace(PENDING, status=Status.RUNNING), tries(2), (), "Runs: the second try has no answer yet"),
    (replace(PENDING, status=Status.SUCCEEDED), tries(1), (), "Delivered at the first try"),
    (
        replace(PENDING, status=Status.SUCCEEDED),
        tries(3),
        (),
        "Delivered at the third try, 4 min after the first",
    ),
    (replace(CANCELLED, reason="conversion"), (), (), "Cancelled, as its visitor converted"),
    (replace(CANCELLED, reason="replaced"), (), (), "Cancelled, as the same key was scheduled again"),
    (CANCELLED, (), (), "Cancelled"),
    (replace(CANCELLED, reason="over"), (), [BY_ADA], "Cancelled by ada: over"),
]


@pytest.mark.parametrize(("execution", "attempts", "history", "said"), CASES)
def test_the_diagnosis_says_what_is_the_matter(
    execution: Execution, attempts: Sequence[Attempt], history: Sequence[Change], said: str
) -> None:
    assert diagnosis(execution, attempts, history, held=None, due_local=DUE, redact=str) == said


def test_a_secret_is_taken_out_before_an_answer_is_cut() -> None:
    attempts = tries(1, answer="x" * 196 + "s3cret-token")

    said = diagnosis(
        FAILED,
        attempts,
        [],
        held=None,
        due_local=DUE,
        redact=lambda text: text.replace("s3cret-token", "[redacted]"),
    )

    assert "s3cr" not in said


def test_what_holds_it_is_said_too() -> None:
    said = diagnosis(PENDING, [], [], held="slack-update is paused", due_local=DUE, redact=str)

    assert said == "Waits, due at 2026-03-02 07:00:00 America/New_York; slack-update is paused"
