"""What every store does: it claims, starts, settles, and says when to look again."""

from dataclasses import replace
from datetime import timedelta

from experience_runtime.domain.executions import (
    Attempt,
    Settlement,
    Status,
)
from experience_runtime.engine.stores import Store

from tests.support.executions import (
    LATER,
    LEASE,
    NOW,
    SUCCEEDED,
    add,
    an_execution,
    claim,
    keyed,
    postpone,
    running,
    settle,
    start,
    states,
)

# --- claim, postpone, start


def test_claim_takes_what_is_due_earliest_first(store: Store) -> None:
    add(
        store,
        replace(an_execution(1), due_at=NOW),
        replace(an_execution(2), due_at=NOW - timedelta(seconds=2)),
        replace(an_execution(3), due_at=NOW + timedelta(milliseconds=1)),
        replace(an_execution(4), due_at=NOW - timedelta(seconds=1)),
    )

    first = claim(store, limit=2)

    assert [e.number for e in first] == [2, 4]
    assert [(e.attempt, e.status, e.lease_until) for e in first] == [(1, "pending", NOW + LEASE)] * 2
    assert [e.number for e in claim(store)] == [1]
    assert claim(store) == []


def test_a_postponed_row_waits_for_its_opening(store: Store) -> None:
    add(store, an_execution(1))
    (claimed,) = claim(store)

    assert postpone(store, claimed, LATER)

    assert store.next_wake(now=NOW) == LATER
    assert claim(store) == []
    (again,) = claim(store, now=LATER)
    assert (again.due_at, again.attempt, again.begun) == (LATER, 2, 0)
    assert not postpone(store, claimed, LATER)
    assert len(store.history(1)) == 1


def test_start_begins_one_attempt_and_renews_the_lease(store: Store) -> None:
    add(store, an_execution(1))
    (claimed,) = claim(store)

    assert start(store, claimed, now=LATER)

    row = store.execution(1)
    assert (row.status, row.begun, row.lease_until) == (Status.RUNNING, 1, LATER + LEASE)
    assert store.attempts(1) == [Attempt(attempt=1, started_at=LATER)]
    assert states(store.history(1))[1:] == [("pending", "running", None)]
    assert not start(store, claimed)
    assert not start(store, replace(claimed, attempt=2))


def test_an_unclaimed_row_cannot_be_started(store: Store) -> None:
    add(store, an_execution(1))

    assert not start(store, store.execution(1))


# --- settle


def test_success_ends_the_row_and_its_attempt(store: Store) -> None:
    claimed = running(store, an_execution(1))

    row = settle(store, 1, claimed.attempt, SUCCEEDED, now=LATER)

    assert row == store.execution(1)
    assert row.status is Status.SUCCEEDED
    assert row.lease_until is None
    assert store.attempts(1) == [
        Attempt(
            attempt=1,
            started_at=NOW,
            ended_at=LATER,
            outcome="succeeded",
            http_status=200,
            answer='{"ok":true}',
        )
    ]
    assert states(store.history(1))[-1] == ("running", "succeeded", None)
    assert store.next_wake(now=NOW) is None


def test_a_retry_waits_again_and_keeps_the_attempt(store: Store) -> None:
    claimed = running(store, keyed(1))
    retry = Settlement(
        status=Status.PENDING,
        reason="integration_failed",
        due_at=LATER,
        because="Retry-After said 1 h",
        http_status=503,
        error="down",
    )

    row = settle(store, 1, claimed.attempt, retry, now=NOW)

    assert row is not None
    assert (row.status, row.due_at, row.begun, row.lease_until) == (Status.PENDING, LATER, 1, None)
    (attempt,) = store.attempts(1)
    assert (attempt.outcome, attempt.http_status, attempt.error) == ("retry", 503, "down")
    assert (attempt.next_at, attempt.next_because) == (LATER, "Retry-After said 1 h")
    (again,) = claim(store, now=LATER)
    assert start(store, again, now=LATER)
    assert store.execution(1).reason is None
    assert [a.attempt for a in store.attempts(1)] == [1, 2]


def test_a_retry_whose_key_waits_again_ends_as_replaced(store: Store) -> None:
    claimed = running(store, keyed(1))
    add(store, keyed(2))

    row = settle(store, 1, claimed.attempt, Settlement(status=Status.PENDING, due_at=LATER), now=NOW)

    assert row is not None
    assert (row.status, row.reason) == (Status.CANCELLED, "replaced")
    assert states(store.history(1))[-2:] == [
        ("running", "pending", None),
        ("pending", "cancelled", "replaced"),
    ]
    assert [e.number for e in claim(store, now=LATER)] == [2]


def test_a_stale_worker_settles_nothing(store: Store) -> None:
    claimed = running(store, an_execution(1))
    store.give_back(now=NOW + LEASE)
    (again,) = claim(store, now=NOW + LEASE)
    assert start(store, again, now=NOW + LEASE)

    assert settle(store, 1, claimed.attempt, SUCCEEDED, now=LATER) is None

    assert store.execution(1).status is Status.RUNNING
    assert store.attempts(1)[1].ended_at is None
    assert settle(store, 1, again.attempt, SUCCEEDED, now=LATER) is not None
    assert settle(store, 1, again.attempt, SUCCEEDED, now=LATER) is None


# --- next_wake


def test_next_wake_is_the_earliest_due_or_lapse(store: Store) -> None:
    assert store.next_wake(now=NOW) is None

    add(store, replace(an_execution(1), due_at=LATER))
    assert store.next_wake(now=NOW) == LATER

    add(store, an_execution(2))
    assert store.next_wake(now=NOW) == NOW

    (claimed,) = claim(store)
    assert store.next_wake(now=NOW) == NOW + LEASE

    start(store, claimed)
    settle(store, 2, claimed.attempt, SUCCEEDED, now=NOW)
    assert store.next_wake(now=NOW) == LATER
