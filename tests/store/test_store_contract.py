"""What every store does: one suite over all adapters."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from experience_runtime.domain.errors import AlreadyScheduled, InvalidParameter, UnknownExecution
from experience_runtime.domain.executions import (
    TRANSITIONS,
    Attempt,
    Change,
    Execution,
    Filter,
    IfExists,
    Settlement,
    Status,
    execution_id,
)
from experience_runtime.domain.visitors import Visitor
from experience_runtime.ports import Store

NOW = datetime(2026, 3, 2, 12, 0, 0, 250_000, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
LEASE = timedelta(seconds=120)
KEY = b"k" * 16
SUCCEEDED = Settlement(status=Status.SUCCEEDED, http_status=200, answer='{"ok":true}')
FAILED = Settlement(status=Status.FAILED, reason="integration_failed", error="the other side answered 400")


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
    return store.start(execution.number, execution.attempt, now=now, lease_until=now + LEASE)


def running(store: Store, execution: Execution) -> Execution:
    add(store, execution)
    (claimed,) = claim(store)
    assert start(store, claimed)
    return claimed


def states(changes: Sequence[Change]) -> list[tuple[str | None, str, str | None]]:
    return [(c.from_status, c.to_status, c.reason) for c in changes]


# --- add


def test_an_execution_comes_back_as_it_was_added(store: Store) -> None:
    full = replace(
        keyed(7),
        experience="abandoned-basket",
        asked="delay 2 hours",
        window="monday-friday 09:00-17:00",
        cancel_on_conversion=True,
        retries=3,
        requested_at=LATER,
        due_at=LATER + timedelta(hours=2),
        reason="none yet",
    )

    added = store.add(full, IfExists.REPLACE)

    assert added.execution == full
    assert added.is_new
    assert added.replaced is None
    assert store.execution(7) == full
    assert states(store.history(7)) == [(None, "pending", None)]
    assert store.history(7)[0].at == NOW
    assert store.attempts(7) == []


def test_replace_cancels_the_pending_one_under_the_key(store: Store) -> None:
    add(store, keyed(1))

    added = store.add(keyed(2), IfExists.REPLACE)

    assert added.replaced == execution_id(1)
    assert store.execution(1).status is Status.CANCELLED
    assert store.execution(1).reason == "replaced"
    assert states(store.history(1))[1:] == [("pending", "cancelled", "replaced")]
    assert [e.number for e in claim(store)] == [2]


def test_keep_returns_the_pending_one_and_inserts_nothing(store: Store) -> None:
    add(store, keyed(1))

    added = store.add(keyed(2), IfExists.KEEP)

    assert (added.execution.number, added.is_new, added.replaced) == (1, False, None)
    with pytest.raises(UnknownExecution):
        store.execution(2)


def test_reject_raises_and_inserts_nothing(store: Store) -> None:
    add(store, keyed(1))

    with pytest.raises(AlreadyScheduled, match=execution_id(1)):
        store.add(keyed(2), IfExists.REJECT)

    assert store.find(Filter()).executions == [keyed(1)]


@pytest.mark.parametrize("if_exists", IfExists)
def test_one_key_of_two_owners_is_two_keys(store: Store, if_exists: IfExists) -> None:
    store.add(keyed(1, owner="ada"), if_exists)
    store.add(keyed(2, owner="bob"), if_exists)
    store.add(keyed(3, owner=""), if_exists)

    assert len(claim(store)) == 3


def test_a_finished_execution_leaves_its_key_free(store: Store) -> None:
    claimed = running(store, keyed(1))
    store.settle(1, claimed.attempt, SUCCEEDED, now=NOW)

    added = store.add(keyed(2), IfExists.REJECT)

    assert added.is_new
    assert added.replaced is None


def test_a_claimed_execution_can_still_be_replaced(store: Store) -> None:
    add(store, keyed(1))
    (claimed,) = claim(store)

    added = store.add(keyed(2), IfExists.REPLACE)

    assert added.replaced == execution_id(1)
    assert not start(store, claimed)


def test_executions_without_a_key_never_meet(store: Store) -> None:
    add(store, an_execution(1), an_execution(2))

    assert len(claim(store)) == 2


def test_a_number_already_taken_gives_way_to_the_next_free_one(store: Store) -> None:
    add(store, an_execution(1), an_execution(2))

    added = store.add(replace(an_execution(1), integration="webhook"), IfExists.REPLACE)

    assert added.execution.number == 3
    assert store.execution(3).integration == "webhook"
    assert store.execution(1).integration == "slack-update"


def test_an_execute_is_born_running_with_its_attempt(store: Store) -> None:
    execute = replace(
        an_execution(1), status=Status.RUNNING, attempt=1, begun=1, retries=0, lease_until=NOW + LEASE
    )

    add(store, execute)

    assert claim(store) == []
    assert states(store.history(1)) == [(None, "running", None)]
    assert store.attempts(1) == [Attempt(attempt=1, started_at=NOW)]
    assert store.settle(1, 1, SUCCEEDED, now=LATER) is not None
    assert states(store.history(1)) == [(None, "running", None), ("running", "succeeded", None)]


def test_a_running_one_replaces_nothing(store: Store) -> None:
    add(store, keyed(1))
    execute = replace(keyed(2), status=Status.RUNNING, attempt=1, begun=1, lease_until=NOW + LEASE)

    added = store.add(execute, IfExists.REPLACE)

    assert (added.is_new, added.replaced) == (True, None)
    assert store.execution(1).status is Status.PENDING


def test_text_that_no_database_holds_is_kept_readable(store: Store) -> None:
    odd = replace(an_execution(1), visitor="a\0b\ud800c", experience="é", asked="\udfff")

    add(store, odd)
    store.cancel(1, reason="\ud800 gone", now=NOW)

    assert store.execution(1).visitor == "a\ufffdb?c"
    assert store.execution(1).experience == "é"
    assert store.execution(1).reason == "? gone"
    assert store.convert("\ud800", event="\0", now=NOW) == []


# --- cancel


def test_cancel_key_cancels_the_one_under_this_key_and_owner(store: Store) -> None:
    add(store, keyed(1, owner="ada"), keyed(2, owner="bob"))

    ids = store.cancel_key(key_digest=KEY, key_owner="ada", reason="changed my mind", now=LATER)

    assert ids == [execution_id(1)]
    assert store.execution(1).reason == "changed my mind"
    assert store.history(1)[-1] == Change(
        at=LATER, from_status=Status.PENDING, to_status=Status.CANCELLED, reason="changed my mind"
    )
    assert store.execution(2).status is Status.PENDING
    assert store.cancel_key(key_digest=KEY, key_owner="ada", reason=None, now=LATER) == []


def test_key_pending_elsewhere_sees_other_owners_only(store: Store) -> None:
    add(store, keyed(1, owner="ada"))

    assert store.key_pending_elsewhere(key_digest=KEY, key_owner="bob")
    assert store.key_pending_elsewhere(key_digest=KEY, key_owner="")
    assert not store.key_pending_elsewhere(key_digest=KEY, key_owner="ada")
    assert not store.key_pending_elsewhere(key_digest=b"z" * 16, key_owner="bob")


def test_a_cancelled_execution_never_starts(store: Store) -> None:
    add(store, an_execution(1))
    (claimed,) = claim(store)

    assert store.cancel(1, reason=None, now=NOW)
    assert not start(store, claimed)
    assert claim(store, now=NOW + timedelta(days=1)) == []
    assert store.next_wake() is None


def test_a_running_execution_is_not_cancelled(store: Store) -> None:
    running(store, keyed(1))

    assert not store.cancel(1, reason=None, now=NOW)
    assert store.cancel_key(key_digest=KEY, key_owner="ada", reason=None, now=NOW) == []
    assert store.execution(1).status is Status.RUNNING


def test_cancelling_what_does_not_exist_changes_nothing(store: Store) -> None:
    assert not store.cancel(404, reason=None, now=NOW)
    assert not store.cancel(2**64, reason=None, now=NOW)


# --- convert


def test_a_conversion_cancels_what_asked_for_it(store: Store) -> None:
    asking = replace(an_execution(1), visitor="ada", cancel_on_conversion=True)
    add(
        store,
        asking,
        replace(asking, number=2, integration="webhook"),
        replace(asking, number=3, cancel_on_conversion=False),
        replace(asking, number=4, visitor="bob"),
        replace(asking, number=5, created_at=LATER),  # scheduled after the conversion
    )
    claim(store, limit=1)

    ids = store.convert("ada", event="ecBasketTransactionSummary", now=NOW)

    assert ids == [execution_id(1), execution_id(2)]
    assert [store.execution(n).status for n in (1, 2, 3, 4, 5)] == ["cancelled"] * 2 + ["pending"] * 3
    assert states(store.history(2)) == [(None, "pending", None), ("pending", "cancelled", "conversion")]
    assert store.execution(1).reason == "conversion"


def test_a_second_conversion_is_harmless(store: Store) -> None:
    add(store, replace(an_execution(1), visitor="ada", cancel_on_conversion=True))

    assert len(store.convert("ada", event="bought", now=NOW)) == 1
    assert store.convert("ada", event="bought", now=NOW) == []
    assert store.convert("nobody", event="bought", now=NOW) == []


# --- claim, postpone, start


def test_claim_takes_what_is_due_earliest_first(store: Store) -> None:
    add(
        store,
        replace(an_execution(1), due_at=NOW),
        replace(an_execution(2), due_at=NOW - timedelta(seconds=2)),
        replace(an_execution(3), due_at=NOW + timedelta(milliseconds=1)),
        replace(an_execution(4), due_at=NOW - timedelta(seconds=1)),
    )

    first = claim(store, limit=2)

    assert [e.number for e in first] == [2, 4]
    assert [(e.attempt, e.status, e.lease_until) for e in first] == [(1, "pending", NOW + LEASE)] * 2
    assert [e.number for e in claim(store)] == [1]
    assert claim(store) == []


def test_a_postponed_row_waits_for_its_opening(store: Store) -> None:
    add(store, an_execution(1))
    (claimed,) = claim(store)

    assert store.postpone(1, claimed.attempt, due_at=LATER, now=NOW)

    assert store.next_wake() == LATER
    assert claim(store) == []
    (again,) = claim(store, now=LATER)
    assert (again.due_at, again.attempt, again.begun) == (LATER, 2, 0)
    assert not store.postpone(1, claimed.attempt, due_at=LATER, now=NOW)
    assert len(store.history(1)) == 1


def test_start_begins_one_attempt_and_renews_the_lease(store: Store) -> None:
    add(store, an_execution(1))
    (claimed,) = claim(store)

    assert start(store, claimed, now=LATER)

    row = store.execution(1)
    assert (row.status, row.begun, row.lease_until) == (Status.RUNNING, 1, LATER + LEASE)
    assert store.attempts(1) == [Attempt(attempt=1, started_at=LATER)]
    assert states(store.history(1))[1:] == [("pending", "running", None)]
    assert not start(store, claimed)
    assert not start(store, replace(claimed, attempt=2))


def test_an_unclaimed_row_cannot_be_started(store: Store) -> None:
    add(store, an_execution(1))

    assert not start(store, store.execution(1))


# --- settle


def test_success_ends_the_row_and_its_attempt(store: Store) -> None:
    claimed = running(store, an_execution(1))

    row = store.settle(1, claimed.attempt, SUCCEEDED, now=LATER)

    assert row == store.execution(1)
    assert row.status is Status.SUCCEEDED
    assert row.lease_until is None
    assert store.attempts(1) == [
        Attempt(
            attempt=1,
            started_at=NOW,
            ended_at=LATER,
            outcome="succeeded",
            http_status=200,
            answer='{"ok":true}',
        )
    ]
    assert states(store.history(1))[-1] == ("running", "succeeded", None)
    assert store.next_wake() is None


def test_a_retry_waits_again_and_keeps_the_attempt(store: Store) -> None:
    claimed = running(store, keyed(1))
    retry = Settlement(
        status=Status.PENDING, reason="integration_failed", due_at=LATER, http_status=503, error="down"
    )

    row = store.settle(1, claimed.attempt, retry, now=NOW)

    assert row is not None
    assert (row.status, row.due_at, row.begun, row.lease_until) == (Status.PENDING, LATER, 1, None)
    (attempt,) = store.attempts(1)
    assert (attempt.outcome, attempt.http_status, attempt.error) == ("retry", 503, "down")
    (again,) = claim(store, now=LATER)
    assert start(store, again, now=LATER)
    assert store.execution(1).reason is None
    assert [a.attempt for a in store.attempts(1)] == [1, 2]


def test_a_retry_whose_key_waits_again_ends_as_replaced(store: Store) -> None:
    claimed = running(store, keyed(1))
    add(store, keyed(2))

    row = store.settle(1, claimed.attempt, Settlement(status=Status.PENDING, due_at=LATER), now=NOW)

    assert row is not None
    assert (row.status, row.reason) == (Status.CANCELLED, "replaced")
    assert states(store.history(1))[-2:] == [
        ("running", "pending", None),
        ("pending", "cancelled", "replaced"),
    ]
    assert [e.number for e in claim(store, now=LATER)] == [2]


def test_a_stale_worker_settles_nothing(store: Store) -> None:
    claimed = running(store, an_execution(1))
    store.give_back(now=NOW + LEASE)
    (again,) = claim(store, now=NOW + LEASE)
    assert start(store, again, now=NOW + LEASE)

    assert store.settle(1, claimed.attempt, SUCCEEDED, now=LATER) is None

    assert store.execution(1).status is Status.RUNNING
    assert store.attempts(1)[1].ended_at is None
    assert store.settle(1, again.attempt, SUCCEEDED, now=LATER) is not None
    assert store.settle(1, again.attempt, SUCCEEDED, now=LATER) is None


# --- give back


def test_a_lapsed_claim_is_claimed_again(store: Store) -> None:
    add(store, an_execution(1))
    (claimed,) = claim(store)

    assert store.give_back(now=NOW + LEASE - timedelta(milliseconds=1)) == []
    (row,) = store.give_back(now=NOW + LEASE)

    assert row == store.execution(1)
    assert (row.status, row.lease_until, row.begun) == (Status.PENDING, None, 0)
    assert not start(store, claimed)
    assert [e.attempt for e in claim(store)] == [2]
    assert len(store.history(1)) == 1


def test_a_lapsed_run_is_lost_and_waits_again(store: Store) -> None:
    running(store, an_execution(1))

    (row,) = store.give_back(now=NOW + LEASE)

    assert (row.status, row.due_at, row.lease_until, row.begun) == (Status.PENDING, NOW, None, 1)
    (attempt,) = store.attempts(1)
    assert (attempt.outcome, attempt.ended_at) == ("lost", NOW + LEASE)
    assert states(store.history(1))[-1] == ("running", "pending", "lost")


@pytest.mark.parametrize("retries", [0, 1])
def test_a_lapsed_run_without_retries_left_has_failed(store: Store, retries: int) -> None:
    running(store, replace(an_execution(1), retries=retries))
    for _ in range(retries):
        store.give_back(now=NOW + LEASE)
        (again,) = claim(store)
        assert start(store, again)

    (row,) = store.give_back(now=NOW + LEASE)

    assert (row.status, row.reason, row.begun) == (Status.FAILED, "lost", retries + 1)
    assert store.attempts(1)[0].outcome == "lost"


def test_a_lapsed_run_whose_key_waits_again_ends_as_replaced(store: Store) -> None:
    running(store, keyed(1))
    add(store, keyed(2))

    (row,) = store.give_back(now=NOW + LEASE)

    assert (row.number, row.status, row.reason) == (1, Status.CANCELLED, "replaced")


def test_everything_comes_back_but_what_may_be_another_process_s_execute(store: Store) -> None:
    running(store, an_execution(1))
    add(store, an_execution(2))
    claim(store)
    execute = replace(
        an_execution(3), status=Status.RUNNING, attempt=1, begun=1, retries=0, lease_until=NOW + LEASE
    )
    add(store, execute)

    given_back = store.give_back(now=NOW, everything=True)

    assert sorted(e.number for e in given_back) == [1, 2]
    assert store.execution(3).status is Status.RUNNING
    assert [e.number for e in store.give_back(now=NOW + LEASE, everything=True)] == [3]


# --- replay


@pytest.mark.parametrize("ending", [SUCCEEDED, FAILED])
def test_a_finished_execution_can_be_replayed(store: Store, ending: Settlement) -> None:
    claimed = running(store, an_execution(1))
    store.settle(1, claimed.attempt, ending, now=NOW)

    row = store.replay(1, reason="replayed", now=LATER)

    assert row == store.execution(1)
    assert (row.status, row.due_at, row.begun) == (Status.PENDING, LATER, 0)
    assert states(store.history(1))[-1] == (ending.status, "pending", "replayed")
    (again,) = claim(store, now=LATER)
    assert start(store, again, now=LATER)
    assert [a.attempt for a in store.attempts(1)] == [1, 2]


def test_only_a_finished_execution_can_be_replayed(store: Store) -> None:
    add(store, an_execution(1), an_execution(2))
    store.cancel(2, reason=None, now=NOW)

    assert store.replay(1, reason=None, now=NOW) is None
    assert store.replay(2, reason=None, now=NOW) is None
    assert store.replay(404, reason=None, now=NOW) is None


def test_a_replay_is_refused_while_its_key_is_pending_again(store: Store) -> None:
    claimed = running(store, keyed(1))
    store.settle(1, claimed.attempt, FAILED, now=NOW)
    add(store, keyed(2))

    with pytest.raises(AlreadyScheduled):
        store.replay(1, reason=None, now=NOW)

    assert store.execution(1).status is Status.FAILED


# --- next_wake


def test_next_wake_is_the_earliest_due_or_lapse(store: Store) -> None:
    assert store.next_wake() is None

    add(store, replace(an_execution(1), due_at=LATER))
    assert store.next_wake() == LATER

    add(store, an_execution(2))
    assert store.next_wake() == NOW

    (claimed,) = claim(store)
    assert store.next_wake() == NOW + LEASE

    start(store, claimed)
    store.settle(2, claimed.attempt, SUCCEEDED, now=NOW)
    assert store.next_wake() == LATER


# --- look


@pytest.mark.parametrize("number", [404, 2**63, 2**65 - 1])
def test_an_unknown_execution_is_said_to_be_one(store: Store, number: int) -> None:
    with pytest.raises(UnknownExecution):
        store.execution(number)
    assert store.history(number) == []
    assert store.attempts(number) == []


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


# --- many threads


def test_of_a_cancel_and_a_start_exactly_one_wins(store: Store) -> None:
    for number in range(1, 201):
        add(store, replace(an_execution(number), created_at=NOW))
        (claimed,) = claim(store)
        won: list[str] = []
        both = threading.Barrier(2)

        def cancel(number: int = number, won: list[str] = won, both: threading.Barrier = both) -> None:
            both.wait()
            if store.cancel(number, reason=None, now=NOW):
                won.append("cancel")

        def begin(claimed: Execution = claimed, won: list[str] = won, both: threading.Barrier = both) -> None:
            both.wait()
            if start(store, claimed):
                won.append("start")

        # Which of the two goes first alternates, so that neither is always the winner.
        acts: list[Callable[[], None]] = [cancel, begin] if number % 2 else [begin, cancel]
        threads = [threading.Thread(target=act) for act in acts]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert len(won) == 1
        expected = Status.CANCELLED if won == ["cancel"] else Status.RUNNING
        assert store.execution(number).status is expected


def test_no_execution_is_claimed_twice(store: Store) -> None:
    add(store, *(an_execution(number) for number in range(1, 301)))
    claimed: list[int] = []

    def take() -> None:
        while batch := claim(store, limit=7):
            claimed.extend(e.number for e in batch)

    threads = [threading.Thread(target=take) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(claimed) == list(range(1, 301))


def test_one_refused_operation_leaves_its_neighbours_alone(store: Store) -> None:
    add(store, keyed(1))
    refused: list[int] = []

    def act(number: int) -> None:
        try:
            store.add(keyed(number) if number % 2 else an_execution(number), IfExists.REJECT)
        except AlreadyScheduled:
            refused.append(number)

    threads = [threading.Thread(target=act, args=(number,)) for number in range(2, 42)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(refused) == list(range(3, 42, 2))
    kept = {e.number for e in store.find(Filter(), limit=100).executions}
    assert kept == {1, *range(2, 42, 2)}


def test_every_change_in_a_long_history_is_one_of_the_table(store: Store) -> None:
    claimed = running(store, keyed(1))
    store.settle(1, claimed.attempt, Settlement(status=Status.PENDING, due_at=NOW), now=NOW)
    (claimed,) = claim(store)
    start(store, claimed)
    store.give_back(now=NOW + LEASE)
    (claimed,) = claim(store)
    start(store, claimed)
    store.settle(1, claimed.attempt, FAILED, now=NOW)
    store.replay(1, reason="replayed", now=NOW)
    (claimed,) = claim(store)
    start(store, claimed)
    add(store, keyed(2))
    store.settle(1, claimed.attempt, Settlement(status=Status.PENDING, due_at=NOW), now=NOW)

    changes = store.history(1)

    assert len(changes) == 11
    assert all(change.to_status in TRANSITIONS[change.from_status] for change in changes)
    assert [c.from_status for c in changes[1:]] == [c.to_status for c in changes[:-1]]


def test_a_retry_after_a_conversion_while_it_ran_is_cancelled(store: Store) -> None:
    execution = replace(an_execution(1), visitor="ada", cancel_on_conversion=True)
    store.add(execution, IfExists.REPLACE)
    (claimed,) = store.claim_due(now=LATER, lease_until=LATER + LEASE, limit=1)
    store.start(1, claimed.attempt, now=LATER, lease_until=LATER + LEASE)
    store.convert("ada", event="bought", now=LATER)
    retry = Settlement(status=Status.PENDING, reason="integration_failed", due_at=LATER + LEASE)

    settled = store.settle(1, claimed.attempt, retry, now=LATER)

    assert settled is not None
    assert (settled.status, settled.reason) == (Status.CANCELLED, "conversion")
    assert [change.to_status for change in store.history(1)] == ["pending", "running", "pending", "cancelled"]


def test_a_conversion_before_the_schedule_call_does_not_stop_a_retry(store: Store) -> None:
    store.convert("ada", event="bought", now=NOW - LEASE)
    store.add(replace(an_execution(1), visitor="ada", cancel_on_conversion=True), IfExists.REPLACE)
    (claimed,) = store.claim_due(now=LATER, lease_until=LATER + LEASE, limit=1)
    store.start(1, claimed.attempt, now=LATER, lease_until=LATER + LEASE)
    retry = Settlement(status=Status.PENDING, reason="integration_failed", due_at=LATER + LEASE)

    settled = store.settle(1, claimed.attempt, retry, now=LATER)

    assert settled is not None
    assert settled.status is Status.PENDING
