"""What every store does: it adds, and one key waits once."""

from dataclasses import replace
from datetime import timedelta

import pytest
from experience_runtime.domain.errors import AlreadyScheduled, UnknownExecution
from experience_runtime.domain.executions import (
    Attempt,
    Filter,
    IfExists,
    Status,
    execution_id,
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
    running,
    settle,
    start,
    states,
)


def test_an_execution_comes_back_as_it_was_added(store: Store) -> None:
    full = replace(
        keyed(7),
        experience="abandoned-basket",
        asked="delay 2 hours",
        window="monday-friday 09:00-17:00",
        cancel_on_conversion=True,
        retries=3,
        requested_at=LATER,
        due_at=LATER + timedelta(hours=2),
        reason="none yet",
    )

    added = store.add(full, IfExists.REPLACE)

    assert added.execution == full
    assert added.is_new
    assert added.replaced is None
    assert store.execution(7) == full
    assert states(store.history(7)) == [(None, "pending", None)]
    assert store.history(7)[0].at == NOW
    assert store.attempts(7) == []


def test_replace_cancels_the_pending_one_under_the_key(store: Store) -> None:
    add(store, keyed(1))

    added = store.add(keyed(2), IfExists.REPLACE)

    assert added.replaced == execution_id(1)
    assert store.execution(1).status is Status.CANCELLED
    assert store.execution(1).reason == "replaced"
    assert states(store.history(1))[1:] == [("pending", "cancelled", "replaced")]
    assert [e.number for e in claim(store)] == [2]


def test_keep_returns_the_pending_one_and_inserts_nothing(store: Store) -> None:
    add(store, keyed(1))

    added = store.add(keyed(2), IfExists.KEEP)

    assert (added.execution.number, added.is_new, added.replaced) == (1, False, None)
    with pytest.raises(UnknownExecution):
        store.execution(2)


def test_reject_raises_and_inserts_nothing(store: Store) -> None:
    add(store, keyed(1))

    with pytest.raises(AlreadyScheduled, match=execution_id(1)):
        store.add(keyed(2), IfExists.REJECT)

    assert store.find(Filter()).executions == [keyed(1)]


@pytest.mark.parametrize("if_exists", IfExists)
def test_one_key_of_two_owners_is_two_keys(store: Store, if_exists: IfExists) -> None:
    store.add(keyed(1, owner="ada"), if_exists)
    store.add(keyed(2, owner="bob"), if_exists)
    store.add(keyed(3, owner=""), if_exists)

    assert len(claim(store)) == 3


def test_a_finished_execution_leaves_its_key_free(store: Store) -> None:
    claimed = running(store, keyed(1))
    settle(store, 1, claimed.attempt, SUCCEEDED, now=NOW)

    added = store.add(keyed(2), IfExists.REJECT)

    assert added.is_new
    assert added.replaced is None


def test_a_claimed_execution_can_still_be_replaced(store: Store) -> None:
    add(store, keyed(1))
    (claimed,) = claim(store)

    added = store.add(keyed(2), IfExists.REPLACE)

    assert added.replaced == execution_id(1)
    assert not start(store, claimed)


def test_executions_without_a_key_never_meet(store: Store) -> None:
    add(store, an_execution(1), an_execution(2))

    assert len(claim(store)) == 2


def test_a_number_already_taken_gives_way_to_the_next_free_one(store: Store) -> None:
    add(store, an_execution(1), an_execution(2))

    added = store.add(replace(an_execution(1), integration="webhook"), IfExists.REPLACE)

    assert added.execution.number == 3
    assert store.execution(3).integration == "webhook"
    assert store.execution(1).integration == "slack-update"


def test_an_execute_is_born_running_with_its_attempt(store: Store) -> None:
    execute = replace(
        an_execution(1), status=Status.RUNNING, attempt=1, begun=1, retries=0, lease_until=NOW + LEASE
    )

    add(store, execute)

    assert claim(store) == []
    assert states(store.history(1)) == [(None, "running", None)]
    assert store.attempts(1) == [Attempt(attempt=1, started_at=NOW)]
    assert settle(store, 1, 1, SUCCEEDED, now=LATER) is not None
    assert states(store.history(1)) == [(None, "running", None), ("running", "succeeded", None)]


def test_a_running_one_replaces_nothing(store: Store) -> None:
    add(store, keyed(1))
    execute = replace(keyed(2), status=Status.RUNNING, attempt=1, begun=1, lease_until=NOW + LEASE)

    added = store.add(execute, IfExists.REPLACE)

    assert (added.is_new, added.replaced) == (True, None)
    assert store.execution(1).status is Status.PENDING


def test_text_that_no_database_holds_is_kept_readable(store: Store) -> None:
    odd = replace(an_execution(1), visitor="a\0b\ud800c", experience="é", asked="\udfff")

    add(store, odd)
    store.cancel(1, reason="\ud800 gone", now=NOW)

    assert store.execution(1).visitor == "a\ufffdb?c"
    assert store.execution(1).experience == "é"
    assert store.execution(1).reason == "? gone"
    assert store.convert("\ud800", event="\0", now=NOW) == []
