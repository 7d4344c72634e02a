"""Jobs go on where they stopped: in the next process, in another one, and never twice over."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from experience_runtime.clocks import SystemClock
from experience_runtime.domain.executions import Filter, Status
from experience_runtime.domain.instants import from_ms, to_ms
from experience_runtime.domain.jobs import Job, JobState, filter_text, read_filter
from experience_runtime.engine import operations
from experience_runtime.runtime import Runtime
from experience_runtime.store.jobs import SqlJobs
from experience_runtime.web.api.jobs import Jobs

ALL = Filter()
NOW = SystemClock().now()


@pytest.fixture
def pending(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> Runtime:
    """A store with ten that wait, looked at two at a time."""
    monkeypatch.setattr(operations, "BATCH", 2)
    for number in range(10):
        runtime.scheduler.schedule(
            "webhook", {"body": number}, {"delay": "1 day", "key": {"n": number}}, visitor=None
        )
    return runtime


@pytest.fixture
def jobs(pending: Runtime) -> Iterator[Jobs]:
    made = Jobs(pending.store.jobs, pending.operations, pending.clock)
    yield made
    made.close()


def left_by(runtime: Runtime, owner: str, *, batches: int) -> Job:
    """A job of another process, which ended after some batches."""
    other = SqlJobs(runtime.store.database, owner=owner)
    job = Job(id="job_x", verb="cancel", filter=ALL, reason="stop", matching=10, begun_at=NOW)
    other.begin(job)
    seen = 0
    for number, batch in enumerate(runtime.operations.batches("cancel", ALL, reason="stop"), 1):
        seen += batch.seen
        other.advance(job.id, seen=seen, done=seen, cursor=batch.cursor, now=NOW)
        if number == batches:
            break
    return job


def is_done(jobs: Jobs, runtime: Runtime, id: str) -> Job:
    jobs.close()  # what was submitted has run, or was given up
    found = runtime.store.jobs.job(id)
    assert found is not None
    return found


def test_a_job_whose_process_ended_goes_on_in_another(pending: Runtime, jobs: Jobs) -> None:
    left = left_by(pending, "", batches=2)
    assert pending.store.count(Filter(statuses=[Status.PENDING])) == 6

    (taken,) = pending.store.jobs.take_over(now=NOW)
    jobs._carry_out(taken)

    found = jobs.job(left.id)
    assert (found.state, found.seen, found.done) == (JobState.DONE, 10, 10)
    assert pending.store.count(Filter(statuses=[Status.PENDING])) == 0
    assert pending.store.jobs.take_over(now=NOW + timedelta(days=1)) == []


def test_a_job_that_says_nothing_for_a_minute_is_taken_over_and_its_process_stops(
    pending: Runtime, jobs: Jobs
) -> None:
    elsewhere = "another-machine 1 abc"
    left = left_by(pending, elsewhere, batches=1)

    assert pending.store.jobs.take_over(now=NOW + timedelta(seconds=59)) == []
    (taken,) = pending.store.jobs.take_over(now=NOW + timedelta(seconds=60))

    other = SqlJobs(pending.store.database, owner=elsewhere)
    assert taken.seen == 2
    assert not other.advance(left.id, seen=4, done=4, cursor=None, now=NOW)
    other.end(left.id)
    assert jobs.job(left.id).state is JobState.RUNNING


def test_a_job_is_left_to_others_when_its_server_stops(pending: Runtime, jobs: Jobs) -> None:
    job = Job(id="job_y", verb="cancel", filter=ALL, reason=None, matching=10, begun_at=NOW)
    pending.store.jobs.begin(job)
    jobs._closing.set()

    jobs._carry_out(job)

    (taken,) = pending.store.jobs.take_over(now=NOW)
    assert (taken.id, taken.seen) == ("job_y", 0)


def test_a_job_that_is_begun_ends(pending: Runtime) -> None:
    made = Jobs(pending.store.jobs, pending.operations, pending.clock)
    job = made.begin("cancel", ALL, matching=10, reason="all of them")
    made._thread.shutdown(wait=True)

    found = is_done(made, pending, job.id)

    assert (found.state, found.seen, found.done, found.error) == (JobState.DONE, 10, 10, None)


def test_a_filter_is_read_as_it_was_kept() -> None:
    now = from_ms(to_ms(NOW))
    whole = Filter(
        statuses=(Status.FAILED, Status.SUCCEEDED),
        integration="webhook",
        visitor="é",
        created_from=now,
        created_until=now,
        due_from=now,
        due_until=now,
        text="x",
        of_experiences=True,
    )

    assert read_filter(filter_text(whole)) == whole
    assert read_filter(filter_text(ALL)) == ALL
