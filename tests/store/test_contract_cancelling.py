"""What every store does: it cancels, by number, by key and by conversion."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from experience_runtime.domain.errors import Conflict
from experience_runtime.domain.executions import (
    Change,
    IfExists,
    Settlement,
    Status,
    execution_id,
)
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
    states,
)

RETRY = Settlement(status=Status.PENDING, reason="integration_failed", due_at=LATER + LEASE)

# --- cancel


def test_cancel_key_cancels_the_one_under_this_key_and_owner(store: Store) -> None:
    add(store, keyed(1, owner="ada"), keyed(2, owner="bob"))

    ids = store.cancel_key(key_digest=KEY, key_owner="ada", reason="changed my mind", now=LATER)

    assert ids == [execution_id(1)]
    assert store.execution(1).reason == "changed my mind"
    assert store.history(1)[-1] == Change(
        at=LATER, from_status=Status.PENDING, to_status=Status.CANCELLED, reason="changed my mind"
    )
    assert store.execution(2).status is Status.PENDING
    assert store.cancel_key(key_digest=KEY, key_owner="ada", reason=None, now=LATER) == []


def test_key_pending_elsewhere_sees_other_owners_only(store: Store) -> None:
    add(store, keyed(1, owner="ada"))

    assert store.key_pending_elsewhere(key_digest=KEY, key_owner="bob")
    assert store.key_pending_elsewhere(key_digest=KEY, key_owner="")
    assert not store.key_pending_elsewhere(key_digest=KEY, key_owner="ada")
    assert not store.key_pending_elsewhere(key_digest=b"z" * 16, key_owner="bob")


def test_a_cancelled_execution_never_starts(store: Store) -> None:
    add(store, an_execution(1))
    (claimed,) = claim(store)

    assert store.cancel(1, reason=None, now=NOW)
    assert not start(store, claimed)
    assert claim(store, now=NOW + timedelta(days=1)) == []
    assert store.next_wake(now=NOW) is None


def test_a_running_execution_is_not_cancelled(store: Store) -> None:
    running(store, keyed(1))

    assert not store.cancel(1, reason=None, now=NOW)
    assert store.cancel_key(key_digest=KEY, key_owner="ada", reason=None, now=NOW) == []
    assert store.execution(1).status is Status.RUNNING


def test_cancelling_what_does_not_exist_changes_nothing(store: Store) -> None:
    assert not store.cancel(404, reason=None, now=NOW)
    assert not store.cancel(2**64, reason=None, now=NOW)


# --- convert


def test_a_conversion_cancels_what_asked_for_it(store: Store) -> None:
    asking = replace(an_execution(1), visitor="ada", cancel_on_conversion=True)
    add(
        store,
        asking,
        replace(asking, number=2, integration="webhook"),
        replace(asking, number=3, cancel_on_conversion=False),
        replace(asking, number=4, visitor="bob"),
        replace(asking, number=5, created_at=LATER),  # the machine's clock was put back since
    )
    claim(store, limit=1)

    ids = store.convert("ada", event="ecBasketTransactionSummary", now=NOW)

    assert ids == [execution_id(1), execution_id(2), execution_id(5)]
    assert [store.execution(n).status for n in (1, 2, 3, 4)] == ["cancelled"] * 2 + ["pending"] * 2
    assert states(store.history(2)) == [(None, "pending", None), ("pending", "cancelled", "conversion")]
    assert store.execution(1).reason == "conversion"


def test_a_second_conversion_is_harmless(store: Store) -> None:
    add(store, replace(an_execution(1), visitor="ada", cancel_on_conversion=True))

    assert len(store.convert("ada", event="bought", now=NOW)) == 1
    assert store.convert("ada", event="bought", now=NOW) == []
    assert store.convert("nobody", event="bought", now=NOW) == []


def test_a_retry_after_a_conversion_while_it_ran_is_cancelled(store: Store) -> None:
    execution = replace(an_execution(1), visitor="ada", cancel_on_conversion=True)
    store.add(execution, IfExists.REPLACE)
    (claimed,) = store.claim_due(now=LATER, lease_until=LATER + LEASE, limit=1)
    start(store, claimed, now=LATER)
    store.convert("ada", event="bought", now=LATER)
    retry = Settlement(status=Status.PENDING, reason="integration_failed", due_at=LATER + LEASE)

    settled = settle(store, 1, claimed.attempt, retry, now=LATER)

    assert settled is not None
    assert (settled.status, settled.reason) == (Status.CANCELLED, "conversion")
    assert [change.to_status for change in store.history(1)] == ["pending", "running", "pending", "cancelled"]


def test_a_conversion_before_the_schedule_call_does_not_stop_a_retry(store: Store) -> None:
    store.convert("ada", event="bought", now=NOW - LEASE)
    store.add(replace(an_execution(1), visitor="ada", cancel_on_conversion=True), IfExists.REPLACE)
    (claimed,) = store.claim_due(now=LATER, lease_until=LATER + LEASE, limit=1)
    start(store, claimed, now=LATER)
    retry = Settlement(status=Status.PENDING, reason="integration_failed", due_at=LATER + LEASE)

    settled = settle(store, 1, claimed.attempt, retry, now=LATER)

    assert settled is not None
    assert settled.status is Status.PENDING


@pytest.mark.parametrize(
    "converted_at",
    [
        pytest.param(NOW, id="the clock was put back by an hour"),
        pytest.param(LATER, id="the same millisecond as it was scheduled"),
    ],
)
def test_a_conversion_while_it_ran_stops_the_retry_whatever_the_clock_says(
    store: Store, converted_at: datetime
) -> None:
    execution = replace(an_execution(1), visitor="ada", cancel_on_conversion=True, created_at=LATER)
    claimed = running(store, execution)
    store.convert("ada", event="bought", now=converted_at)

    settled = settle(store, 1, claimed.attempt, RETRY, now=LATER)

    assert settled is not None
    assert (settled.status, settled.reason) == (Status.CANCELLED, "conversion")


def test_a_conversion_just_before_the_schedule_call_does_not_stop_a_retry(store: Store) -> None:
    store.convert("ada", event="bought", now=NOW)  # a variation that emits, then schedules
    claimed = running(store, replace(an_execution(1), visitor="ada", cancel_on_conversion=True))

    settled = settle(store, 1, claimed.attempt, RETRY, now=NOW)

    assert settled is not None
    assert settled.status is Status.PENDING


@pytest.mark.parametrize("ending", [FAILED, SUCCEEDED])
def test_what_a_conversion_would_have_cancelled_is_not_replayed(store: Store, ending: Settlement) -> None:
    claimed = running(store, replace(an_execution(1), visitor="ada", cancel_on_conversion=True))
    settle(store, 1, claimed.attempt, ending, now=NOW)
    store.convert("ada", event="bought", now=LATER)

    with pytest.raises(Conflict, match="ada has converted since it was scheduled"):
        store.replay(1, reason=None, now=LATER)

    assert store.replay_each([1], reason=None, now=LATER) == []
    assert store.execution(1).status is ending.status


@pytest.mark.parametrize("visitor", ["ada", "ben"])
def test_a_conversion_that_nobody_asked_about_stops_no_replay(store: Store, visitor: str) -> None:
    claimed = running(store, replace(an_execution(1), visitor="ada", cancel_on_conversion=visitor == "ben"))
    settle(store, 1, claimed.attempt, FAILED, now=NOW)
    store.convert(visitor, event="bought", now=LATER)

    assert store.replay_each([1], reason=None, now=LATER) == [execution_id(1)]


def test_the_retry_of_an_older_execution_gives_way_to_a_newer_one_that_runs(store: Store) -> None:
    older = running(store, keyed(1))
    running(store, keyed(2))

    settled = settle(store, 1, older.attempt, RETRY, now=LATER)

    assert settled is not None
    assert (settled.status, settled.reason) == (Status.CANCELLED, "replaced")


def test_keys_pending_tells_those_that_are_of_their_owner(store: Store) -> None:
    add(store, keyed(1))
    add(store, keyed(2, owner="eve"))
    store.cancel_key(key_digest=KEY, key_owner="eve", reason=None, now=NOW)
    asked = [(KEY, "ada"), (KEY, "eve"), (KEY, ""), (bytes(16), "ada")]

    assert store.keys_pending(asked) == {(KEY, "ada")}
    assert store.keys_pending([]) == set()
