"""What every store does with a schedule that was removed: for a day it can be restored, with its runs."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from experience_runtime.domain.errors import Conflict, UnknownSchedule
from experience_runtime.domain.schedules import RESTORABLE, Outcome, Schedule
from experience_runtime.engine.pruning import PAUSE
from experience_runtime.engine.stores import Store

from tests.support.executions import NOW, an_execution

from .test_contract_schedules import a_schedule


def removed_with_a_run(store: Store) -> Schedule:
    schedule = a_schedule("digest")
    assert store.schedules.put(schedule, replacing=None)
    store.schedules.fire_now("digest", replace(an_execution(1), schedule="digest"), now=NOW)
    before = store.schedules.schedule("digest")
    store.schedules.remove("digest", now=NOW)
    return before


def as_it_was(schedule: Schedule) -> Schedule:
    return schedule


def test_a_removed_schedule_fires_nothing_and_comes_back_with_its_runs(store: Store) -> None:
    before = removed_with_a_run(store)

    assert store.schedules.schedules() == []
    assert store.schedules.next_at() is None
    assert store.schedules.removed(now=NOW) == [(before, NOW)]

    after = store.schedules.restore("digest", lambda was: replace(was, version=was.version + 1), now=NOW)

    assert after == replace(before, version=before.version + 1)
    assert store.schedules.schedule("digest") == after
    assert [each.outcome for each in store.schedules.runs("digest", limit=9)] == [Outcome.FIRED]
    assert store.schedules.removed(now=NOW) == []
    with pytest.raises(UnknownSchedule, match="within a day"):
        store.schedules.restore("digest", as_it_was, now=NOW)


def test_after_a_day_it_is_gone(store: Store) -> None:
    removed_with_a_run(store)
    later = NOW + RESTORABLE

    assert store.schedules.removed(now=later) == []
    with pytest.raises(UnknownSchedule):
        store.schedules.restore("digest", as_it_was, now=later)
    store.schedules.put(a_schedule("other"), replacing=None)
    store.schedules.remove("other", now=later)
    assert [each.name for each, _ in store.schedules.removed(now=NOW - timedelta(days=9))] == ["other"]
    assert store.schedules.runs("digest", limit=9) == []


def test_a_new_one_of_its_name_takes_its_place_for_good(store: Store) -> None:
    removed_with_a_run(store)
    fresh = a_schedule("digest")

    store.schedules.put(fresh, replacing=None)

    assert store.schedules.runs("digest", limit=9) == []
    assert store.schedules.removed(now=NOW) == []
    with pytest.raises(UnknownSchedule):
        store.schedules.restore("digest", as_it_was, now=NOW)
    assert store.schedules.schedule("digest") == fresh


def test_where_the_change_is_refused_it_stays_removed(store: Store) -> None:
    removed_with_a_run(store)

    def refused(_: Schedule) -> Schedule:
        raise Conflict("no")

    with pytest.raises(Conflict):
        store.schedules.restore("digest", refused, now=NOW)
    assert [each.name for each, _ in store.schedules.removed(now=NOW)] == ["digest"]


def test_what_can_be_restored_no_more_is_gone_without_another_removal(store: Store) -> None:
    removed_with_a_run(store)

    def prune(now: datetime) -> list[str]:
        store.pruning.step("answers", before=NOW, now=now, limit=9, pause=PAUSE, rest=PAUSE)
        return [schedule.name for schedule, _ in store.schedules.removed(now=NOW)]

    assert prune(NOW + RESTORABLE - timedelta(seconds=1)) == ["digest"]
    assert prune(NOW + RESTORABLE) == []
    assert store.schedules.runs("digest", limit=9) == []
