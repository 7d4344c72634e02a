"""What every store does: it gives back what lapsed and replays what finished."""

from dataclasses import replace
from datetime import timedelta

import pytest
from experience_runtime.domain.errors import AlreadyScheduled
from experience_runtime.domain.executions import (
    TRANSITIONS,
    Settlement,
    Status,
)
from experience_runtime.engine.stores import Store

from tests.support.executions import (
    FAILED,
    LATER,
    LEASE,
    NOW,
    SUCCEEDED,
    add,
    an_execution,
    claim,
    keyed,
    running,
    settle,
    start,
    states,
)

# --- give back


def test_a_lapsed_claim_is_claimed_again(store: Store) -> None:
    add(store, an_execution(1))
    (claimed,) = claim(store)

    assert store.give_back(now=NOW + LEASE - timedelta(milliseconds=1)) == []
    (row,) = store.give_back(now=NOW + LEASE)

    assert row == store.execution(1)
    assert (row.status, row.lease_until, row.begun) == (Status.PENDING, None, 0)
    assert not start(store, claimed)
    assert [e.attempt for e in claim(store)] == [2]
    assert len(store.history(1)) == 1


def test_a_lapsed_run_is_lost_and_waits_again(store: Store) -> None:
    running(store, an_execution(1))

    (row,) = store.give_back(now=NOW + LEASE)

    assert (row.status, row.due_at, row.lease_until, row.begun) == (Status.PENDING, NOW, None, 1)
    (attempt,) = store.attempts(1)
    assert (attempt.outcome, attempt.ended_at) == ("lost", NOW + LEASE)
    assert states(store.history(1))[-1] == ("running", "pending", "lost")


@pytest.mark.parametrize("retries", [0, 1])
def test_a_lapsed_run_without_retries_left_has_failed(store: Store, retries: int) -> None:
    running(store, replace(an_execution(1), retries=retries))
    for _ in range(retries):
        store.give_back(now=NOW + LEASE)
        (again,) = claim(store)
        assert start(store, again)

    (row,) = store.give_back(now=NOW + LEASE)

    assert (row.status, row.reason, row.begun) == (Status.FAILED, "lost", retries + 1)
    assert store.attempts(1)[0].outcome == "lost"


def test_a_lapsed_run_whose_key_waits_again_ends_as_replaced(store: Store) -> None:
    running(store, keyed(1))
    add(store, keyed(2))

    (row,) = store.give_back(now=NOW + LEASE)

    assert (row.number, row.status, row.reason) == (1, Status.CANCELLED, "replaced")


def test_everything_comes_back_but_what_may_be_another_process_s_execute(store: Store) -> None:
    running(store, an_execution(1))
    add(store, an_execution(2))
    claim(store)
    execute = replace(
        an_execution(3), status=Status.RUNNING, attempt=1, begun=1, retries=0, lease_until=NOW + LEASE
    )
    add(store, execute)

    given_back = store.give_back(now=NOW, everything=True)

    assert sorted(e.number for e in given_back) == [1, 2]
    assert store.execution(3).status is Status.RUNNING
    assert [e.number for e in store.give_back(now=NOW + LEASE, everything=True)] == [3]


# --- replay


@pytest.mark.parametrize("ending", [SUCCEEDED, FAILED])
def test_a_finished_execution_can_be_replayed(store: Store, ending: Settlement) -> None:
    claimed = running(store, an_execution(1))
    settle(store, 1, claimed.attempt, ending, now=NOW)

    row = store.replay(1, reason="replayed", now=LATER)

    assert row == store.execution(1)
    assert (row.status, row.due_at, row.begun) == (Status.PENDING, LATER, 0)
    assert states(store.history(1))[-1] == (ending.status, "pending", "replayed")
    (again,) = claim(store, now=LATER)
    assert start(store, again, now=LATER)
    assert [a.attempt for a in store.attempts(1)] == [1, 2]


