"""What every store does: it finds executions, and remembers visitors and marks."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from experience_runtime.domain.errors import InvalidParameter, UnknownExecution
from experience_runtime.domain.executions import (
    Filter,
    Status,
    execution_id,
)
from experience_runtime.domain.visitors import Visitor
from experience_runtime.engine.stores import Store

from tests.support.executions import (
    FAILED,
    KEY,
    LATER,
    NOW,
    SUCCEEDED,
    add,
    an_execution,
    claim,
    settle,
    start,
)

# --- look


@pytest.mark.parametrize("number", [404, 2**63, 2**65 - 1])
def test_an_unknown_execution_is_said_to_be_one(store: Store, number: int) -> None:
    with pytest.raises(UnknownExecution):
        store.execution(number)
    assert store.history(number) == []
    assert store.attempts(number) == []


def test_the_stories_of_several_are_what_each_is_told_alone(store: Store) -> None:
    add(store, *(an_execution(number) for number in (1, 2, 3)))
    for claimed in claim(store, limit=2):
        assert start(store, claimed)
        settled = SUCCEEDED if claimed.number == 1 else FAILED
        settle(store, claimed.number, claimed.attempt, settled, now=LATER)
    store.replay(2, reason="again", now=LATER)
    store.cancel(3, reason="no more", now=LATER)
    executions = [store.execution(number) for number in (3, 1, 2)]

    stories = store.stories(executions)

    assert stories == [(store.attempts(each.number), store.history(each.number)) for each in executions]
    assert [(len(attempts), len(changes)) for attempts, changes in stories] == [(0, 2), (1, 3), (1, 4)]
    assert store.stories([]) == []


def test_those_that_are_still_there_are_told_with_their_attempts(store: Store) -> None:
    many = range(1, 121)
    add(store, *(an_execution(number) for number in many))
    for claimed in claim(store, limit=2):
        assert start(store, claimed)
        settle(store, claimed.number, claimed.attempt, SUCCEEDED, now=LATER)

    found = store.with_attempts([404, *reversed(many), 2**63])

    assert found == [(store.execution(number), store.attempts(number)) for number in reversed(many)]
    assert [len(attempts) for _, attempts in found] == [0] * 118 + [1, 1]
    assert store.with_attempts([]) == []


def test_find_lists_newest_first_page_by_page(store: Store) -> None:
    add(store, *(an_execution(number) for number in range(1, 8)))

    first = store.find(Filter(), limit=3)
    second = store.find(Filter(), cursor=first.next, limit=3)
    third = store.find(Filter(), cursor=second.next, limit=3)

    assert [e.number for e in first.executions] == [7, 6, 5]
    assert first.next == execution_id(5)
    assert [e.number for e in second.executions] == [4, 3, 2]
    assert [e.number for e in third.executions] == [1]
    assert third.next is None
    assert store.find(Filter(), limit=7).next is None


@pytest.mark.parametrize(
    ("filter", "numbers"),
    [
        (Filter(), [4, 3, 2, 1]),
        (Filter(statuses=[Status.PENDING]), [4, 3, 2]),
        (Filter(statuses=[Status.PENDING, Status.CANCELLED]), [4, 3, 2, 1]),
        (Filter(statuses=[Status.FAILED]), []),
        (Filter(integration="webhook"), [2]),
        (Filter(visitor="ada"), [4, 3]),
        (Filter(visitor="ada", experience="basket"), [4]),
        (Filter(visitor="ada", integration="webhook"), []),
    ],
)
def test_every_field_of_a_filter_must_match(store: Store, filter: Filter, numbers: list[int]) -> None:
    add(
        store,
        an_execution(1),
        replace(an_execution(2), integration="webhook"),
        replace(an_execution(3), visitor="ada"),
        replace(an_execution(4), visitor="ada", experience="basket"),
    )
    store.cancel(1, reason=None, now=NOW)

    assert [e.number for e in store.find(filter).executions] == numbers


@pytest.mark.parametrize("cursor", ["", "5", "ex_", "ex_000000000000u", "'; DROP TABLE executions"])
def test_a_cursor_that_is_not_one_is_refused(store: Store, cursor: str) -> None:
    with pytest.raises(InvalidParameter, match="cursor"):
        store.find(Filter(), cursor=cursor)


# --- visitors and marks


@pytest.mark.parametrize(
    ("told", "known"),
    [
        ([("Europe/Paris", None)], ("Europe/Paris", None)),
        ([("Europe/Paris", None), (None, None)], ("Europe/Paris", None)),
        ([("Europe/Paris", None), (None, -60)], (None, -60)),
        ([(None, 0), ("Europe/Paris", None)], ("Europe/Paris", None)),
        ([("Europe/Paris", None), ("Europe/Rome", -60)], ("Europe/Rome", -60)),
        ([(None, 300), (None, 0)], (None, 0)),
    ],
)
def test_a_visitor_s_last_known_fields_are_kept(
    store: Store, told: list[tuple[str | None, int | None]], known: tuple[str | None, int | None]
) -> None:
    assert store.visitor("ada") is None

    for timezone, offset in told:
        store.remember_visitor(Visitor(id="ada", timezone=timezone, timezone_offset=offset), now=NOW)

    assert store.visitor("ada") == Visitor(id="ada", timezone=known[0], timezone_offset=known[1])
    assert store.visitor("bob") is None
    store.remember_visitor(Visitor(id=None, timezone="Europe/Paris"), now=NOW)


def test_one_execute_a_key_per_interval(store: Store) -> None:
    def allowed(at: datetime, owner: str = "ada", digest: bytes = KEY) -> bool:
        return store.allow_execute(key_digest=digest, key_owner=owner, now=at, per_seconds=60)

    assert allowed(NOW)
    assert not allowed(NOW + timedelta(seconds=59, milliseconds=999))
    assert allowed(NOW, owner="bob")
    assert allowed(NOW, digest=b"z" * 16)
    assert allowed(NOW + timedelta(seconds=60))
    assert not allowed(NOW + timedelta(seconds=61))


def test_a_clock_that_is_put_back_does_not_keep_a_key_out(store: Store) -> None:
    def allowed(at: datetime) -> bool:
        return store.allow_execute(key_digest=KEY, key_owner="ada", now=at, per_seconds=60)

    assert allowed(LATER)
    assert not allowed(LATER - timedelta(milliseconds=1))  # two threads, each with its own look at the clock
    assert allowed(NOW)
    assert not allowed(NOW)
