"""Persons: conversions of one id count for all, and a conversion counts from when it happened."""

from dataclasses import replace
from datetime import timedelta

import pytest
from experience_runtime.domain.errors import Conflict
from experience_runtime.domain.executions import Execution, Settlement, Status, execution_id
from experience_runtime.domain.visitors import Visitor
from experience_runtime.engine.stores import Store

from tests.support.executions import FAILED, LATER, NOW, add, an_execution, running, settle

SECOND = timedelta(seconds=1)


def waiting(number: int, visitor: str) -> Execution:
    """One of a visitor's that a conversion cancels."""
    return replace(an_execution(number), visitor=visitor, cancel_on_conversion=True)


def test_a_conversion_of_either_id_cancels_for_both(store: Store) -> None:
    add(store, waiting(1, "browser"), waiting(2, "person"), waiting(3, "other"))

    assert store.identify("browser", "person", now=NOW) == ["browser", "person"]
    assert store.convert("person", event="bought", now=NOW) == [execution_id(1), execution_id(2)]

    add(store, waiting(4, "browser"), waiting(5, "person"))
    assert store.convert("browser", event="bought", now=LATER) == [execution_id(4), execution_id(5)]
    assert store.execution(3).status == "pending"


def test_two_browsers_of_one_person_are_one_and_so_are_two_persons_who_meet(store: Store) -> None:
    store.identify("phone", "ada", now=NOW)
    store.identify("desk", "ada", now=NOW)
    store.identify("tablet", "ada@shop.example", now=NOW)

    met = store.identify("ada", "ada@shop.example", now=NOW)

    assert met == ["ada", "ada@shop.example", "desk", "phone", "tablet"]
    assert all(store.ids_of_person(id) == met for id in met)
    assert store.ids_of_person("ben") == ["ben"]


def test_to_be_identified_again_changes_nothing(store: Store) -> None:
    store.identify("browser", "person", now=NOW)

    assert store.identify("browser", "person", now=LATER) == ["browser", "person"]
    assert store.identify("person", "browser", now=LATER) == ["browser", "person"]
    assert store.identify("alone", "alone", now=LATER) == ["alone"]


def test_what_was_cancelled_by_another_ids_conversion_is_not_replayed(store: Store) -> None:
    claimed = running(store, waiting(1, "browser"))
    settle(store, 1, claimed.attempt, FAILED, now=LATER)
    store.identify("browser", "person", now=LATER)
    store.convert("person", event="bought", now=LATER)

    with pytest.raises(Conflict, match="has converted since"):
        store.replay(1, reason=None, now=LATER)


def test_a_person_of_unknown_zone_gets_the_browsers(store: Store) -> None:
    store.remember_visitor(Visitor(id="browser", timezone="Europe/Paris"), now=NOW)
    store.remember_visitor(Visitor(id="known", timezone_offset=300), now=NOW)

    store.identify("browser", "person", now=NOW)
    store.identify("browser", "known", now=NOW)

    assert store.visitor("person") == Visitor(id="person", timezone="Europe/Paris")
    assert store.visitor("known") == Visitor(id="known", timezone_offset=300)


def test_a_person_has_at_most_a_hundred_ids(store: Store) -> None:
    for number in range(99):
        store.identify(f"browser{number}", "ada", now=NOW)

    with pytest.raises(Conflict, match="at most 100"):
        store.identify("one too many", "ada", now=NOW)
    assert len(store.ids_of_person("ada")) == 100
    assert store.ids_of_person("one too many") == ["one too many"]


def test_a_conversion_leaves_what_was_scheduled_after_it_happened(store: Store) -> None:
    before = replace(waiting(1, "ada"), created_at=NOW)
    after = replace(waiting(2, "ada"), created_at=NOW + 2 * SECOND)
    add(store, before, after)

    ids = store.convert("ada", event="bought", now=LATER, at=NOW + SECOND)

    (kept,) = store.events.conversions("ada", limit=9)
    assert ids == [execution_id(1)]
    assert store.execution(2).status == "pending"
    assert (kept.at, kept.received_at) == (NOW + SECOND, LATER)


def test_one_that_runs_and_was_scheduled_after_the_conversion_is_tried_again(store: Store) -> None:
    claimed = running(store, replace(waiting(1, "ada"), created_at=NOW))
    store.convert("ada", event="bought", now=NOW, at=NOW - SECOND)
    retry = Settlement(status=Status.PENDING, reason="integration_failed", due_at=LATER)

    settled = settle(store, 1, claimed.attempt, retry, now=LATER)

    assert settled is not None
    assert settled.status is Status.PENDING
