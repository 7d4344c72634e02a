"""What waits for a window is planned again when the rules of the time zones are others."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import chain

import pytest
from experience_runtime.domain.executions import Execution
from experience_runtime.engine.stores import Store

from tests.support.executions import LATER, NOW, add, an_execution, claim

OTHER = LATER + timedelta(minutes=30)


def waiting(
    number: int, *, zone_rules: str = "2025a", window: str | None = "monday 09:00-17:00"
) -> Execution:
    return replace(an_execution(number), due_at=LATER, window=window, zone_rules=zone_rules)


def planned(store: Store, zone_rules: str, due_of: Callable[[Execution], datetime]) -> list[Execution]:
    return list(chain.from_iterable(store.plan_again(zone_rules, due_of)))


def dues(store: Store, *numbers: int) -> list[tuple[object, str]]:
    found = [store.execution(number) for number in numbers]
    return [(each.due_at, each.zone_rules) for each in found]


def test_what_other_rules_have_planned_is_planned_again(store: Store) -> None:
    other = replace(waiting(2), integration="webhook")
    add(store, waiting(1), other, waiting(3, zone_rules="2026b"), waiting(4, window=None), waiting(5))

    moved = planned(store, "2026b", lambda each: LATER if each.number == 5 else OTHER)

    assert [(each.number, each.due_at, each.zone_rules) for each in moved] == [
        (1, OTHER, "2026b"),
        (2, OTHER, "2026b"),
    ]
    assert dues(store, 1, 2, 3, 4, 5) == [
        (OTHER, "2026b"),
        (OTHER, "2026b"),
        (LATER, "2026b"),
        (LATER, "2025a"),  # no window: no rule moves it
        (LATER, "2026b"),
    ]
    assert planned(store, "2026b", lambda _: NOW) == []


def test_a_claimed_execution_is_left_to_its_start(store: Store) -> None:
    add(store, waiting(1))
    claim(store, now=LATER)

    assert planned(store, "2026b", lambda _: OTHER) == []
    assert dues(store, 1) == [(LATER, "2025a")]


def test_more_than_one_batch_is_planned_whichever_way_it_moves(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("experience_runtime.store.planning_again._AT_ONCE", 2)
    add(store, *(waiting(number) for number in range(1, 8)))

    moved = planned(
        store, "2026b", lambda each: each.due_at + timedelta(minutes=-20 if each.number % 2 else 20)
    )

    assert sorted(each.number for each in moved) == [1, 2, 3, 4, 5, 6, 7]
    assert {rules for _, rules in dues(store, *range(1, 8))} == {"2026b"}
