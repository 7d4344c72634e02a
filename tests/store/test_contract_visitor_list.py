"""What every store does to list visitors: those seen lately, and those whose ids begin with a text."""

from dataclasses import replace
from datetime import timedelta

from experience_runtime.domain.visitor_events import VisitorEvent
from experience_runtime.domain.visitors import Visitor
from experience_runtime.engine.stores import Store

from tests.store.test_contract_runs import a_run, keep
from tests.support.executions import NOW, add, an_execution

LATER = NOW + timedelta(minutes=1)


def test_visitors_of_runs_events_and_executions_are_told_with_when_they_were_last_seen(store: Store) -> None:
    keep(store, a_run(1, visitor="ran"), a_run(2, visitor="ran", at=LATER), a_run(3, visitor=None))
    event = VisitorEvent(visitor="told", type="ecView", data="null", at=NOW, received_at=NOW)
    store.events.record(event)
    add(store, replace(an_execution(1), visitor="called", experience=None))
    add(store, replace(an_execution(2), visitor="reminded", experience="reminder"))

    seen = store.visitor_list.lately(looked_at=10, of_experiences=False)
    last = store.visitor_list.lately(looked_at=1, of_experiences=False)
    of_experiences = store.visitor_list.lately(looked_at=1, of_experiences=True)

    assert seen["ran"] == LATER
    assert set(seen) == {"ran", "told", "called", "reminded"}
    assert set(last) == {"told", "reminded"}  # the last run was anonymous
    assert set(of_experiences) == {"reminded"}


def test_ids_that_begin_with_a_text_are_found_in_every_source_and_each_once(store: Store) -> None:
    keep(store, *(a_run(number, visitor=f"v{number % 3}") for number in range(1, 9)))
    for number in range(1, 4):
        add(store, replace(an_execution(number), visitor="v-called", experience=None, key_digest=None))
    store.remember_visitor(Visitor(id="v%_", timezone="Europe/Paris"), now=NOW)
    store.identify("v0", "vera@shop.example", now=NOW)
    every = dict.fromkeys(["v%_", "v0", "vera@shop.example", "v1", "v2", "v-called"])

    def beginning(*texts: str, limit: int = 10, of_experiences: bool = False) -> list[str]:
        return list(store.visitor_list.beginning(texts, limit=limit, of_experiences=of_experiences))

    assert beginning("v") == list(every)
    assert beginning("v", of_experiences=True) == ["v0", "v1", "v2"]
    assert beginning("v", of_experiences=True, limit=2) == ["v0", "v1"]
    assert beginning("v%") == ["v%_"]
    assert beginning("ver", "V") == ["vera@shop.example"]
    assert beginning("w") == beginning("\ud800") == []
    paris, nobody = store.visitor_list.seen(["v%_", "v0"])
    assert (paris.timezone, paris.seen_at, paris.ids) == ("Europe/Paris", NOW, ("v%_",))
    assert (nobody.seen_at, nobody.ids) == (None, ("v0", "vera@shop.example"))
