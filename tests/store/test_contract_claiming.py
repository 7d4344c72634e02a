"""What every store does: it claims integration by integration, and none holds up another."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from experience_runtime.domain.admission import IntegrationState, Policies, Policy
from experience_runtime.domain.executions import Execution, Filter, Settlement, Status
from experience_runtime.engine.stores import Store
from experience_runtime.store.opening import SqliteStore, open_sqlite
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.executions import (
    FAILED,
    LATER,
    LEASE,
    NOW,
    SUCCEEDED,
    add,
    add_together,
    an_execution,
    postpone,
    settle,
    start,
)

from .conftest import STORES

SECOND = timedelta(seconds=1)
MILLISECOND = timedelta(milliseconds=1)
TWO_AT_ONCE = Policies(by_name={"slack-update": Policy(concurrency=2)})
FIVE_A_SECOND = Policies(by_name={"slack-update": Policy(rate_count=5)})
BREAKING = Policies(by_name={"slack-update": Policy(breaker_failures=3, breaker_seconds=30)})


def of(integration: str, *numbers: int, due_at: datetime = NOW) -> list[Execution]:
    return [replace(an_execution(n), integration=integration, due_at=due_at) for n in numbers]


def claim(store: Store, policies: Policies, *, now: datetime = NOW, limit: int = 100) -> list[Execution]:
    return store.claim_due(now=now, lease_until=now + LEASE, limit=limit, policies=policies)


def numbers(executions: list[Execution]) -> list[int]:
    return [each.number for each in executions]


def end(store: Store, claimed: Execution, settlement: Settlement = SUCCEEDED, *, now: datetime = NOW) -> None:
    assert start(store, claimed, now=now)
    settle(store, claimed.number, claimed.attempt, settlement, now=now)


def change(store: Store, **fields: Any) -> None:
    store.integration_states.change("slack-update", lambda state: replace(state, **fields))


def opened(store: Store, *, now: datetime = NOW) -> None:
    """Open the circuit breaker of slack-update, as BREAKING has it."""
    for _ in range(3):
        store.integration_states.change(
            "slack-update",
            lambda state: state.after_attempt(BREAKING.of("slack-update"), failed=True, now=now),
        )


# --- concurrency


def test_never_more_of_an_integration_are_claimed_than_its_concurrency(store: Store) -> None:
    add(store, *of("slack-update", 1, 2, 3), *of("webhook", 4, 5, 6))

    assert numbers(claim(store, TWO_AT_ONCE)) == [1, 2, 4, 5, 6]
    assert claim(store, TWO_AT_ONCE) == []
    assert store.next_wake(now=NOW, policies=TWO_AT_ONCE) == NOW + LEASE  # nothing but a lapse


@pytest.mark.parametrize("settlement", [SUCCEEDED, FAILED, Settlement(status=Status.PENDING, due_at=LATER)])
def test_the_end_of_one_makes_room_for_another(store: Store, settlement: Settlement) -> None:
    add(store, *of("slack-update", 1, 2, 3))
    first, _ = claim(store, TWO_AT_ONCE)

    end(store, first, settlement)

    assert store.next_wake(now=NOW, policies=TWO_AT_ONCE) == NOW
    assert numbers(claim(store, TWO_AT_ONCE)) == [3]


def test_one_that_is_cancelled_or_postponed_makes_room_too(store: Store) -> None:
    add(store, *of("slack-update", 1, 2, 3, 4))
    first, second = claim(store, TWO_AT_ONCE)

    store.cancel(first.number, reason=None, now=NOW)
    postpone(store, second, LATER)

    assert numbers(claim(store, TWO_AT_ONCE)) == [3, 4]


def test_those_of_a_process_that_went_away_make_room_when_they_are_given_back(store: Store) -> None:
    add(store, *of("slack-update", 1, 2, 3))
    running, _ = claim(store, TWO_AT_ONCE)
    start(store, running)

    assert claim(store, TWO_AT_ONCE, now=NOW + LEASE) == []
    store.give_back(now=NOW + LEASE)

    assert numbers(claim(store, TWO_AT_ONCE, now=NOW + LEASE)) == [1, 2]


def test_an_execute_in_flight_counts(store: Store) -> None:
    execute = replace(an_execution(1), status=Status.RUNNING, attempt=1, begun=1, lease_until=NOW + LEASE)
    add(store, execute, *of("slack-update", 2, 3))

    assert numbers(claim(store, TWO_AT_ONCE)) == [2]


# --- rates


def test_a_rate_is_spent_by_what_is_claimed(store: Store) -> None:
    add(store, *of("slack-update", 1, 2, 3), *of("webhook", 4))

    assert numbers(claim(store, FIVE_A_SECOND)) == [1, 4]
    assert claim(store, FIVE_A_SECOND) == []
    assert store.next_wake(now=NOW, policies=FIVE_A_SECOND) == NOW + SECOND / 5
    assert claim(store, FIVE_A_SECOND, now=NOW + SECOND / 5 - MILLISECOND) == []
    assert numbers(claim(store, FIVE_A_SECOND, now=NOW + SECOND / 5)) == [2]


def test_a_rate_is_spent_by_no_more_than_what_is_claimed(store: Store) -> None:
    policies = Policies(by_name={"slack-update": Policy(rate_count=1000)})
    add(store, *of("slack-update", *range(1, 150)))

    assert len(claim(store, policies, limit=10)) == 10

    assert len(claim(store, policies, limit=1000)) == 90


def test_a_fast_rate_is_used_through_the_store_too(store: Store) -> None:
    policies = Policies(by_name={"slack-update": Policy(rate_count=1000)})
    add(store, *of("slack-update", *range(1, 400)))
    now, begun = NOW, 0

    while now < NOW + SECOND / 4:
        begun += len(claim(store, policies, now=now))
        wake = store.next_wake(now=now, policies=policies)
        assert wake is not None
        assert wake > now
        now = wake

    assert begun >= 0.8 * 250


def test_the_rate_and_the_concurrency_of_one_both_hold(store: Store) -> None:
    policies = Policies(by_name={"slack-update": Policy(rate_count=1000, concurrency=7)})
    add(store, *of("slack-update", *range(1, 20)))

    assert len(claim(store, policies)) == 7


def test_a_default_policy_holds_for_each_integration_by_itself(store: Store) -> None:
    add(store, *of("slack-update", 1, 2), *of("webhook", 3, 4))

    assert numbers(claim(store, Policies(default=Policy(concurrency=1)))) == [1, 3]


# --- pauses and breakers


def test_what_is_paused_is_not_claimed_and_wakes_nobody(store: Store) -> None:
    add(store, *of("slack-update", 1), *of("webhook", 2, due_at=LATER))
    change(store, paused_at=NOW)

    assert claim(store, Policies()) == []
    assert store.next_wake(now=NOW) == LATER
    assert numbers(claim(store, Policies(), now=LATER)) == [2]
    assert store.execution(1).due_at == NOW


def test_what_is_resumed_is_claimed_at_once_earliest_first(store: Store) -> None:
    add(store, *of("slack-update", 1, due_at=LATER), *of("slack-update", 2))
    change(store, paused_at=NOW)

    change(store, paused_at=None)

    assert store.next_wake(now=LATER) == NOW
    assert numbers(claim(store, Policies(), now=LATER)) == [2, 1]


def test_behind_an_open_breaker_the_next_wake_is_its_probe(store: Store) -> None:
    add(store, *of("slack-update", 1, 2), *of("webhook", 3))
    opened(store)

    assert numbers(claim(store, BREAKING)) == [3]
    end(store, store.execution(3))
    assert store.next_wake(now=NOW, policies=BREAKING) == NOW + timedelta(seconds=30)
    assert claim(store, BREAKING, now=NOW + timedelta(seconds=30) - MILLISECOND) == []


def test_from_its_probe_on_one_at_a_time_may_try(store: Store) -> None:
    add(store, *of("slack-update", 1, 2))
    opened(store)
    probe_at = NOW + timedelta(seconds=30)

    (probe,) = claim(store, BREAKING, now=probe_at)
    assert claim(store, BREAKING, now=probe_at) == []
    assert store.next_wake(now=probe_at, policies=BREAKING) == probe_at + LEASE
    postpone(store, probe, LATER)  # its window was closed

    assert numbers(claim(store, BREAKING, now=probe_at)) == [2]


def test_a_probe_whose_process_went_away_is_tried_again(store: Store) -> None:
    add(store, *of("slack-update", 1, 2))
    opened(store)
    probe_at = NOW + timedelta(seconds=30)
    (probe,) = claim(store, BREAKING, now=probe_at)
    start(store, probe, now=probe_at)

    store.give_back(now=probe_at + LEASE)

    assert numbers(claim(store, BREAKING, now=probe_at + LEASE)) == [1]


def test_an_open_breaker_is_still_open_after_a_restart(tmp_path: Path) -> None:
    open_store: Callable[[Path], Store] = STORES["sqlite on file"]
    first = open_store(tmp_path)
    add(first, *of("slack-update", 1))
    opened(first)
    first.close()

    second = open_store(tmp_path)

    assert claim(second, BREAKING) == []
    assert numbers(claim(second, BREAKING, now=NOW + timedelta(seconds=30))) == [1]
    second.close()


# --- ten thousand that may not go, and one that may

MANY = 10_000
HELD: dict[str, tuple[dict[str, Any], Policies]] = {
    "paused": ({"paused_at": NOW}, Policies()),
    "its rate used up": ({"free_at": NOW + SECOND}, Policies(by_name={"slack-update": Policy(rate_count=1)})),
    "its breaker open": ({"failures": 3, "opened_at": NOW, "probe_at": LATER}, BREAKING),
    "as many in flight as may be": ({}, Policies(by_name={"slack-update": Policy(concurrency=1)})),
}


@pytest.mark.parametrize("held", HELD)
def test_one_that_may_not_be_called_holds_up_no_other(held: str) -> None:
    fields, policies = HELD[held]
    store = open_sqlite(":memory:")
    waiting = of("slack-update", *range(1, MANY), due_at=NOW - timedelta(days=1))
    waiting[0] = replace(waiting[0], status=Status.RUNNING, attempt=1, lease_until=LATER)
    add_together(store, waiting)
    add(store, *of("webhook", MANY))
    change(store, **fields)
    steps = Steps(store)

    wake = store.next_wake(now=NOW, policies=policies)
    claimed = claim(store, policies)

    assert (wake, numbers(claimed)) == (NOW, [MANY])
    assert steps.counted < 2000  # a step a waiting row would be 10,000
    store.close()


def test_many_that_may_go_are_not_all_read_to_claim_a_few() -> None:
    store = open_sqlite(":memory:")
    waiting = of("slack-update", *range(1, MANY), due_at=NOW - SECOND)
    add_together(store, waiting)
    steps = Steps(store)

    assert len(claim(store, Policies(), limit=10)) == 10

    assert steps.counted < 3000
    store.close()


class Steps:
    """Counts the steps of SQLite's machine on a store, in tens: work, whatever the machine is."""

    def __init__(self, store: SqliteStore) -> None:
        self.counted = 0
        store.database.connection.set_progress_handler(self._count, 10)

    def _count(self) -> bool:
        self.counted += 10
        return False


