"""What every store does with schedules: an instant fires once, in the transaction that moves it on."""

import json
import threading
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from experience_runtime.domain.errors import Conflict, UnknownSchedule
from experience_runtime.domain.executions import Execution, Settlement, Status, execution_id
from experience_runtime.domain.schedules import CatchUp, Firing, Outcome, Schedule, ScheduleRun
from experience_runtime.store.opening import SqliteStore

from tests.support.executions import (
    LATER,
    NOW,
    SUCCEEDED,
    add,
    an_execution,
    claim,
    settle,
    start,
)

HOUR = timedelta(hours=1)


def a_schedule(name: str = "digest", **changes: Any) -> Schedule:
    schedule = Schedule(
        name=name,
        integration="slack-update",
        recurrence='{"daily":"13:00"}',
        zone="Europe/Paris",
        window=None,
        payload='{"message":"hello"}',
        skip="[]",
        catch_up=CatchUp.ONE,
        created_at=NOW,
        updated_at=NOW,
        next_at=NOW,
    )
    return replace(schedule, **changes)


def firing(schedule: Schedule, number: int = 1, **changes: Any) -> Firing:
    execution = replace(an_execution(number), schedule=schedule.name)
    next_at = (schedule.next_at or NOW) + HOUR
    return replace(
        Firing(schedule=schedule, next_at=next_at, look_at=next_at, execution=execution), **changes
    )


def put(store: SqliteStore, *schedules: Schedule) -> None:
    for schedule in schedules:
        assert store.schedules.put(schedule, replacing=None)


def fired(store: SqliteStore, *numbers: int) -> list[Execution]:
    return [store.execution(number) for number in numbers]


def test_a_schedule_comes_back_as_it_was_put(store: SqliteStore) -> None:
    full = a_schedule(
        window="monday-friday 09:00-17:00",
        skip='["2026-12-25"]',
        catch_up=CatchUp.NONE,
        payload=json.dumps("é" * 1000),
        paused_at=LATER,
        next_at=None,
        updated_at=LATER,
        version=3,
    )

    put(store, full)

    assert store.schedules.schedule("digest") == full
    assert store.schedules.schedules() == [full]


def test_a_name_is_taken_once(store: SqliteStore) -> None:
    put(store, a_schedule())

    again = store.schedules.put(a_schedule(integration="webhook"), replacing=None)

    assert not again
    assert store.schedules.schedule("digest").integration == "slack-update"


def test_all_are_listed_by_name(store: SqliteStore) -> None:
    put(store, a_schedule("b"), a_schedule("a"), a_schedule("C"))

    assert [schedule.name for schedule in store.schedules.schedules()] == ["C", "a", "b"]


def test_the_one_that_was_read_is_replaced(store: SqliteStore) -> None:
    put(store, a_schedule())
    edited = a_schedule(payload='"other"', next_at=LATER, version=2)

    assert store.schedules.put(edited, replacing=a_schedule())
    assert store.schedules.schedule("digest") == edited


@pytest.mark.parametrize("meanwhile", [{"version": 2}, {"next_at": LATER}, {"next_at": None}])
def test_one_that_changed_meanwhile_is_not_replaced(store: SqliteStore, meanwhile: dict[str, Any]) -> None:
    put(store, a_schedule(**meanwhile))

    replaced = store.schedules.put(a_schedule(payload='"other"', version=2), replacing=a_schedule())

    assert not replaced
    assert store.schedules.schedule("digest") == a_schedule(**meanwhile)


def test_an_unknown_name_is_refused(store: SqliteStore) -> None:
    for act in (
        lambda: store.schedules.schedule("digest"),
        lambda: store.schedules.remove("digest", now=NOW),
        lambda: store.schedules.fire_now("digest", an_execution(), now=NOW),
    ):
        with pytest.raises(UnknownSchedule, match='no schedule "digest"'):
            act()

    assert store.schedules.runs("digest", limit=5) == []


