"""What every store does: it counts, cancels and replays many at once, by filter."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from experience_runtime.domain.executions import Filter, IfExists, Settlement, Status, execution_id
from experience_runtime.engine.stores import Store

from tests.support.executions import (
    FAILED,
    LATER,
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


def ended(store: Store, number: int, settlement: Settlement = FAILED, **fields: Any) -> None:
    claimed = running(store, replace(an_execution(number), **fields))
    settle(store, number, claimed.attempt, settlement, now=NOW)


def one_of_each_state(store: Store) -> None:
    """1 succeeded, 2 failed, 3 cancelled, 4 running, 5 claimed, 6 waits."""
    ended(store, 1, SUCCEEDED)
    ended(store, 2, FAILED)
    add(store, an_execution(3))
    store.cancel(3, reason=None, now=NOW)
    running(store, an_execution(4))
    add(store, an_execution(5))
    claim(store)
    add(store, an_execution(6))


def test_only_pending_ones_are_cancelled_and_a_claimed_one_is_pending(store: Store) -> None:
    one_of_each_state(store)

    ids = store.cancel_each([6, 5, 4, 3, 2, 1, 404, 2**64], reason="a mistake", now=LATER)

    assert sorted(ids) == [execution_id(5), execution_id(6)]
    assert states(store.history(5))[-1] == ("pending", "cancelled", "a mistake")
    assert store.execution(6).reason == "a mistake"
    assert [store.execution(n).status for n in (1, 2, 3, 4)] == [
        "succeeded",
        "failed",
        "cancelled",
        "running",
    ]


def test_a_claimed_one_that_was_cancelled_among_many_does_not_start(store: Store) -> None:
    add(store, an_execution(1), an_execution(2))
    claimed = claim(store)

    store.cancel_each([1, 2], reason=None, now=NOW)

    assert [start(store, each) for each in claimed] == [False, False]
    assert store.next_wake(now=NOW) is None


def test_only_finished_ones_are_replayed(store: Store) -> None:
    one_of_each_state(store)

    ids = store.replay_each([1, 2, 3, 4, 5, 6, 404, 2**64], reason="their outage", now=LATER)

    assert sorted(ids) == [execution_id(1), execution_id(2)]
    for number in (1, 2):
        row = store.execution(number)
        assert (row.status, row.due_at, row.begun, row.reason) == (Status.PENDING, LATER, 0, "their outage")
        assert states(store.history(number))[-1][1:] == ("pending", "their outage")
        assert len(store.attempts(number)) == 1


def test_one_whose_key_is_pending_again_is_passed_over_and_the_others_are_replayed(store: Store) -> None:
    ended(store, 1)
    claimed = running(store, keyed(2))
    settle(store, 2, claimed.attempt, FAILED, now=NOW)
    ended(store, 3)
    add(store, keyed(4))

    ids = store.replay_each([3, 2, 1], reason=None, now=LATER)

    assert sorted(ids) == [execution_id(1), execution_id(3)]
    assert store.execution(2).status is Status.FAILED
    assert states(store.history(2))[-1] == ("running", "failed", "integration_failed")


def test_of_two_under_one_key_the_first_named_is_replayed(store: Store) -> None:
    for number in (1, 2):
        claimed = running(store, keyed(number))
        settle(store, number, claimed.attempt, FAILED, now=NOW)

    assert store.replay_each([2, 1], reason=None, now=LATER) == [execution_id(2)]

    assert store.execution(1).status is Status.FAILED


def test_none_of_nothing_is_done(store: Store) -> None:
    assert store.cancel_each([], reason=None, now=NOW) == []
    assert store.replay_each([], reason=None, now=NOW) == []


# --- which are meant

HOUR = timedelta(hours=1)
ROWS = [
    {
        "integration": "slack-update",
        "visitor": "ada",
        "experience": "basket",
        "schedule": None,
        "created_at": NOW,
    },
    {
        "integration": "webhook",
        "visitor": "ada",
        "experience": None,
        "schedule": "daily",
        "created_at": NOW + HOUR,
    },
    {
        "integration": "webhook",
        "visitor": "bob",
        "experience": "basket",
        "schedule": None,
        "created_at": NOW + 2 * HOUR,
    },
    {
        "integration": "webhook",
        "visitor": None,
        "experience": None,
        "schedule": "weekly",
        "created_at": NOW + 3 * HOUR,
    },
]


@pytest.mark.parametrize(
    ("filter", "numbers"),
    [
        (Filter(), [4, 3, 2, 1]),
        (Filter(integration="webhook"), [4, 3, 2]),
        (Filter(integration="Webhook"), []),
        (Filter(visitor="ada"), [2, 1]),
        (Filter(experience="basket"), [3, 1]),
        (Filter(schedule="daily"), [2]),
        (Filter(reason="changed my mind"), [3]),
        (Filter(created_from=NOW + HOUR), [4, 3, 2]),  # inclusive
        (Filter(created_until=NOW + HOUR), [1]),  # not inclusive
        (Filter(created_from=NOW + HOUR, created_until=NOW + 3 * HOUR), [3, 2]),
        (Filter(created_from=LATER, created_until=NOW), []),
        (Filter(statuses=[Status.PENDING]), [4, 2, 1]),
        (Filter(statuses=[Status.CANCELLED, Status.FAILED]), [3]),
        (Filter(integration="webhook", visitor="ada"), [2]),
        (Filter(integration="slack-update", experience="basket", visitor="bob"), []),
        (Filter(integration="webhook' OR '1'='1"), []),
    ],
)
def test_every_field_of_a_filter_narrows_what_is_meant(
    store: Store, filter: Filter, numbers: list[int]
) -> None:
    for number, fields in enumerate(ROWS, 1):
        store.add(replace(an_execution(number), **fields), IfExists.REPLACE)  # type: ignore[arg-type]
    store.cancel(3, reason="changed my mind", now=NOW)

    assert [each.number for each in store.find(filter).executions] == numbers
    assert store.count(filter) == len(numbers)
