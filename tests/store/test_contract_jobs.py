"""What every store does with jobs: one process at a time acts for each, and none acts once it has ended."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from experience_runtime.domain.executions import Filter
from experience_runtime.domain.jobs import Job, JobState
from experience_runtime.store.jobs import SqlJobs
from experience_runtime.store.sql import SqlStore

from tests.support.executions import NOW

SILENT = timedelta(seconds=60)


def begin(store: SqlStore[Any], id: str = "a", **fields: Any) -> Job:
    job = Job(id=id, verb="cancel", filter=Filter(), reason=None, matching=9, **{"begun_at": NOW, **fields})
    return store.jobs.begin(job)


def elsewhere(store: SqlStore[Any]) -> SqlJobs:
    """The same jobs, as a process on another machine has them."""
    return SqlJobs(store.database, owner="elsewhere 1 x")


def advance(jobs: Any, id: str = "a", *, done: int = 1) -> bool:
    return bool(jobs.advance(id, seen=done, done=done, cursor="c", now=NOW))


def test_whoever_does_not_have_a_job_changes_nothing_of_it(store: SqlStore[Any]) -> None:
    begin(store)
    other = elsewhere(store)

    assert not advance(other)
    other.end("a", error="theirs")
    other.give_up("a")
    assert other.take_over(now=NOW + SILENT - timedelta(milliseconds=1)) == []

    assert advance(store.jobs, done=2)
    found = store.jobs.job("a")
    assert found is not None
    assert (found.state, found.done, found.error) == (JobState.RUNNING, 2, None)


@pytest.mark.parametrize(
    ("leave", "later"),
    [(lambda _: None, SILENT), (lambda jobs: jobs.give_up("a"), timedelta(0))],
    ids=["silent", "gave up"],
)
def test_a_job_is_taken_over_by_one_and_its_first_process_is_out(
    store: SqlStore[Any], leave: Callable[[Any], None], later: timedelta
) -> None:
    begin(store)
    other = elsewhere(store)
    leave(store.jobs)

    assert [job.id for job in other.take_over(now=NOW + later)] == ["a"]

    assert not advance(store.jobs)
    store.jobs.end("a")
    assert store.jobs.take_over(now=NOW + later) == []
    assert advance(other)


def test_two_who_have_seen_the_same_silence_take_it_over_once(store: SqlStore[Any]) -> None:
    begin(store)
    database = store.database
    (seen,) = database.read(lambda: database.execute("running_jobs", {}))
    bound = {"id": "a", "before": seen[1], "now": 0}

    taken = [
        database.write(lambda: database.execute_counted("take_over_job", bound | {"owner": owner}))  # noqa: B023
        for owner in ("b 1 x", "c 1 x")
    ]

    assert taken == [1, 0]


def test_what_has_ended_stays_as_it_ended(store: SqlStore[Any]) -> None:
    begin(store)
    store.jobs.end("a", error="the disk was full")

    assert not advance(store.jobs)
    store.jobs.end("a")
    store.jobs.give_up("a")
    assert elsewhere(store).take_over(now=NOW + SILENT) == []

    found = store.jobs.job("a")
    assert found is not None
    assert (found.state, found.error, found.done) == (JobState.FAILED, "the disk was full", 0)


def test_one_job_is_no_other(store: SqlStore[Any]) -> None:
    begin(store)
    begin(store, "b")

    assert advance(store.jobs, "b", done=5)
    store.jobs.end("b")

    found = store.jobs.job("a")
    assert found is not None
    assert (found.state, found.done) == (JobState.RUNNING, 0)


def test_a_job_is_known_for_a_week_after_it_began_and_as_long_as_it_runs(store: SqlStore[Any]) -> None:
    week, tick = timedelta(days=7), timedelta(milliseconds=1)
    begin(store, "old", begun_at=NOW - tick)
    begin(store, "edge", begun_at=NOW)
    begin(store, "runs", begun_at=NOW - tick)
    for id in ("old", "edge"):
        store.jobs.end(id)

    begin(store, "new", begun_at=NOW + week)

    assert [id for id in ("old", "edge", "runs", "new") if store.jobs.job(id)] == ["edge", "runs", "new"]
