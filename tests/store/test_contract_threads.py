"""What every store does: many threads at once see one order of things."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from experience_runtime.domain.errors import AlreadyScheduled
from experience_runtime.domain.executions import (
    Execution,
    Filter,
    IfExists,
    Status,
)
from experience_runtime.engine.stores import Store
from experience_runtime.store import rows
from experience_runtime.store.database import Rows
from experience_runtime.store.sql import SqlStore

from tests.support.executions import (
    NOW,
    add,
    an_execution,
    claim,
    keyed,
    start,
)


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


@pytest.mark.parametrize("store", ["sqlite on file", "postgresql"], indirect=True)
def test_a_short_look_waits_for_none_of_three_long_ones(store: SqlStore[Any]) -> None:
    add(store, an_execution(1))
    looking, go_on = threading.Semaphore(0), threading.Event()

    def look_long(read: Rows) -> Sequence[Any]:
        looking.release()
        assert go_on.wait(60)
        return read("find", rows.conditions(Filter()) | {"before": 100, "limit": 10})

    with ThreadPoolExecutor(4) as threads:
        long = [threads.submit(store.database.look, look_long) for _ in range(3)]
        try:
            for _ in long:
                assert looking.acquire(timeout=30)
            short = threads.submit(store.find, Filter())
            assert [each.number for each in short.result(30).executions] == [1]
        finally:
            go_on.set()
        assert [len(each.result(60)) for each in long] == [1, 1, 1]


@pytest.mark.parametrize("store", ["sqlite on file", "postgresql"], indirect=True)
def test_more_looks_than_there_are_connections_come_one_after_the_other(store: SqlStore[Any]) -> None:
    add(store, an_execution(1))

    with ThreadPoolExecutor(20) as threads:
        counts = list(threads.map(lambda _: store.count(Filter()), range(60)))

    assert counts == [1] * 60
