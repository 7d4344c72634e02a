"""Many workers on one database: each execution runs once, whatever becomes of the workers."""

import os
import signal
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from experience_runtime.clocks import SystemClock
from experience_runtime.domain.executions import Filter
from experience_runtime.domain.schedules import CatchUp, Schedule
from experience_runtime.engine.scheduler import Scheduler
from experience_runtime.plugins.registry import Registry
from experience_runtime.settings.load import load_settings
from experience_runtime.store.opening import PostgresStore

from tests.support.postgres import shared
from tests.system.faults.asking import CONVERSIONS, Asking, Told
from tests.system.faults.judgement import judged, waiting

from .nursery import INTEGRATIONS
from .yard import LEASE, Yard, until


def test_two_workers_share_a_burst_and_call_each_once(yard: Yard) -> None:
    yard.worker()
    yard.worker()
    until(lambda: len(yard.store.workers.all()) == 2, lambda: "the workers do not report themselves")

    yard.schedule(300)
    yard.wait_until_done()

    assert yard.judge() == 0
    assert len({pid for _, _, pid in yard.received()}) == 2


def test_finished_jobs_leave_nothing_with_the_engine(yard: Yard) -> None:
    yard.worker()
    yard.schedule(100)
    yard.wait_until_done()

    database = yard.address.rpartition("/")[2]
    rows = "SELECT (SELECT count(*) FROM procrastinate_jobs) + (SELECT count(*) FROM procrastinate_events)"
    until(lambda: shared().execute(rows, database) == [(0,)], lambda: shared().execute(rows, database))


def test_a_worker_delivers_for_its_integrations_only(yard: Yard) -> None:
    noted, other = yard.worker(only="noted"), yard.worker(only="other")

    ids = yard.schedule(30, integration="noted")
    yard.schedule(30, integration="other")
    yard.wait_until_done()

    served = {(id in ids, pid) for id, _, pid in yard.received()}
    assert served == {(True, noted), (False, other)}


def test_eight_workers_run_a_recurring_schedule_once(yard: Yard) -> None:
    now = SystemClock().now()
    for number in range(20):  # all of them at one instant
        assert yard.store.schedules.put(_daily(f"daily {number}", now), replacing=None)
    for _ in range(8):
        yard.worker(concurrency=2)

    yard.wait_for(20)
    until(lambda: len(yard.store.workers.all()) == 8, lambda: "not all of the workers came")
    yard.wait_until_done()

    assert Counter(Counter(id for id, _, _ in yard.received()).values()) == {1: 20}
    for number in range(20):
        (run,) = yard.store.schedules.runs(f"daily {number}", limit=10)
        assert run.outcome.value == "fired"


def test_a_killed_worker_is_taken_over_and_only_what_was_in_flight_comes_twice(
    yard: Yard, store: PostgresStore, tmp_path: Path
) -> None:
    (tmp_path / "noted.py").write_text(INTEGRATIONS, encoding="utf-8")
    registry = Registry(load_settings(integrations_dir=tmp_path, environ={}))
    clock, told = SystemClock(), Told()
    scheduler = Scheduler(store=store, clock=clock, integrations=registry, conversions=CONVERSIONS)
    asking = Asking(scheduler, "noted", told.hear)
    victim = yard.worker()
    yard.worker()
    until(lambda: len(yard.store.workers.all()) == 2, lambda: "the workers do not report themselves")
    for number in range(1, 200):
        asking.ask(number, 0.05)
    until(lambda: victim in {pid for _, _, pid in yard.received()[-20:]}, lambda: "it gets nothing to do")

    os.kill(victim, signal.SIGKILL)
    for number in range(200, 240):
        asking.ask(number, 0.05)
    until(lambda: not waiting(store), lambda: f"{waiting(store)} are left", seconds=400)

    repeated, figures = judged(store, yard.arrivals(), told)
    print(f"\none worker of two killed: {figures}")
    assert repeated <= 8  # what it had in flight


def test_a_worker_that_stood_still_past_its_lease_changes_nothing(yard: Yard) -> None:
    stalled = yard.worker(concurrency=8)  # half of it for one integration
    yard.schedule(4, seconds=LEASE / 2)
    yard.wait_for(4)

    os.kill(stalled, signal.SIGSTOP)
    other = yard.worker(concurrency=8)
    yard.wait_until_done()
    assert len(yard.received()) == 8
    settled = yard.store.find(Filter()).executions
    os.kill(stalled, signal.SIGCONT)
    yard.wait_for_worker(stalled, since=8)  # it comes back by itself
    yard.wait_until_done()

    before = {each.number for each in settled}
    found = yard.store.find(Filter(), limit=1_000_000).executions
    assert [each for each in found if each.number in before] == list(settled)
    yard.judge()
    second = [(id, pid) for id, attempt, pid in yard.received() if attempt == 2]
    assert {pid for _, pid in second} == {other}
    assert len(second) == 4


def test_a_stopped_worker_finishes_what_runs_and_gives_back_the_rest(yard: Yard) -> None:
    leaving = yard.worker(concurrency=2, lease=60)
    ids = yard.schedule(12, seconds=0.4)
    yard.wait_for(2)

    os.kill(leaving, signal.SIGTERM)
    until(lambda: yard.store.workers.all() == [], lambda: "it does not end")
    began = {id for id, _, _ in yard.received()}
    yard.worker(concurrency=12, lease=60)
    yard.wait_for(12)
    yard.wait_until_done()

    assert yard.judge() == 0
    assert len(began) < 12
    assert {id for id, _, _ in yard.received()} == set(ids)


def test_a_worker_that_is_gone_is_listed_as_gone(yard: Yard, store: PostgresStore) -> None:
    pid = yard.worker()
    until(lambda: len(store.workers.all()) == 1, lambda: "it does not report itself")
    os.kill(pid, signal.SIGKILL)

    (worker,) = store.workers.all()

    assert worker.pid == pid
    assert worker.is_there(worker.beat_at)
    assert not worker.is_there(worker.beat_at.replace(year=2100))


@pytest.mark.parametrize("count", [1, 3])
def test_a_job_that_comes_twice_or_late_changes_nothing(yard: Yard, count: int) -> None:
    database = yard.address.rpartition("/")[2]
    yard.worker()
    yard.schedule(5)
    yard.wait_until_done()
    numbers = ",".join(f"[{number},1]" for number in yard.made)
    job = f"ROW('noted', 'deliver', 0, NULL, NULL, '{{\"claimed\":[{numbers}]}}', NULL)"
    again = f"SELECT procrastinate_defer_jobs_v1(ARRAY[{job}::procrastinate_job_to_defer_v1])"

    for _ in range(count):
        shared().execute(again, database)
    left = "SELECT count(*) FROM procrastinate_jobs"
    until(lambda: shared().execute(left, database) == [(0,)], lambda: "the engine kept it")

    assert yard.judge() == 0
    assert len(yard.received()) == 5


def _daily(name: str, now: datetime) -> Schedule:
    return Schedule(
        name=name,
        integration="noted",
        recurrence=f'{{"daily":"{now + timedelta(hours=6):%H:%M}"}}',  # far from the run that is planned
        zone="UTC",
        window=None,
        payload="0",
        skip="[]",
        catch_up=CatchUp.ONE,
        created_at=now,
        updated_at=now,
        next_at=now + timedelta(seconds=4),
    )
