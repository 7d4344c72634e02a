"""What every store does with changes by hand: each is kept with who made it, in the same transaction."""

import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from experience_runtime.domain.access import Scope, new_token
from experience_runtime.domain.audit import Actor, AuditFilter
from experience_runtime.domain.errors import Conflict
from experience_runtime.engine.auditing import acting
from experience_runtime.engine.stores import Store
from experience_runtime.log_context import Asked, asked

from tests.support.executions import LATER, NOW, SUCCEEDED, add, an_execution, claim, settle

ADA = Actor("ada", "203.0.113.7")


def entries(store: Store, **filter: object) -> list[tuple[str, str, str, str, str]]:
    found = store.audit.find(AuditFilter(**filter))  # type: ignore[arg-type]
    return [(each.actor, each.address, each.kind, each.action, each.object) for each in reversed(found)]


def test_each_change_of_an_execution_is_kept_with_who_made_it(store: Store) -> None:
    for number in (1, 2, 3):
        add(store, replace(an_execution(number), due_at=LATER))
    add(store, an_execution(4))
    (claimed,) = claim(store)
    store.start_all([(claimed.number, claimed.attempt)], now=NOW, lease_until=LATER)
    settle(store, claimed.number, claimed.attempt, SUCCEEDED, now=LATER)

    with acting(ADA):
        assert store.cancel(1, reason="the offer ended", now=NOW)
        assert not store.cancel(1, reason="again", now=NOW)  # is cancelled already
        assert len(store.cancel_each([1, 2, 3], reason="in bulk", now=NOW)) == 2
        assert store.replay(4, reason="replayed", now=NOW)
        assert store.replay_each([4], reason="replayed", now=NOW) == []

    one, four = (store.execution(number).id for number in (1, 4))
    by_ada = ("ada", "203.0.113.7", "execution")
    assert entries(store) == [(*by_ada, "cancel", one), (*by_ada, "cancel", ""), (*by_ada, "replay", four)]
    replayed, bulk, single = store.audit.find(AuditFilter())
    assert single.after == {"status": "cancelled", "reason": "the offer ended"}
    ids = [store.execution(number).id for number in (2, 3)]
    assert bulk.after == {"status": "cancelled", "reason": "in bulk", "count": 2, "ids": ids}
    assert [each.actor for each in store.history(1)] == [None, "ada"]
    assert [each.actor for each in store.history(4)] == [None, None, None, "ada"]
    assert [each.number for each in store.audit.find(AuditFilter(), before=replayed.number)] == [
        bulk.number,
        single.number,
    ]


def test_the_entry_says_who_asked_whichever_thread_commits_it(store: Store) -> None:
    for number in range(1, 41):
        add(store, replace(an_execution(number), due_at=LATER))

    def cancel(number: int) -> None:
        with acting(Actor(f"person {number}")):
            store.cancel(number, reason=None, now=NOW)

    threads = [threading.Thread(target=cancel, args=[number]) for number in range(1, 41)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()

    by = {each.object: each.actor for each in store.audit.find(AuditFilter(), limit=100)}
    assert by == {store.execution(number).id: f"person {number}" for number in range(1, 41)}


def test_a_change_that_is_refused_leaves_no_entry(store: Store) -> None:
    _, token = new_token("ops", [Scope.OPERATOR], [], now=NOW)
    store.tokens.put(token)

    with pytest.raises(Conflict):
        store.tokens.put(token)
    assert not store.tokens.revoke("nobody", now=NOW)

    assert entries(store) == [("runtime", "", "token", "create", "ops")]


def test_a_request_acts_as_its_caller_also_inside_of_a_command(store: Store) -> None:
    with acting(Actor("cli root")):
        given = asked.set(Asked("1", caller="ops", address="203.0.113.9"))
        store.tokens.put(new_token("made", [Scope.VIEWER], [], now=NOW)[1])
        asked.reset(given)
        store.tokens.revoke("made", now=NOW)

    assert [each[:2] for each in entries(store)] == [("ops", "203.0.113.9"), ("cli root", "")]


def test_entries_are_found_by_each_of_their_fields(store: Store) -> None:
    with acting(ADA):
        store.tokens.put(new_token("first", [Scope.VIEWER], [], now=NOW)[1])
    with acting(Actor("bob")):
        store.tokens.put(new_token("second", [Scope.VIEWER], [], now=LATER)[1])
        store.tokens.revoke("first", now=LATER)

    def objects(**filter: object) -> list[str]:
        return [f"{action} {object}" for _, _, _, action, object in entries(store, **filter)]

    assert objects(actor="bob") == ["create second", "revoke first"]
    assert objects(action="revoke") == ["revoke first"]
    assert objects(kind="token", object="first") == ["create first", "revoke first"]
    assert objects(kind="schedule") == []
    assert objects(since=LATER) == ["create second", "revoke first"]
    assert objects(until=LATER) == ["create first"]


def test_what_was_said_of_a_person_goes_with_them_and_the_entry_stays(store: Store) -> None:
    add(store, replace(an_execution(1), visitor="ada", due_at=LATER))
    add(store, replace(an_execution(2), visitor="bob", due_at=LATER))
    with acting(ADA):
        store.cancel(1, reason="Ada Lovelace asked for it", now=NOW)
        store.cancel(2, reason="bob", now=NOW)
        one, two = (store.execution(number).id for number in (1, 2))
        store.erasing.erase("ada", now=NOW)
        store.erasing.erase("bob", now=NOW)

    assert [each[3:] for each in entries(store)] == [
        ("cancel", one),
        ("cancel", two),
        ("erase", ""),
        ("erase", ""),
    ]
    found = store.audit.find(AuditFilter())
    assert [each.after for each in found if each.kind == "execution"] == [None, None]
    assert not any("ada" in str(each.after) or "bob" in str(each.after) for each in found)


def test_old_entries_are_pruned_and_a_purge_is_an_entry(store: Store) -> None:
    for days in range(5):
        at = NOW - timedelta(days=days)
        store.tokens.put(new_token(f"t{4 - days}", [Scope.VIEWER], [], now=at)[1])
    kept = sorted(each.object for each in store.audit.find(AuditFilter(since=NOW - timedelta(days=1))))
    # rows stand as they came, and these came in the other order: the newest first
    assert store.pruning.count("audit", before=NOW - timedelta(days=1)) == 3

    with acting(ADA):
        removed = store.pruning.remove("runs", before=NOW, now=NOW, limit=10)

    assert kept == ["t3", "t4"]
    (purge,) = store.audit.find(AuditFilter(kind="data"))
    assert (purge.actor, purge.action, purge.object, purge.after and purge.after["removed"]) == (
        "ada",
        "purge",
        "runs",
        removed,
    )
