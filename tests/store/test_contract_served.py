"""What every store does for what is served: tokens, sessions, events, the overview, searching."""

from dataclasses import replace
from datetime import timedelta

import pytest
from experience_runtime.domain.access import Scope, Token, new_token, token_digest
from experience_runtime.domain.errors import Conflict, PayloadTooLarge
from experience_runtime.domain.executions import Status
from experience_runtime.domain.overview import Backlog, Ended, Failures
from experience_runtime.domain.visitor_events import VisitorEvent
from experience_runtime.domain.visitor_history import VisitorHistory
from experience_runtime.engine.stores import Store

from tests.support.executions import (
    FAILED,
    LATER,
    NOW,
    SUCCEEDED,
    add,
    an_execution,
    claim,
    running,
    settle,
)

MINUTE = timedelta(minutes=1)


def a_token(name: str = "shop") -> Token:
    return new_token(name, [Scope.SITE, Scope.AUTHOR], ["https://shop.example"], now=NOW)[1]


# --- tokens


def test_a_token_is_found_by_its_digest_and_listed_by_name(store: Store) -> None:
    assert not store.tokens.ever()
    shop, ops = a_token("shop"), a_token("ops")

    store.tokens.put(shop)
    store.tokens.put(ops)

    assert store.tokens.ever()
    assert store.tokens.token(shop.digest) == shop
    assert store.tokens.token(b"x" * 32) is None
    assert store.tokens.all() == [ops, shop]


def test_a_name_is_given_once(store: Store) -> None:
    store.tokens.put(a_token())

    with pytest.raises(Conflict, match="revoke it first"):
        store.tokens.put(a_token())


def test_a_revoked_token_and_its_sessions_are_gone(store: Store) -> None:
    shop, ops = a_token("shop"), a_token("ops")
    for token in (shop, ops):
        store.tokens.put(token)
        store.tokens.begin_session(token_digest(token.name), token=token.digest, now=NOW, expires_at=LATER)

    assert store.tokens.revoke("shop", now=NOW)
    assert not store.tokens.revoke("shop", now=NOW)

    assert store.tokens.token(shop.digest) is None
    assert store.tokens.session(token_digest("shop"), now=NOW) is None
    assert store.tokens.session(token_digest("ops"), now=NOW) == ops


def test_a_session_ends_at_its_time_or_when_it_is_ended(store: Store) -> None:
    shop = a_token()
    store.tokens.put(shop)
    for name in ("one", "two"):
        store.tokens.begin_session(token_digest(name), token=shop.digest, now=NOW, expires_at=LATER)

    store.tokens.end_session(token_digest("two"))

    assert store.tokens.session(token_digest("one"), now=LATER - MINUTE) == shop
    assert store.tokens.session(token_digest("one"), now=LATER) is None
    assert store.tokens.session(token_digest("two"), now=NOW) is None


def test_no_session_begins_for_a_token_that_is_gone(store: Store) -> None:
    store.tokens.begin_session(token_digest("one"), token=b"x" * 32, now=NOW, expires_at=LATER)

    assert store.tokens.session(token_digest("one"), now=NOW) is None


# --- events


def an_event(type: str, *, visitor: str = "ada") -> VisitorEvent:
    return VisitorEvent(visitor=visitor, type=type, data='{"a":1}', at=NOW, received_at=NOW)


def test_a_persons_history_is_that_of_all_their_ids(store: Store) -> None:
    for number, visitor in enumerate(("ada", "ada-2", "ben", "ada")):
        store.events.record(an_event(f"e{number}", visitor=visitor))
    store.identify("ada", "ada-2", now=NOW)
    store.convert("ada-2", event="bought", now=LATER)

    for visitor in ("ada", "ada-2"):
        history = store.events.history(visitor, limit=2)
        assert [event.type for event in history.events] == ["e1", "e3"]  # the newest, oldest first
        assert sorted(type for _, type in history.moments) == ["e0", "e1", "e3"]
        assert list(history.conversions) == [LATER]
    assert [event.type for event in store.events.history("ben", limit=9).events] == ["e2"]
    assert store.events.history("nobody", limit=9) == VisitorHistory(events=[], moments=[], conversions=[])


def test_a_visitors_events_come_newest_first(store: Store) -> None:
    for type in ("one", "two", "three"):
        store.events.record(an_event(type))
    store.events.record(an_event("other", visitor="ben"))

    assert [event.type for event in store.events.of("ada", limit=2)] == ["three", "two"]
    assert list(store.events.of("ben", limit=9)) == [an_event("other", visitor="ben")]


def test_of_each_visitor_the_newest_thousand_stay(store: Store) -> None:
    store.events.record(an_event("other", visitor="ben"))
    for number in range(1003):
        store.events.record(an_event(f"e{number}"))

    kept = store.events.of("ada", limit=2000)

    assert [kept[0].type, kept[-1].type, len(kept)] == ["e1002", "e3", 1000]
    assert len(store.events.of("ben", limit=9)) == 1