# --- when to look again

INSTANTS = st.integers(-100, 100).map(lambda s: NOW + timedelta(seconds=s))
NAMES = ("slack-update", "webhook")
POLICIES = st.builds(
    Policy,
    concurrency=st.none() | st.integers(1, 3),
    rate_count=st.none() | st.sampled_from([1, 3, 1000]),
    rate_seconds=st.sampled_from([1, 60]),
    breaker_failures=st.integers(0, 3),
)
INTEGRATION_STATES = st.builds(
    IntegrationState,
    integration=st.just("slack-update"),
    paused_at=st.none() | st.none() | INSTANTS,
    failures=st.integers(0, 4),
    opened_at=st.none() | INSTANTS,
    probe_at=st.none() | INSTANTS,
    free_at=st.none()
    | st.integers(-100_000_000, 100_000_000).map(lambda us: NOW + timedelta(microseconds=us)),
)
ROWS = st.builds(
    lambda integration, due_at, lease_until: replace(
        an_execution(), integration=integration, due_at=due_at, lease_until=lease_until
    ),
    st.sampled_from(NAMES),
    INSTANTS,
    st.none() | st.none() | INSTANTS,
)


def found(store: Store, policies: Policies, now: datetime) -> int:
    """How much there was to give back and to claim; what was claimed has succeeded."""
    given_back, claimed = store.give_back(now=now), claim(store, policies, now=now)
    for each in claimed:
        if start(store, each, now=now):
            settle(store, each.number, each.attempt, SUCCEEDED, now=now)
    return len(given_back) + len(claimed)


