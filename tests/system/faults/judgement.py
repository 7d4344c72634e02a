"""The judgement: what a receiver saw, held against what was acknowledged and what the history says."""

from experience_runtime.domain.executions import Attempt, Execution, Filter, Status
from experience_runtime.store.opening import SqliteStore

from .receiver import Receiver
from .shadow import assert_sound


def judged(
    store: SqliteStore, receiver: Receiver, acknowledged: set[str], withdrawn: set[str]
) -> tuple[int, str]:
    """Assert that all of it agrees; return how many lost attempts reached the receiver, and the figures."""
    found = {each.id: each for each in store.find(Filter(), limit=1_000_000).executions}
    assert acknowledged <= set(found)
    assert set(receiver.counts) <= set(found)
    lost_attempts = repeated = given_up = 0
    for execution in found.values():
        count = receiver.counts[execution.id]
        attempts = store.attempts(execution.number)
        outcomes = [attempt.outcome for attempt in attempts]
        lost = outcomes.count("lost")
        # an attempt that ended called once; one that was in flight at a kill, once or not at all
        assert len(outcomes) - lost <= count <= len(outcomes), (execution, outcomes, count)
        assert set(outcomes) <= {"succeeded", "retry", "lost"}, (execution, outcomes)
        assert outcomes.count("succeeded") == (execution.status is Status.SUCCEEDED), (execution, outcomes)
        _assert_ended(execution, attempts, count)
        lost_attempts += lost
        repeated += count > len(outcomes) - lost
        given_up += execution.status is Status.FAILED
    assert all(found[each].status is Status.CANCELLED for each in withdrawn)
    assert_sound(store.database.connection)
    figures = (
        f"{len(acknowledged)} acknowledged, {receiver.total} requests, "
        f"{lost_attempts} attempts lost in flight, "
        f"{repeated} of them had reached the receiver, {given_up} given up, {len(withdrawn)} withdrawn"
    )
    return repeated, figures


def _assert_ended(execution: Execution, attempts: list[Attempt], count: int) -> None:
    outcomes = [attempt.outcome for attempt in attempts]
    match execution.status:
        case Status.SUCCEEDED:
            assert count >= 1, execution
        case Status.FAILED:  # every attempt it had, and the last was in flight at a kill
            assert (execution.reason, outcomes[-1]) == ("lost", "lost"), execution
            assert len(outcomes) == execution.retries + 1, (execution, outcomes)
        case Status.CANCELLED:
            assert execution.reason in ("replaced", "test"), execution
        case _:
            raise AssertionError(f"{execution} has not ended: {attempts}")
