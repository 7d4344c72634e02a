"""What every store does: it takes a cancel back, while the key is free and the time is not past."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from experience_runtime.domain.errors import AlreadyScheduled, Conflict
from experience_runtime.domain.executions import TRANSITIONS, Execution, NewPayload, Status
from experience_runtime.engine.stores import Store

from tests.support.executions import (
    FAILED,
    LATER,
    NOW,
    add,
    an_execution,
    claim,
    keyed,
    running,
    settle,
    start,
)

BEFORE = NOW - timedelta(minutes=1)  # what is due at NOW is ahead


def test_a_cancelled_execution_waits_again_at_its_time(store: Store) -> None:
    add(store, an_execution(1))
    before = store.execution(1)
    store.cancel(1, reason="by mistake", now=BEFORE)

    row = store.restore(1, reason="restored", now=BEFORE)

    assert row == store.execution(1) == replace(before, reason="restored")
    history = store.history(1)
    assert (history[-1].from_status, history[-1].to_status, history[-1].reason, history[-1].at) == (
        Status.CANCELLED,
        Status.PENDING,
        "restored",
        BEFORE,
    )
    assert all(change.to_status in TRANSITIONS[change.from_status] for change in history)
    (claimed,) = claim(store)
    assert start(store, claimed)


def test_what_is_replayed_with_another_payload_keeps_the_one_before_in_its_history(store: Store) -> None:
    claimed = running(store, an_execution(1))
    settle(store, 1, claimed.attempt, FAILED, now=NOW)
    before = store.execution(1)
    changed = NewPayload(payload='{"to":"ada"}', pace_key="ada")

    row = store.replay(1, reason=None, now=LATER, changed=changed)

    assert row == store.execution(1)
    assert (row.payload, row.pace_key, row.status) == ('{"to":"ada"}', "ada", Status.PENDING)
    assert [each.payload_before for each in store.history(1)][-2:] == [None, before.payload]
    assert store.replay(1, reason=None, now=LATER, changed=changed) is None
    settle(store, 1, _again(store).attempt, FAILED, now=LATER)
    assert store.replay(1, reason=None, now=LATER) == replace(row, attempt=row.attempt + 1, due_at=LATER)
    assert store.history(1)[-1].payload_before is None


def _again(store: Store) -> Execution:
    (claimed,) = claim(store, now=LATER)
    assert start(store, claimed, now=LATER)
    return claimed


def test_only_what_is_cancelled_is_restored(store: Store) -> None:
    claimed = running(store, an_execution(2))
    add(store, an_execution(1))

    assert [store.restore(n, reason=None, now=BEFORE) for n in (1, 2, 404, 2**64)] == [None] * 4

    settle(store, 2, claimed.attempt, FAILED, now=NOW)
    assert store.restore(2, reason=None, now=BEFORE) is None
    assert store.execution(2).status is Status.FAILED


def test_what_was_replaced_is_restored_only_while_its_key_is_free(store: Store) -> None:
    add(store, keyed(1))
    add(store, keyed(2))

    with pytest.raises(AlreadyScheduled):
        store.restore(1, reason=None, now=BEFORE)
    assert store.execution(1).status is Status.CANCELLED

    store.cancel(2, reason=None, now=BEFORE)
    assert store.restore(1, reason=None, now=BEFORE) is not None
    with pytest.raises(AlreadyScheduled):
        store.restore(2, reason=None, now=BEFORE)


def test_what_was_due_by_now_is_not_restored(store: Store) -> None:
    add(store, an_execution(1))
    due_at = store.execution(1).due_at
    store.cancel(1, reason=None, now=BEFORE)

    with pytest.raises(Conflict, match="which is past; schedule it anew"):
        store.restore(1, reason=None, now=due_at)

    assert store.execution(1).status is Status.CANCELLED
    assert store.restore(1, reason=None, now=due_at - timedelta(milliseconds=1)) is not None


def asking(number: int) -> Execution:
    return replace(
        an_execution(number), visitor="ada", cancel_on_conversion=True, due_at=LATER + timedelta(days=1)
    )


CANCELS: dict[str, Callable[[Store], object]] = {
    "by the conversion": lambda store: store.convert("ada", event="bought", now=NOW),
    "by hand, before it": lambda store: (
        store.cancel(1, reason="by mistake", now=NOW),
        store.convert("ada", event="bought", now=NOW),
    ),
    "by it, before the clock was put back": lambda store: store.convert(
        "ada", event="bought", now=NOW - timedelta(days=2)
    ),
}


@pytest.mark.parametrize("how", CANCELS)
def test_nobody_who_has_bought_gets_it_after_all(store: Store, how: str) -> None:
    add(store, asking(1))
    CANCELS[how](store)

    with pytest.raises(Conflict, match="ada has converted"):
        store.restore(1, reason=None, now=LATER)

    assert store.execution(1).status is Status.CANCELLED


def test_a_reason_that_a_person_wrote_is_no_conversion(store: Store) -> None:
    add(store, an_execution(1))
    store.cancel(1, reason="conversion", now=BEFORE)

    assert store.restore(1, reason=None, now=BEFORE) is not None


def test_of_two_who_restore_it_at_once_one_wins(store: Store) -> None:
    add(store, an_execution(1))
    store.cancel(1, reason=None, now=BEFORE)

    with ThreadPoolExecutor(2) as pool:
        asked = [pool.submit(store.restore, 1, reason=who, now=BEFORE) for who in ("one", "two")]
    won = [each.result() for each in asked]

    assert sum(row is not None for row in won) == 1
    assert len(store.history(1)) == 3
