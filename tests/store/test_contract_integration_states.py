"""What every store does: it keeps what is known of each integration, and lets nothing paused start."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from experience_runtime.domain.admission import IntegrationState, Policy
from experience_runtime.domain.errors import Conflict
from experience_runtime.domain.executions import Status
from experience_runtime.engine.stores import Store

from tests.support.executions import (
    LATER,
    LEASE,
    NOW,
    add,
    an_execution,
    claim,
    postpone,
    start,
)

from .conftest import STORES

EVERYTHING = IntegrationState(
    integration="slack-update",
    paused_at=NOW,
    pause_reason="their release – until six",
    failures=21,
    opened_at=NOW - timedelta(minutes=3),
    probe_at=LATER,
    openings=2,
    free_at=NOW + timedelta(microseconds=1_110),  # rates are finer than milliseconds
)


def paused(state: IntegrationState) -> IntegrationState:
    return replace(state, paused_at=NOW)


def test_nothing_is_known_of_an_integration_that_was_never_changed(store: Store) -> None:
    assert store.integration_states.all() == {}
    assert store.integration_states.of("slack-update") == IntegrationState(integration="slack-update")


def test_everything_that_is_known_is_kept(store: Store) -> None:
    before, after = store.integration_states.change("slack-update", lambda _: EVERYTHING)

    assert (before, after) == (IntegrationState(integration="slack-update"), EVERYTHING)
    assert store.integration_states.of("slack-update") == EVERYTHING
    assert store.integration_states.all() == {"slack-update": EVERYTHING}
    assert store.integration_states.of("webhook") == IntegrationState(integration="webhook")


def test_what_is_known_is_forgotten_again(store: Store) -> None:
    store.integration_states.change("slack-update", lambda _: EVERYTHING)

    before, after = store.integration_states.change(
        "slack-update", lambda _: IntegrationState(integration="slack-update")
    )

    assert before == EVERYTHING
    assert (
        store.integration_states.of("slack-update") == after == IntegrationState(integration="slack-update")
    )


def test_a_change_that_is_refused_changes_nothing(store: Store) -> None:
    store.integration_states.change("slack-update", lambda _: EVERYTHING)

    def refuse(_: IntegrationState) -> IntegrationState:
        raise Conflict("it is paused already")

    with pytest.raises(Conflict, match="it is paused already"):
        store.integration_states.change("slack-update", refuse)

    assert store.integration_states.of("slack-update") == EVERYTHING


def test_changes_from_many_threads_all_count(store: Store) -> None:
    policy, begin = Policy(breaker_failures=1000), threading.Barrier(8)

    def fail_often() -> None:
        begin.wait(60)
        for _ in range(25):
            store.integration_states.change(
                "slack-update", lambda state: state.after_attempt(policy, failed=True, now=NOW)
            )

    threads = [threading.Thread(target=fail_often) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert store.integration_states.of("slack-update").failures == 200


def test_what_is_known_survives_a_restart(tmp_path: Path) -> None:
    open_store: Callable[[Path], Store] = STORES["sqlite on file"]
    first = open_store(tmp_path)
    first.integration_states.change("slack-update", lambda _: EVERYTHING)
    first.close()

    second = open_store(tmp_path)

    assert second.integration_states.of("slack-update") == EVERYTHING
    second.close()


# --- a pause between the claim and the start


def test_what_was_claimed_before_the_pause_does_not_start(store: Store) -> None:
    add(store, an_execution(1))
    (claimed,) = claim(store)
    store.integration_states.change("slack-update", paused)

    assert not start(store, claimed)

    row = store.execution(1)
    assert (row.status, row.begun, row.lease_until) == (Status.PENDING, 0, NOW + LEASE)
    assert store.attempts(1) == []
    assert len(store.history(1)) == 1


def test_given_back_it_waits_with_the_due_instant_it_had(store: Store) -> None:
    add(store, an_execution(1))
    (claimed,) = claim(store, now=LATER)
    store.integration_states.change("slack-update", paused)

    assert postpone(store, claimed, claimed.due_at)

    assert (store.execution(1).due_at, store.execution(1).lease_until) == (NOW, None)
    assert claim(store, now=LATER) == []
    store.integration_states.change("slack-update", lambda state: replace(state, paused_at=None))
    assert [(e.number, e.attempt, e.begun) for e in claim(store, now=LATER)] == [(1, 2, 0)]


def test_a_pause_of_another_integration_keeps_nothing_from_starting(store: Store) -> None:
    add(store, an_execution(1))
    (claimed,) = claim(store)
    store.integration_states.change("webhook", paused)

    assert start(store, claimed)


def test_what_is_paused_can_be_cancelled_and_converted(store: Store) -> None:
    asking = replace(an_execution(1), visitor="ada", cancel_on_conversion=True)
    add(store, asking, an_execution(2))
    store.integration_states.change("slack-update", paused)

    assert store.cancel(2, reason=None, now=NOW)
    assert len(store.convert("ada", event="bought", now=NOW)) == 1

    assert {store.execution(number).status for number in (1, 2)} == {Status.CANCELLED}
