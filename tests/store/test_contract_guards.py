"""Guards that every store keeps: what is claimed anew is out of reach of whoever claimed it before."""

from dataclasses import replace
from datetime import timedelta

import pytest
from experience_runtime.domain.errors import Conflict
from experience_runtime.domain.executions import Settlement, Status
from experience_runtime.domain.workers import FORGOTTEN, WorkerInfo
from experience_runtime.engine.stores import Store

from tests.support.executions import (
    FAILED,
    KEY,
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
)

AGAIN = Settlement(status=Status.PENDING, reason="integration_failed", due_at=LATER)
LAPSED = NOW + LEASE


def claimed_twice(store: Store) -> None:
    """Let a claim lapse, and another worker claim the row: its attempt is 2 from now on."""
    add(store, replace(an_execution(1), retries=5))
    claim(store)
    store.give_back(now=LAPSED)
    (again,) = claim(store, now=LAPSED)
    assert again.attempt == 2


def test_an_old_claim_starts_nothing(store: Store) -> None:
    claimed_twice(store)

    assert store.start_all([(1, 1)], now=LAPSED, lease_until=LAPSED + LEASE) == set()

    assert (store.execution(1).status, store.attempts(1)) == (Status.PENDING, [])


def test_an_old_claim_gives_nothing_back_and_postpones_nothing(store: Store) -> None:
    claimed_twice(store)

    store.unclaim_all([(1, 1)])
    assert store.postpone_all([(1, 1, LATER)]) == set()

    row = store.execution(1)
    assert (row.lease_until, row.due_at) == (LAPSED + LEASE, NOW)


def test_an_old_claim_renews_nothing(store: Store) -> None:
    claimed_twice(store)

    store.renew([(1, 1)], lease_until=LATER)

    assert store.execution(1).lease_until == LAPSED + LEASE


@pytest.mark.parametrize("settlement", [AGAIN, SUCCEEDED])
def test_an_old_attempt_settles_nothing(store: Store, settlement: Settlement) -> None:
    running(store, replace(an_execution(1), retries=5))
    store.give_back(now=LAPSED)
    (again,) = claim(store, now=LAPSED)
    assert start(store, again, now=LAPSED)

    assert settle(store, 1, 1, settlement, now=LAPSED) is None

    row, (first, second) = store.execution(1), store.attempts(1)
    assert (row.status, row.lease_until) == (Status.RUNNING, LAPSED + LEASE)
    assert (first.outcome, second.outcome) == ("lost", None)


def test_an_attempt_that_has_ended_stays_as_it_ended(store: Store) -> None:
    running(store, replace(an_execution(1), retries=5))
    store.give_back(now=LAPSED)
    before = store.attempts(1)

    settle(store, 1, 1, AGAIN, now=LATER)
    settle(store, 1, 1, SUCCEEDED, now=LATER)

    assert store.attempts(1) == before


def test_what_is_cancelled_by_its_key_is_leased_to_nobody(store: Store) -> None:
    add(store, keyed(1))
    claim(store)

    assert store.cancel_key(key_digest=KEY, key_owner="ada", reason=None, now=NOW) == [store.execution(1).id]

    row = store.execution(1)
    assert (row.status, row.lease_until) == (Status.CANCELLED, None)
    assert (store.in_flight(), store.next_wake(now=NOW)) == (0, None)


def test_what_is_cancelled_by_its_number_is_leased_to_nobody(store: Store) -> None:
    add(store, keyed(1))
    claim(store)

    assert store.cancel(1, reason=None, now=NOW)

    row = store.execution(1)
    assert (row.status, row.lease_until) == (Status.CANCELLED, None)
    assert (store.in_flight(), store.next_wake(now=NOW)) == (0, None)


def test_a_conversion_of_the_very_instant_it_was_scheduled_at_keeps_a_replay_out(store: Store) -> None:
    running(store, replace(keyed(1), cancel_on_conversion=True))
    settle(store, 1, 1, FAILED, now=NOW)
    store.convert("ada", event="bought", now=NOW)

    with pytest.raises(Conflict, match="has converted since"):
        store.replay(1, reason=None, now=LATER)

    assert store.execution(1).status is Status.FAILED


def test_a_conversion_stops_the_retry_of_its_own_visitor_only_where_that_was_asked(store: Store) -> None:
    for number, visitor, asks in ((1, "ada", True), (2, "bob", True), (3, "ada", False)):
        running(store, replace(an_execution(number), visitor=visitor, cancel_on_conversion=asks))
    store.convert("ada", event="bought", now=NOW)

    for number in (1, 2, 3):
        settle(store, number, 1, AGAIN, now=NOW)

    found = [store.execution(number).status for number in (1, 2, 3)]
    assert found == [Status.CANCELLED, Status.PENDING, Status.PENDING]


@pytest.mark.parametrize(("late", "is_known"), [(timedelta(0), True), (timedelta(milliseconds=1), False)])
def test_a_worker_is_forgotten_once_it_was_silent_for_longer_than_it_may_be(
    store: Store, late: timedelta, is_known: bool
) -> None:
    silent = WorkerInfo(
        id="silent",
        host="a",
        pid=1,
        version="1",
        concurrency=4,
        integrations=None,
        started_at=NOW,
        beat_at=NOW,
    )
    store.workers.beat(silent)
    now = NOW + FORGOTTEN + late

    known = store.workers.beat(replace(silent, id="other", started_at=now, beat_at=now))

    assert ("silent" in [each.id for each in known]) == is_known


def test_a_retry_gives_way_to_a_newer_run_under_its_own_key_only(store: Store) -> None:
    running(store, keyed(1, owner="ada"))
    running(store, keyed(2, owner="bob"))

    settle(store, 1, 1, AGAIN, now=NOW)

    assert store.execution(1).status is Status.PENDING


def test_what_is_due_first_is_claimed_first_whatever_its_number(store: Store) -> None:
    early = [replace(an_execution(number), due_at=NOW - timedelta(seconds=number)) for number in (1, 2, 3, 4)]
    add(store, *early)

    taken = [claim(store, limit=1)[0].number for _ in early]

    assert taken == [4, 3, 2, 1]


def test_a_mark_from_before_the_clock_was_put_back_by_minutes_keeps_nobody_out(store: Store) -> None:
    later = NOW + timedelta(minutes=2, seconds=30)
    assert store.allow_execute(key_digest=KEY, key_owner="ada", now=later, per_seconds=60)

    assert store.allow_execute(key_digest=KEY, key_owner="ada", now=NOW, per_seconds=60)


@pytest.mark.parametrize("status", [Status.PENDING, Status.RUNNING, Status.CANCELLED])
def test_only_what_has_ended_by_itself_is_replayed(store: Store, status: Status) -> None:
    if status is Status.RUNNING:
        running(store, an_execution(1))
    else:
        add(store, an_execution(1))
    if status is Status.CANCELLED:
        store.cancel(1, reason=None, now=NOW)

    assert store.replay(1, reason="again", now=NOW) is None

    assert store.execution(1).status is status