@settings(deadline=None)  # a database an example
@given(
    rows=st.lists(ROWS, min_size=1, max_size=8),
    state=INTEGRATION_STATES,
    policies=st.tuples(POLICIES, POLICIES).map(
        lambda pair: Policies(by_name=dict(zip(NAMES, pair, strict=True)))
    ),
)
def test_next_wake_is_neither_too_soon_nor_too_late(
    rows: list[Execution], state: IntegrationState, policies: Policies
) -> None:
    store = open_sqlite(":memory:")
    add(store, *(replace(row, number=number) for number, row in enumerate(rows, 1)))
    store.integration_states.change("slack-update", lambda _: state)

    now = NOW
    for _ in range(40):
        wake = store.next_wake(now=now, policies=policies)
        if wake is None:
            assert found(store, policies, now + timedelta(days=365)) == 0
            break
        if wake > now:
            assert found(store, policies, wake - MILLISECOND) == 0
        now = max(now, wake)
        if not found(store, policies, now):  # no busy loop: there is something, or it is later
            later = store.next_wake(now=now, policies=policies)
            assert later is None or later > now
    else:
        pytest.fail("it never comes to rest")
    store.close()


def test_a_claim_can_be_tried_and_leaves_nothing(store: SqliteStore) -> None:
    for _ in range(2):
        store.workers.try_claim(NOW)

    assert store.count(Filter()) == 0
    assert claim(store, Policies()) == []
