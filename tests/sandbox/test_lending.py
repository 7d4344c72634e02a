"""The pool's workers, when more runs come at once than there are: who waits, and for what."""

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import closing

import pytest
from experience_runtime.running.guest import Limits
from experience_runtime.sandbox.pool import Pool

from tests.system.faults.workload import until

PATIENCE_SECONDS = 60  # only a real hang takes as long


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor() as threads:
        yield threads


def test_a_run_is_given_the_worker_of_one_that_ends_before_another_is_started(
    threads: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(Pool(patience_seconds=PATIENCE_SECONDS)) as pool:
        (only,) = pool.process_ids()
        first = pool.open(Limits())
        monkeypatch.setattr(sys, "executable", "/nowhere/python")  # who tries to start another fails
        waiting = [threads.submit(pool.open, Limits()) for _ in range(3)]

        first.close()
        for each in as_completed(waiting, PATIENCE_SECONDS):
            each.result().close()

        assert pool.process_ids() == [only]


def test_who_waits_longest_is_served_first(
    threads: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    served: list[int] = []

    def take(number: int) -> None:
        with closing(pool.open(Limits())):
            served.append(number)

    with closing(Pool(patience_seconds=PATIENCE_SECONDS)) as pool:
        held = pool.open(Limits())
        monkeypatch.setattr(sys, "executable", "/nowhere/python")
        taking = []
        for number in range(3):
            taking.append(threads.submit(take, number))
            until(lambda: len(pool._waiting) == len(taking))

        held.close()
        for each in taking:
            each.result(PATIENCE_SECONDS)

    assert served == [0, 1, 2]


def test_a_run_that_waits_for_long_is_given_a_worker_of_its_own() -> None:
    with closing(Pool(most_idle=2, patience_seconds=0)) as pool:
        first, second = pool.open(Limits()), pool.open(Limits())
        first.close()
        second.close()

        assert len(set(pool.process_ids())) == 2


def test_who_waits_is_told_why_no_worker_can_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(Pool(patience_seconds=0)) as pool:
        first = pool.open(Limits())
        with monkeypatch.context() as patch:
            patch.setattr(sys, "executable", "/nowhere/python")
            with pytest.raises(FileNotFoundError):
                pool.open(Limits())
        first.close()

        pool.open(Limits()).close()