def test_conversions_of_a_visitor_come_newest_first(store: Store) -> None:
    store.convert("ada", event="first", now=NOW)
    store.convert("ada", event="second", now=LATER)
    store.convert("ben", event="other", now=LATER)

    found = [(each.event, each.at) for each in store.events.conversions("ada", limit=9)]

    assert found == [("second", LATER), ("first", NOW)]


# --- overview


def test_the_overview_counts_every_state_and_tells_what_is_due(store: Store) -> None:
    for number, settlement in ((1, SUCCEEDED), (2, FAILED)):
        claimed = running(store, an_execution(number))
        settle(store, number, claimed.attempt, settlement, now=NOW)
    add(store, an_execution(3), replace(an_execution(4), due_at=NOW - MINUTE))
    add(store, replace(an_execution(5), due_at=LATER), replace(an_execution(6), integration="webhook"))
    store.cancel(3, reason=None, now=NOW)

    found = store.overview(now=NOW, failed_since=NOW - MINUTE, next_limit=2)

    assert found.counts == {
        Status.PENDING: 3,
        Status.RUNNING: 0,
        Status.SUCCEEDED: 1,
        Status.FAILED: 1,
        Status.CANCELLED: 1,
    }
    assert found.backlog == [
        Backlog(integration="slack-update", pending=2, due=1, first_due_at=NOW - MINUTE),
        Backlog(integration="webhook", pending=1, due=1, first_due_at=NOW),
    ]
    assert found.oldest_due_at == NOW - MINUTE
    assert found.failures == [Failures(integration="slack-update", reason="integration_failed", count=1)]
    assert [each.number for each in found.next] == [4, 6]


def test_what_is_claimed_and_what_runs_is_counted(store: Store) -> None:
    running(store, an_execution(1))
    add(store, an_execution(2))
    claim(store)

    found = store.overview(now=NOW, failed_since=NOW, next_limit=9)

    assert (found.counts[Status.RUNNING], found.counts[Status.PENDING]) == (1, 1)
    assert (found.backlog, found.next, found.oldest_due_at) == ([], [], None)


def test_failures_before_the_instant_are_left_out(store: Store) -> None:
    claimed = running(store, an_execution(1))
    settle(store, 1, claimed.attempt, FAILED, now=NOW)

    assert store.overview(now=LATER, failed_since=NOW, next_limit=0).failures
    assert not store.overview(now=LATER, failed_since=NOW + MINUTE, next_limit=0).failures


def test_an_empty_store_has_an_overview(store: Store) -> None:
    found = store.overview(now=NOW, failed_since=NOW, next_limit=5)

    assert set(found.counts.values()) == {0}
    assert (found.backlog, found.failures, found.next, found.oldest_due_at) == ([], [], [], None)


def test_what_ended_is_counted_by_the_hour(store: Store) -> None:
    ends = ((1, SUCCEEDED, NOW), (2, SUCCEEDED, LATER), (3, FAILED, LATER), (4, SUCCEEDED, LATER))
    for number, settlement, at in ends:
        claimed = running(store, an_execution(number))
        settle(store, number, claimed.attempt, settlement, now=at)
    add(store, an_execution(5))
    store.cancel(5, reason=None, now=LATER)
    first, second = (at.replace(minute=0, second=0, microsecond=0) for at in (NOW, LATER))

    assert list(store.ended_by_hour(since=NOW, most=10)) == [
        Ended(hour=first, status=Status.SUCCEEDED, count=1),
        Ended(hour=second, status=Status.FAILED, count=1),
        Ended(hour=second, status=Status.SUCCEEDED, count=2),
    ]
    assert [each.hour for each in store.ended_by_hour(since=LATER, most=10)] == [second, second]
    assert sum(each.count for each in store.ended_by_hour(since=NOW, most=2)) <= 2


def test_a_kept_state_is_added_to_member_after_member_and_is_the_persons(store: Store) -> None:
    events = store.events
    events.keep_state("ada", {"tier": "silver", "city": "Paris\0", "old": 1}, now=NOW)
    events.keep_state("customer-1", {"tier": "gold"}, now=NOW + MINUTE)
    events.keep_state("ada", {"old": None, "list": [1, {"a": None}]}, now=NOW)

    assert events.state("ada") == {"tier": "silver", "city": "Paris\0", "list": [1, {"a": None}]}
    assert events.state("bob") == {}
    store.identify("ada", "customer-1", now=NOW)
    for id in ("ada", "customer-1"):
        assert events.history(id, limit=5).state == {**events.state("ada"), "tier": "gold"}

    with pytest.raises(PayloadTooLarge, match="the kept state would have 65"):
        events.keep_state("ada", {"more": "x" * 65_500}, now=NOW)
    assert events.state("ada")["tier"] == "silver"
    with pytest.raises(PayloadTooLarge):
        events.keep_state("bob", {"more": "x" * 65_530}, now=NOW)
    assert events.state("bob") == {}