def test_a_removed_schedule_leaves_its_executions(store: SqliteStore) -> None:
    put(store, a_schedule())
    store.schedules.fire([firing(a_schedule())], now=NOW)

    store.schedules.remove("digest", now=NOW)

    assert store.schedules.schedules() == []
    assert store.execution(1).status is Status.PENDING


def test_due_are_those_whose_instant_has_come_longest_first(store: SqliteStore) -> None:
    put(
        store,
        a_schedule("now"),
        a_schedule("later", next_at=NOW + timedelta(milliseconds=1)),
        a_schedule("before", next_at=NOW - HOUR),
        a_schedule("never", next_at=None),
    )

    due = store.schedules.due(now=NOW, limit=10)

    assert [schedule.name for schedule in due] == ["before", "now"]
    assert [schedule.name for schedule in store.schedules.due(now=NOW, limit=1)] == ["before"]
    assert store.schedules.next_at() == NOW - HOUR


def test_with_no_schedule_nothing_comes(store: SqliteStore) -> None:
    put(store, a_schedule(next_at=None))

    assert store.schedules.next_at() is None
    assert store.schedules.due(now=LATER, limit=10) == []


def test_firing_moves_on_and_inserts_and_records(store: SqliteStore) -> None:
    put(store, a_schedule())
    add(store, an_execution(1))  # the number is taken

    runs = store.schedules.fire([firing(a_schedule(), 1)], now=LATER)

    schedule = store.schedules.schedule("digest")
    assert (schedule.next_at, schedule.last, schedule.version) == (NOW + HOUR, 2, 1)
    assert store.execution(2) == replace(an_execution(2), schedule="digest")
    expected = ScheduleRun(at=NOW, outcome=Outcome.FIRED, recorded_at=LATER, execution=2, reason="")
    assert list(runs) == [expected]
    assert store.schedules.runs("digest", limit=5) == [expected]


@pytest.mark.parametrize("meanwhile", [{"version": 2}, {"next_at": LATER}, {"next_at": None}])
def test_one_that_was_moved_on_meanwhile_fires_nothing(store: SqliteStore, meanwhile: dict[str, Any]) -> None:
    put(store, a_schedule(**meanwhile))
    record = ScheduleRun(at=NOW, outcome=Outcome.MISSED, recorded_at=NOW)

    runs = store.schedules.fire([firing(a_schedule(), record=record)], now=NOW)

    assert list(runs) == [None]
    assert store.schedules.schedule("digest") == a_schedule(**meanwhile)
    assert store.schedules.runs("digest", limit=5) == []
    assert claim(store) == []