def test_only_a_finished_execution_can_be_replayed(store: Store) -> None:
    add(store, an_execution(1), an_execution(2))
    store.cancel(2, reason=None, now=NOW)

    assert store.replay(1, reason=None, now=NOW) is None
    assert store.replay(2, reason=None, now=NOW) is None
    assert store.replay(404, reason=None, now=NOW) is None


def test_a_replay_is_refused_while_its_key_is_pending_again(store: Store) -> None:
    claimed = running(store, keyed(1))
    settle(store, 1, claimed.attempt, FAILED, now=NOW)
    add(store, keyed(2))

    with pytest.raises(AlreadyScheduled):
        store.replay(1, reason=None, now=NOW)

    assert store.execution(1).status is Status.FAILED


# --- all of them


def test_every_change_in_a_long_history_is_one_of_the_table(store: Store) -> None:
    claimed = running(store, keyed(1))
    settle(store, 1, claimed.attempt, Settlement(status=Status.PENDING, due_at=NOW), now=NOW)
    (claimed,) = claim(store)
    start(store, claimed)
    store.give_back(now=NOW + LEASE)
    (claimed,) = claim(store)
    start(store, claimed)
    settle(store, 1, claimed.attempt, FAILED, now=NOW)
    store.replay(1, reason="replayed", now=NOW)
    (claimed,) = claim(store)
    start(store, claimed)
    add(store, keyed(2))
    settle(store, 1, claimed.attempt, Settlement(status=Status.PENDING, due_at=NOW), now=NOW)

    changes = store.history(1)

    assert len(changes) == 11
    assert all(change.to_status in TRANSITIONS[change.from_status] for change in changes)
    assert [c.from_status for c in changes[1:]] == [c.to_status for c in changes[:-1]]


@pytest.mark.parametrize("status", [Status.RUNNING, Status.CANCELLED])
def test_a_change_that_is_none_is_refused_and_nothing_is_stored(store: Store, status: Status) -> None:
    claimed = running(store, an_execution(1))
    before = store.execution(1), store.history(1), store.attempts(1)

    with pytest.raises(ValueError, match=f"from running to {status}"):
        settle(store, 1, claimed.attempt, Settlement(status=status), now=NOW)

    assert (store.execution(1), store.history(1), store.attempts(1)) == before


def test_a_renewed_lease_lapses_later(store: Store) -> None:
    add(store, an_execution(1), an_execution(2))
    first, second = claim(store)
    start(store, first)

    store.renew([(1, first.attempt), (2, second.attempt + 1)], lease_until=NOW + LEASE * 3)

    assert [each.number for each in store.give_back(now=NOW + LEASE * 2)] == [2]
    assert store.execution(1).lease_until == NOW + LEASE * 3


def test_what_has_settled_is_not_renewed(store: Store) -> None:
    claimed = running(store, an_execution(1))
    settle(store, 1, claimed.attempt, SUCCEEDED, now=NOW)

    store.renew([(1, claimed.attempt)], lease_until=LATER)

    assert store.execution(1).lease_until is None


# --- move


def test_a_move_takes_a_claim_back_and_leaves_what_runs(store: Store) -> None:
    add(store, an_execution(1))
    (claimed,) = claim(store)

    moved = store.move(1, due_at=LATER, reason="a fair", now=NOW)

    assert moved == store.execution(1)
    assert moved is not None
    assert (moved.due_at, moved.requested_at, moved.status, moved.lease_until) == (
        LATER,
        LATER,
        Status.PENDING,
        None,
    )
    assert not start(store, claimed)
    assert claim(store) == []
    assert states(store.history(1))[-1][:2] == ("pending", "pending")
    running(store, an_execution(2))
    assert store.move(2, due_at=LATER, reason=None, now=NOW) is None
    assert store.move(3, due_at=LATER, reason=None, now=NOW) is None
    assert store.execution(2).due_at == NOW
