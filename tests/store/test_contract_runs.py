"""What every store does for runs: kept, found by filter, counted, forgotten."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from experience_runtime.domain.errors import UnknownRun
from experience_runtime.domain.runs import KeptRun, RunFilter
from experience_runtime.engine.stores import Store

from tests.support.executions import NOW


def a_run(number: int, **fields: Any) -> KeptRun:
    made = KeptRun(
        number=number,
        at=NOW,
        experience="reminder",
        visitor="ada",
        trigger="site",
        outcome="ran",
        cpu_ms=3,
        executions=[number * 10],
        calls='[{"ok": true}]',
        log='[{"message": "hello"}]',
    )
    return replace(made, **fields)


def failed(number: int, **fields: Any) -> KeptRun:
    wrong = {"outcome": "failed", "code": "script_error", "message": "broke", "place": "variation.js:3:5"}
    return a_run(number, **{**wrong, **fields})


def keep(store: Store, *runs: KeptRun) -> None:
    for run in runs:
        store.runs.keep(run)


def found(store: Store, **filter: Any) -> list[int]:
    return [each.number for each in store.runs.find(RunFilter(**filter))]


def test_a_run_is_kept_as_it_was(store: Store) -> None:
    run = failed(7, refused=2, visitor=None, release=4, executions=[])

    keep(store, run)

    assert store.runs.run(7) == run
    assert list(store.runs.find(RunFilter())) == [replace(run, log="[]")]  # lists read no logs


def test_a_number_that_is_taken_gives_way_to_the_next(store: Store) -> None:
    keep(store, a_run(7))

    kept = store.runs.keep(a_run(7, visitor="bob"))

    assert kept.number == 8
    assert (store.runs.run(7).visitor, store.runs.run(8).visitor) == ("ada", "bob")
    assert store.runs.of_execution(70) == [7, 8]


@pytest.mark.parametrize("number", [8, 2**63 - 1, 2**65])
def test_a_run_that_is_not_there_is_unknown(store: Store, number: int) -> None:
    with pytest.raises(UnknownRun, match="runs list"):
        store.runs.run(number)


def test_runs_are_found_by_every_filter_newest_first(store: Store) -> None:
    keep(store, a_run(1), failed(2), a_run(3, experience="other"), a_run(4, visitor="bob"))
    keep(store, failed(5, place="triggers.js:1:1"), failed(6, experience="other", code="limit_cpu"))
    keep(store, a_run(7, visitor=None))

    assert found(store) == [7, 6, 5, 4, 3, 2, 1]
    assert found(store, experience="other") == [6, 3]
    assert found(store, outcome="failed") == [6, 5, 2]
    assert found(store, outcome="ran") == [7, 4, 3, 1]
    assert found(store, outcome="failed", experience="reminder") == [5, 2]
    assert found(store, visitor="bob") == [4]
    assert found(store, code="limit_cpu") == [6]
    assert found(store, outcome="failed", code="script_error", place="triggers.js:1:1") == [5]
    assert found(store, experience="nobody's") == []


def test_pages_follow_each_other_and_newer_ones_come_in_order(store: Store) -> None:
    keep(store, *[a_run(number) for number in range(1, 8)])

    first = store.runs.find(RunFilter(), limit=3)
    second = store.runs.find(RunFilter(), before=first[-1].number, limit=3)
    newer = store.runs.newer(RunFilter(visitor="ada"), after=5)

    assert [each.number for each in [*first, *second]] == [7, 6, 5, 4, 3, 2]
    assert [each.number for each in newer] == [6, 7]


def test_failures_that_are_alike_are_counted_together(store: Store) -> None:
    keep(store, failed(1), failed(2, place="triggers.js:1:1"), failed(3), a_run(4), failed(5, experience="x"))

    groups = store.runs.failures("reminder")

    told = [(each.code, each.place, each.count, each.last, each.message) for each in groups]
    assert told == [
        ("script_error", "variation.js:3:5", 2, 3, "broke"),
        ("script_error", "triggers.js:1:1", 1, 2, "broke"),
    ]


def test_outcomes_are_counted_by_experience(store: Store) -> None:
    keep(store, a_run(1), a_run(2, at=NOW + timedelta(hours=1)), failed(3), a_run(4, experience="x"))

    told = [(each.experience, each.outcome, each.count, each.last_at) for each in store.runs.counts()]

    assert told == [
        ("reminder", "failed", 1, NOW),
        ("reminder", "ran", 2, NOW + timedelta(hours=1)),
        ("x", "ran", 1, NOW),
    ]


def test_an_execution_names_the_runs_that_asked_for_it(store: Store) -> None:
    keep(store, a_run(1, executions=[5, 6]), a_run(2, executions=[6]))

    assert store.runs.of_execution(5) == [1]
    assert store.runs.of_execution(6) == [1, 2]
    assert store.runs.of_execution(7) == []


def test_hostile_texts_are_kept(store: Store) -> None:
    hostile = "'; DROP TABLE runs; -- \ud800 \0 𝕏"

    keep(store, failed(1, experience=hostile, message=hostile, place=hostile))

    assert found(store, experience=hostile, place=hostile) == [1]
    assert "DROP TABLE" in (store.runs.run(1).message or "")


def test_a_number_that_no_database_holds_ends_every_list(store: Store) -> None:
    keep(store, a_run(1))

    assert [each.number for each in store.runs.find(RunFilter(), before=2**65)] == [1]
    assert store.runs.newer(RunFilter(), after=2**65) == []
