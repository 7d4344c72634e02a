"""What every store does when a person is erased: nothing of them stays, and nobody else loses anything."""

from dataclasses import replace
from typing import Any

import pytest
from experience_runtime.domain.errors import Conflict, UnknownExecution
from experience_runtime.domain.executions import Filter, IfExists
from experience_runtime.domain.runs import KeptRun, RunFilter
from experience_runtime.domain.visitor_events import VisitorEvent
from experience_runtime.domain.visitors import Visitor
from experience_runtime.engine.stores import Store

from tests.support.executions import LATER, NOW, SUCCEEDED, add, an_execution, claim, settle

from .test_contract_schedules import a_schedule


def fill(store: Store, visitor: str, number: int) -> None:
    """One pending execution, a run that made it, an event, a conversion and a zone of a visitor."""
    execution = replace(an_execution(number), visitor=visitor, due_at=LATER, key='"k"', key_digest=b"d" * 16)
    store.add(replace(execution, key_owner=visitor), IfExists.REPLACE)
    run = KeptRun(
        number=number,
        at=NOW,
        experience="reminder",
        visitor=visitor,
        trigger="site",
        outcome="ran",
        cpu_ms=1,
        executions=[number],
    )
    store.runs.keep(run)
    store.events.record(VisitorEvent(visitor=visitor, type="ecView", data="{}", at=NOW, received_at=NOW))
    store.events.keep_state(visitor, {"tier": "gold"}, now=NOW)
    store.convert(visitor, event="bought", now=NOW)
    store.remember_visitor(Visitor(id=visitor, timezone="Europe/Paris", timezone_offset=None), now=NOW)
    store.allow_execute(key_digest=b"m" * 16, key_owner=visitor, now=NOW, per_seconds=60)


def left(store: Store, visitor: str) -> dict[str, Any]:
    return {
        "executions": [each.number for each in store.find(Filter(visitor=visitor)).executions],
        "runs": [each.number for each in store.runs.find(RunFilter(visitor=visitor))],
        "events": len(store.events.of(visitor, limit=10)),
        "state": store.events.state(visitor),
        "conversions": len(store.events.conversions(visitor, limit=10)),
        "zone": store.visitor(visitor) is not None,
        "ids": store.ids_of_person(visitor),
    }


NOTHING = {"executions": [], "runs": [], "events": 0, "state": {}, "conversions": 0, "zone": False}


def test_nothing_of_a_person_stays_and_nobody_else_loses_anything(store: Store) -> None:
    fill(store, "ada", 1)
    fill(store, "bob", 2)
    before = left(store, "bob")

    erased = store.erasing.erase("ada", now=NOW)

    assert left(store, "ada") == {**NOTHING, "ids": ["ada"]}
    assert left(store, "bob") == before
    assert (erased.ids, erased.executions, erased.cancelled, erased.runs) == (1, 1, 1, 1)
    assert (erased.events, erased.conversions) == (1, 1)
    with pytest.raises(UnknownExecution):
        store.execution(1)
    assert store.history(1) == []
    assert store.attempts(1) == []
    assert store.runs.of_execution(1) == []
    assert store.runs.of_execution(2) == [2]
    # its key is free, and its mark is gone
    assert store.allow_execute(key_digest=b"m" * 16, key_owner="ada", now=NOW, per_seconds=60)
    assert not store.allow_execute(key_digest=b"m" * 16, key_owner="bob", now=NOW, per_seconds=60)


def test_a_recurring_schedule_that_names_them_goes_with_what_it_fired(store: Store) -> None:
    payloads = {"to ada": '{"to":"ada Ł\\"s"}', "about ada": '{"to":"ops","about":"ada Ł\\"s and others"}'}
    for number, (name, payload) in enumerate(payloads.items(), 1):
        schedule = a_schedule(name, integration="webhook", payload=payload)
        assert store.schedules.put(schedule, replacing=None)
        assert store.schedules.put(replace(schedule, name=f"{name}, removed"), replacing=None)
        store.schedules.remove(f"{name}, removed", now=NOW)
        add(store, replace(an_execution(number), schedule=name, payload=payload))
    (claimed,) = claim(store, limit=1)
    store.start_all([(claimed.number, claimed.attempt)], now=NOW, lease_until=LATER)
    visitor = 'ada Ł"s'

    with pytest.raises(Conflict, match="being delivered"):
        store.erasing.erase(visitor, now=NOW)
    assert store.erasing.schedules(visitor) == ["to ada"]
    settle(store, claimed.number, claimed.attempt, SUCCEEDED, now=LATER)
    counted = store.erasing.count(visitor)
    erased = store.erasing.erase(visitor, now=NOW)

    assert counted == erased
    assert (erased.schedules, erased.executions) == (("to ada",), 1)
    assert [each.name for each in store.schedules.schedules()] == ["about ada"]
    assert [each.name for each, _ in store.schedules.removed(now=NOW)] == ["about ada, removed"]
    assert [each.number for each in store.find(Filter()).executions] == [2]
    assert store.erasing.schedules(visitor) == []


def test_every_id_of_the_person_is_erased(store: Store) -> None:
    fill(store, "ada", 1)
    fill(store, "customer-1", 2)
    store.identify("ada", "customer-1", now=NOW)

    counted = store.erasing.count("customer-1")
    erased = store.erasing.erase("customer-1", now=NOW)

    assert erased == counted
    assert erased.ids == 2
    assert left(store, "ada") == {**NOTHING, "ids": ["ada"]}
    assert left(store, "customer-1") == {**NOTHING, "ids": ["customer-1"]}


def test_counting_erases_nothing(store: Store) -> None:
    fill(store, "ada", 1)
    before = left(store, "ada")

    assert store.erasing.count("ada").executions == 1
    assert left(store, "ada") == before
    assert store.erasing.count("nobody").executions == 0


def test_what_ended_is_erased_with_its_attempts(store: Store) -> None:
    add(store, replace(an_execution(1), visitor="ada"))
    (claimed,) = claim(store)
    store.start_all([(claimed.number, claimed.attempt)], now=NOW, lease_until=LATER)
    settle(store, claimed.number, claimed.attempt, SUCCEEDED, now=LATER)

    erased = store.erasing.erase("ada", now=NOW)

    assert (erased.executions, erased.cancelled) == (1, 0)
    assert store.attempts(1) == []


def test_while_one_is_delivered_nothing_is_erased(store: Store) -> None:
    add(store, replace(an_execution(1), visitor="ada"))
    fill(store, "customer-1", 2)
    store.identify("ada", "customer-1", now=NOW)
    (claimed,) = claim(store)
    store.start_all([(claimed.number, claimed.attempt)], now=NOW, lease_until=LATER)
    before = left(store, "customer-1")

    with pytest.raises(Conflict, match="being delivered"):
        store.erasing.erase("customer-1", now=NOW)

    assert left(store, "customer-1") == before


def test_one_that_was_claimed_and_is_erased_never_starts(store: Store) -> None:
    add(store, replace(an_execution(1), visitor="ada"))
    (claimed,) = claim(store)

    store.erasing.erase("ada", now=NOW)

    assert store.start_all([(claimed.number, claimed.attempt)], now=NOW, lease_until=LATER) == set()


def test_erasing_twice_finds_nothing_the_second_time(store: Store) -> None:
    fill(store, "ada", 1)
    store.erasing.erase("ada", now=NOW)

    again = store.erasing.erase("ada", now=NOW)

    assert (again.executions, again.runs, again.events, again.conversions) == (0, 0, 0, 0)
