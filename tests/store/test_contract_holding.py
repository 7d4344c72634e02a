"""What every store does while everything is held: nothing is claimed and nothing starts, whoever asks."""

from dataclasses import replace
from datetime import timedelta

from experience_runtime.domain.admission import ALL, IntegrationState
from experience_runtime.domain.audit import AuditFilter
from experience_runtime.engine.stores import Store

from tests.support.executions import LATER, NOW, add, an_execution


def hold(store: Store) -> None:
    store.integration_states.change_by_hand(
        "hold", ALL, lambda state: replace(state, paused_at=NOW, pause_reason="look"), now=NOW
    )


def resume(store: Store) -> None:
    store.integration_states.change_by_hand(
        "resume", ALL, lambda _: IntegrationState(integration=ALL), now=NOW
    )


def test_while_everything_is_held_nothing_is_claimed_and_nothing_wakes_a_worker(store: Store) -> None:
    add(store, an_execution(1))
    add(store, replace(an_execution(2), integration="webhook"))

    hold(store)

    assert store.claim_due(now=LATER, lease_until=LATER + timedelta(minutes=1), limit=10) == []
    assert store.next_wake(now=LATER) is None
    resume(store)
    assert store.next_wake(now=LATER) is not None
    assert len(store.claim_due(now=LATER, lease_until=LATER + timedelta(minutes=1), limit=10)) == 2


def test_what_was_claimed_before_does_not_start(store: Store) -> None:
    add(store, an_execution(1))
    (claimed,) = store.claim_due(now=NOW, lease_until=LATER, limit=10)
    key = (claimed.number, claimed.attempt)

    hold(store)

    assert store.start_all([key], now=NOW, lease_until=LATER) == set()
    resume(store)
    assert store.start_all([key], now=NOW, lease_until=LATER) == {key}


def test_the_audit_has_the_hold_and_its_end(store: Store) -> None:
    hold(store)
    resume(store)

    ended, began = store.audit.find(AuditFilter())
    assert (began.kind, began.action, began.object) == ("deliveries", "hold", "")
    assert began.after is not None
    assert began.after["reason"] == "look"
    assert (ended.action, ended.after) == ("resume", {"paused_at": None, "reason": None})
