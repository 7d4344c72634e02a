"""Executions, instants and steps for the tests of the store."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from experience_runtime.domain.executions import (
    Change,
    Execution,
    IfExists,
    Settlement,
    Settling,
    Status,
)
from experience_runtime.engine.stores import Adding, Store

NOW = datetime(2026, 3, 2, 12, 0, 0, 250_000, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
LEASE = timedelta(seconds=120)
KEY = b"k" * 16
SUCCEEDED = Settlement(status=Status.SUCCEEDED, http_status=200, answer='{"ok":true}')
FAILED = Settlement(status=Status.FAILED, reason="integration_failed", error="the receiver answered 400")


def an_execution(number: int = 1) -> Execution:
    return Execution(
        number=number,
        integration="slack-update",
        payload='{"message":"hello"}',
        created_at=NOW,
        requested_at=NOW,
        due_at=NOW,
        zone="America/New_York",
        zone_from="window",
    )


def keyed(number: int, *, owner: str = "ada") -> Execution:
    return replace(
        an_execution(number), visitor=owner or None, key='{"a":1}', key_digest=KEY, key_owner=owner
    )


def add(store: Store, *executions: Execution) -> None:
    for execution in executions:
        store.add(execution, IfExists.REPLACE)


def claim(store: Store, *, now: datetime = NOW, limit: int = 10) -> list[Execution]:
    return store.claim_due(now=now, lease_until=now + LEASE, limit=limit)


def start(store: Store, execution: Execution, *, now: datetime = NOW) -> bool:
    return bool(store.start_all([(execution.number, execution.attempt)], now=now, lease_until=now + LEASE))


def postpone(store: Store, execution: Execution, due_at: datetime) -> bool:
    return bool(store.postpone_all([(execution.number, execution.attempt, due_at)]))


def add_together(store: Store, executions: Sequence[Execution]) -> None:
    """Add many in one transaction."""
    store.carry_out([Adding(execution=each, if_exists=IfExists.REPLACE) for each in executions])


def settle(
    store: Store, number: int, attempt: int, settlement: Settlement, *, now: datetime
) -> Execution | None:
    (settled,) = store.settle_all([Settling(number, attempt, settlement, now)])
    return settled


def running(store: Store, execution: Execution) -> Execution:
    add(store, execution)
    (claimed,) = claim(store)
    assert start(store, claimed)
    return claimed


def states(changes: Sequence[Change]) -> list[tuple[str | None, str, str | None]]:
    return [(c.from_status, c.to_status, c.reason) for c in changes]
