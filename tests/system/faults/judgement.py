"""The judgement: when a receiver was called, held against what was acknowledged and what the history says."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta

from experience_runtime.domain.executions import Attempt, Execution, Filter, Status
from experience_runtime.domain.windows import parse_window_text
from experience_runtime.domain.zones import parse_zone
from experience_runtime.engine.stores import Store

from .asking import Told

Arrival = tuple[str, datetime]
"""An execution's id, and when its receiver had read the call."""

CALLED = {"succeeded", "failed", "retry"}  # outcomes of an attempt that called, and heard of it
ON_ITS_WAY = timedelta(seconds=5)  # a call that began inside a window arrives soon, on a busy machine too


def judged(store: Store, arrivals: Iterable[Arrival], told: Told) -> tuple[int, str]:
    """Assert that all of it agrees; return how many lost attempts reached the receiver, and the figures."""
    found = {each.id: each for each in store.find(Filter(), limit=1_000_000).executions}
    came: defaultdict[str, list[datetime]] = defaultdict(list)
    for execution_id, at in arrivals:
        came[execution_id].append(at)
    assert told.scheduled <= set(found), f"lost: {told.scheduled - set(found)}"
    assert set(came) <= set(found), f"of no execution: {set(came) - set(found)}"
    lost = repeated = given_up = kept_out = 0
    for execution in found.values():
        attempts, calls = store.attempts(execution.number), sorted(came[execution.id])
        repeated += _assert_called_in_attempts(execution, attempts, calls)
        _assert_not_after(told.withdrawn.get(execution.id), "it was withdrawn", attempts, calls)
        _assert_not_after(told.converted.get(execution.id), "its visitor had converted", attempts, calls)
        _assert_in_window(execution, calls)
        _assert_ended(execution, attempts, len(calls))
        lost += sum(attempt.outcome == "lost" for attempt in attempts)
        given_up += execution.status is Status.FAILED
        kept_out += execution.status is Status.PENDING
    assert all(found[each].status is Status.CANCELLED for each in told.withdrawn)
    figures = (
        f"{len(told.scheduled)} acknowledged, {sum(map(len, came.values()))} calls, "
        f"{lost} attempts lost in flight, {repeated} of them had reached the receiver, {given_up} given up, "
        f"{len(told.withdrawn)} withdrawn, {len(told.converted)} of converted visitors, "
        f"{kept_out} wait for their window"
    )
    return repeated, figures


def _assert_called_in_attempts(execution: Execution, attempts: list[Attempt], at: list[datetime]) -> int:
    """Each attempt that ended called once, while it lasted; one that was lost, once or not at all."""
    left = list(at)
    for attempt in attempts:
        if attempt.outcome in CALLED:
            ended_at = attempt.ended_at or attempt.started_at
            its = next((each for each in left if attempt.started_at <= each <= ended_at), None)
            assert its is not None, f"no call in {attempt} of {execution}: {at}"
            left.remove(its)
    repeated = len(left)
    for attempt in attempts:
        if attempt.outcome == "lost" and (its := next((e for e in left if e >= attempt.started_at), None)):
            left.remove(its)
    assert not left, f"called at {left}, in no attempt of {execution}: {attempts}"
    return repeated


def _assert_not_after(
    acknowledged_at: datetime | None, what: str, attempts: list[Attempt], at: list[datetime]
) -> None:
    """Nothing begins after that; what comes later was on its way."""
    if acknowledged_at is None:
        return
    assert all(attempt.started_at <= acknowledged_at for attempt in attempts), (what, attempts)
    late = [each for each in at if each > acknowledged_at]
    on_their_way = [
        attempt
        for attempt in attempts
        if attempt.outcome == "lost" or attempt.ended_at is None or attempt.ended_at >= acknowledged_at
    ]
    assert len(late) <= len(on_their_way), f"{what} by {acknowledged_at}, and it came at {late}: {attempts}"


def _assert_in_window(execution: Execution, at: list[datetime]) -> None:
    if execution.window is None:
        return
    window = parse_window_text(execution.window, parse_zone(execution.zone))
    outside = [each for each in at if not (window.contains(each) or window.contains(each - ON_ITS_WAY))]
    assert not outside, f"{execution} came at {outside}, outside its window"


def _assert_ended(execution: Execution, attempts: list[Attempt], count: int) -> None:
    outcomes = [attempt.outcome for attempt in attempts]
    assert set(outcomes) <= {"succeeded", "retry", "lost", "held"}, (execution, outcomes)
    assert outcomes.count("succeeded") == (execution.status is Status.SUCCEEDED), (execution, outcomes)
    match execution.status:
        case Status.SUCCEEDED:
            assert count >= 1, execution
        case Status.FAILED:  # every attempt it had, and the last was in flight at a kill
            assert (execution.reason, outcomes[-1]) == ("lost", "lost"), execution
            assert execution.begun == execution.retries + 1, (execution, outcomes)
        case Status.CANCELLED:
            assert execution.reason in ("replaced", "test", "conversion"), execution
        case Status.PENDING:
            assert waits_for_its_window(execution), f"{execution} has not ended: {attempts}"
        case _:
            raise AssertionError(f"{execution} has not ended: {attempts}")


def waiting(store: Store) -> list[Execution]:
    """What has not ended, and does not wait for a window that is closed."""
    found = store.find(Filter(statuses=[Status.PENDING, Status.RUNNING]), limit=100_000).executions
    return [each for each in found if not waits_for_its_window(each)]


def waits_for_its_window(execution: Execution) -> bool:
    """Whether it is due at an opening that is far away."""
    return execution.window is not None and execution.due_at - execution.requested_at > timedelta(minutes=50)