def test_two_processes_fire_each_instant_once(store: SqliteStore) -> None:
    put(store, *(a_schedule(f"s{n}") for n in range(40)))
    together = threading.Barrier(4)

    def fire() -> None:
        due = store.schedules.due(now=NOW, limit=100)
        together.wait(60)
        for n, schedule in enumerate(due):
            store.schedules.fire([firing(schedule, n * 1000)], now=NOW)

    threads = [threading.Thread(target=fire) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert sorted(str(e.schedule) for e in claim(store, limit=1000)) == sorted(f"s{n}" for n in range(40))


@pytest.mark.parametrize("state", ["pending", "claimed", "running", "waiting for a retry"])
def test_while_the_previous_one_is_not_over_the_instant_is_skipped(store: SqliteStore, state: str) -> None:
    put(store, a_schedule())
    store.schedules.fire([firing(a_schedule(), 1)], now=NOW)
    if state != "pending":
        (claimed,) = claim(store)
        if state != "claimed":
            assert start(store, claimed)
        if state == "waiting for a retry":
            settle(store, 1, 1, Settlement(status=Status.PENDING, due_at=LATER), now=NOW)

    (run,) = store.schedules.fire([firing(store.schedules.schedule("digest"), 2)], now=NOW + HOUR)

    assert run is not None
    schedule = store.schedules.schedule("digest")
    assert (run.outcome, run.execution, run.reason) == (
        Outcome.SKIPPED,
        1,
        f"{execution_id(1)} was not over",
    )
    assert (schedule.next_at, schedule.last) == (NOW + 2 * HOUR, 1)
    assert [r.outcome for r in store.schedules.runs("digest", limit=5)] == [Outcome.SKIPPED, Outcome.FIRED]


@pytest.mark.parametrize("end", ["succeeded", "failed", "cancelled"])
def test_when_the_previous_one_is_over_the_next_is_fired(store: SqliteStore, end: str) -> None:
    put(store, a_schedule())
    store.schedules.fire([firing(a_schedule(), 1)], now=NOW)
    if end == "cancelled":
        store.cancel(1, reason=None, now=NOW)
    else:
        (claimed,) = claim(store)
        assert start(store, claimed)
        settle(store, 1, 1, SUCCEEDED if end == "succeeded" else Settlement(status=Status.FAILED), now=NOW)

    (run,) = store.schedules.fire([firing(store.schedules.schedule("digest"), 2)], now=NOW + HOUR)

    assert run is not None
    assert (run.outcome, run.execution) == (Outcome.FIRED, 2)


def test_a_failure_is_recorded_and_looked_at_again_later_with_its_instant_kept(store: SqliteStore) -> None:
    put(store, a_schedule())
    failed = ScheduleRun(at=NOW, outcome=Outcome.FAILED, recorded_at=NOW, reason="no such zone")
    again = firing(a_schedule(), next_at=NOW, look_at=LATER, record=failed, execution=None)

    store.schedules.fire([again], now=NOW)

    assert store.schedules.next_at() == LATER
    assert store.schedules.due(now=NOW, limit=5) == []
    assert [schedule.next_at for schedule in store.schedules.due(now=LATER, limit=5)] == [NOW]
    assert store.schedules.runs("digest", limit=5) == [failed]


def test_one_of_a_batch_that_was_moved_on_leaves_the_others_alone(store: SqliteStore) -> None:
    put(store, a_schedule("a"), a_schedule("b", version=2), a_schedule("c"))

    runs = store.schedules.fire([firing(a_schedule(name), n) for n, name in enumerate("abc")], now=NOW)

    assert [run and run.execution for run in runs] == [0, None, 2]


def test_run_now_leaves_the_next_instant_alone(store: SqliteStore) -> None:
    put(store, a_schedule())
    execution = replace(an_execution(7), schedule="digest", asked="run now")

    inserted = store.schedules.fire_now("digest", execution, now=LATER)

    schedule = store.schedules.schedule("digest")
    assert inserted == execution
    assert (schedule.next_at, schedule.last) == (NOW, 7)
    assert [run.reason for run in store.schedules.runs("digest", limit=5)] == ["run now"]


def test_run_now_is_refused_while_the_previous_one_is_not_over(store: SqliteStore) -> None:
    put(store, a_schedule())
    store.schedules.fire_now("digest", replace(an_execution(7), schedule="digest"), now=NOW)

    with pytest.raises(Conflict, match=f"{execution_id(7)} of the schedule digest is not over"):
        store.schedules.fire_now("digest", an_execution(8), now=NOW)

    assert [e.number for e in claim(store)] == [7]


def test_the_last_thousand_runs_are_kept(store: SqliteStore) -> None:
    put(store, a_schedule())
    skipping: list[Firing] = []
    schedule = a_schedule()
    for minute in range(1, 1003):
        at = NOW + timedelta(minutes=minute)
        record = ScheduleRun(at=at, outcome=Outcome.MISSED, recorded_at=at)
        skipping.append(Firing(schedule=schedule, next_at=at, look_at=at, record=record, execution=None))
        schedule = replace(schedule, next_at=at)

    store.schedules.fire(skipping, now=NOW)

    kept = store.schedules.runs("digest", limit=2000)
    assert len(kept) == 1000
    assert kept[0].at == NOW + timedelta(minutes=1002)


def test_edits_leave_the_last_execution_as_firing_set_it(store: SqliteStore) -> None:
    put(store, a_schedule())
    store.schedules.fire([firing(a_schedule(), 5)], now=NOW)
    read = store.schedules.schedule("digest")

    assert store.schedules.put(replace(read, last=None, version=2), replacing=read)

    assert store.schedules.schedule("digest").last == 5
