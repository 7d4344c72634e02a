"""What every store does for those who are told of state changes: one order, no gap, nothing twice."""

from dataclasses import replace
from datetime import timedelta

from experience_runtime.domain.executions import Settlement, Status
from experience_runtime.domain.state_changes import STATE_CHANGES
from experience_runtime.engine.feed import KEPT, READER_KEPT, Delivery
from experience_runtime.store.opening import SqliteStore

from tests.support.executions import (
    FAILED,
    LATER,
    NOW,
    SUCCEEDED,
    add,
    an_execution,
    claim,
    settle,
    start,
)

RETRIED = Settlement(status=Status.PENDING, reason="integration_failed", due_at=LATER, http_status=503)


def of(number: int, visitor: str | None) -> Delivery:
    telling = replace(an_execution(100 + number), integration=STATE_CHANGES, visitor=visitor, due_at=LATER)
    return Delivery(of=number, execution=telling)


def told(store: SqliteStore, position: int = 0) -> list[tuple[int, str, int]]:
    store.feed.arrange()
    return [
        (each.execution.number, each.type.removeprefix("execution."), each.position)
        for each in store.feed.after(position, limit=100).changes
    ]


def test_every_change_has_its_place_once_somebody_reads(store: SqliteStore) -> None:
    add(store, an_execution(1))
    assert store.feed.arrange() == 0  # nobody asked yet
    assert store.feed.begin("crm", now=NOW) == 0

    add(store, an_execution(2), replace(an_execution(3), due_at=LATER))
    for each in claim(store):
        assert start(store, each)
    settle(store, 1, 1, SUCCEEDED, now=NOW)
    settle(store, 2, 1, RETRIED, now=NOW)
    store.cancel(3, reason="a holiday", now=NOW)
    store.restore(3, reason="no holiday", now=NOW)
    store.move(3, due_at=LATER + timedelta(hours=1), reason=None, now=NOW)
    store.replay(1, reason="again", now=NOW)
    (claimed,) = claim(store)
    assert start(store, claimed)
    settle(store, 1, 2, FAILED, now=NOW)
    add(store, replace(an_execution(4), status=Status.RUNNING, attempt=1, begun=1, lease_until=LATER))

    found = told(store)

    assert [place for _, _, place in found] == list(range(1, len(found) + 1))
    per_execution = {number: [type for of, type, _ in found if of == number] for number in (1, 2, 3, 4)}
    assert per_execution == {
        1: ["started", "succeeded", "replayed", "started", "failed"],
        2: ["scheduled", "started", "retrying"],
        3: ["scheduled", "cancelled", "restored", "moved"],
        4: ["started"],
    }
    assert told(store, found[-2][2]) == found[-1:]
    last = {each.execution.number: each for each in store.feed.after(0, limit=100).changes}
    assert (last[1].attempt and last[1].attempt.error) == "the receiver answered 400"
    assert (last[2].attempt and last[2].attempt.http_status) == 503
    assert last[3].change.reason is not None
    assert store.feed.begin("late", now=NOW) == len(found)


def test_a_reader_moves_with_what_it_puts_on_disk_and_only_from_where_it_is(store: SqliteStore) -> None:
    feed = store.feed
    feed.begin("crm", now=NOW)
    add(store, replace(an_execution(1), visitor="ada"), replace(an_execution(2), visitor="bob"))
    end = feed.arrange()
    store.erasing.erase("bob", now=NOW)  # between the look and the telling

    both = [of(1, "ada"), of(2, "bob")]
    assert feed.move("crm", start=0, end=end, deliveries=both)
    assert not feed.move("crm", start=0, end=end, deliveries=both)  # another process, which looked before
    assert feed.begin("crm", now=NOW) == end

    assert store.execution(101).integration == STATE_CHANGES
    assert [each.number for each in claim(store, now=LATER) if each.number > 100] == [101]
    assert told(store, end) == []  # of what tells, nothing is told
    assert feed.after(0, limit=100).position == 1  # what is erased has no place any more
    erased = store.erasing.erase("ada", now=NOW) if store.execution(101).status is Status.PENDING else None
    assert erased is None or erased.executions == 2


def test_what_was_told_goes_after_a_day_and_what_was_not_stays(store: SqliteStore) -> None:
    feed = store.feed
    feed.begin("crm", now=NOW)
    feed.begin("stream", now=NOW)
    add(store, an_execution(1), an_execution(2))
    assert feed.arrange() == 2
    feed.move("crm", start=0, end=1, deliveries=[])
    day_later = NOW + KEPT + timedelta(seconds=1)

    assert feed.prune(now=NOW + KEPT, limit=10) == 0
    assert feed.prune(now=day_later, limit=10) == 1
    assert feed.first() == 2
    assert feed.prune(now=day_later, limit=10) == 0

    assert feed.prune(now=NOW + READER_KEPT + timedelta(seconds=1), limit=10) == 1  # nobody asks any more
    add(store, an_execution(3))
    assert (feed.position("crm"), feed.position(""), told(store)) == (None, 2, [])
    assert feed.begin("crm", now=NOW) == 2
