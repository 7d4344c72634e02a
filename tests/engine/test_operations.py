"""Many at once: cancel and replay by filter, in batches, with a count first."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from experience_runtime.domain.admission import Policies
from experience_runtime.domain.errors import InvalidParameter
from experience_runtime.domain.executions import Execution, Filter, IfExists, Status
from experience_runtime.engine.operations import BATCH, meant
from experience_runtime.integration import IntegrationFailed

from tests.support.executions import add_together

from .conftest import NOW
from .outcomes import outcomes, raising
from .policed import Policed

MANY = 1200
SMS = Filter(integration="sms")
NO = raising(IntegrationFailed("no", may_pass=False))


@pytest.fixture
def world() -> Iterator[Policed]:
    made = Policed(Policies())
    yield made
    made.store.close()


def many(world: Policed, status: Status, count: int = MANY) -> list[Execution]:
    """So many of sms in this state, put there at once."""
    store = world.store
    pattern = world.due(1)[0]
    made = [replace(pattern, number=pattern.number + n, status=status) for n in range(1, count)]
    add_together(store, made)
    if status is not Status.PENDING:
        world.store.cancel(pattern.number, reason=None, now=NOW)
        more = replace(pattern, number=pattern.number + count, status=status)
        add_together(store, [more])
        return [*made, more]
    return [pattern, *made]


# --- cancel


def test_all_that_a_filter_means_are_cancelled_in_batches(world: Policed) -> None:
    waiting, others = many(world, Status.PENDING), world.due(3, "mail")
    counted, seen = world.store.count(meant("cancel", SMS)), list[int]()

    ids = world.operations.cancel_matching(SMS, reason="a mistake", progress=seen.append)

    assert counted == len(ids) == len(set(ids)) == MANY
    assert seen == [BATCH, 2 * BATCH, MANY]
    assert set(world.now_is(waiting)) == {Status.CANCELLED}
    assert set(world.now_is(others)) == {Status.PENDING}
    last = world.store.history(waiting[0].number)[-1]
    assert (last.to_status, last.reason) == (Status.CANCELLED, "a mistake")
    assert world.store.count(meant("cancel", SMS)) == 0


@pytest.mark.parametrize("count", [1, BATCH - 1, BATCH, BATCH + 1])
def test_the_edges_of_a_batch_are_cancelled_too(world: Policed, count: int) -> None:
    many(world, Status.PENDING, count)

    assert len(world.operations.cancel_matching(SMS, reason=None)) == count


def test_nothing_that_matches_is_no_error(world: Policed) -> None:
    assert world.operations.cancel_matching(Filter(integration="fax"), reason=None) == []
    assert world.operations.replay_matching(Filter(integration="fax")) == []


def test_one_that_starts_meanwhile_is_not_cancelled_and_not_told_to_be(world: Policed) -> None:
    waiting = many(world, Status.PENDING, BATCH + 10)

    def deliver_the_oldest(_: int) -> None:
        world.dispatcher.run_due()

    ids = world.operations.cancel_matching(SMS, reason=None, progress=deliver_the_oldest)

    assert len(ids) == BATCH + 9
    assert world.now_is(waiting)[0] is Status.SUCCEEDED
    assert world.now_is(waiting)[1:] == [Status.CANCELLED] * (BATCH + 9)


def test_what_is_scheduled_meanwhile_is_left_and_makes_it_no_longer(world: Policed) -> None:
    many(world, Status.PENDING, BATCH + 1)
    turns, new = list[int](), list[Execution]()

    def schedule_more(_: int) -> None:
        turns.append(1)
        assert len(turns) < 10
        world.advance(seconds=1)
        new.extend(world.due(5))

    ids = world.operations.cancel_matching(SMS, reason=None, progress=schedule_more)

    assert (len(ids), len(turns)) == (BATCH + 1, 2)
    assert set(world.now_is(new)) == {Status.PENDING}


def test_a_reason_of_more_than_a_thousand_characters_is_refused_before_anything_is_done(
    world: Policed,
) -> None:
    waiting = world.due(1)

    with pytest.raises(InvalidParameter):
        world.operations.cancel_matching(SMS, reason="x" * 1001)
    with pytest.raises(InvalidParameter):
        world.operations.replay_matching(SMS, reason="x" * 1001)

    assert world.now_is(waiting) == [Status.PENDING]


# --- replay


def test_all_that_failed_are_replayed_and_run_again_with_all_their_retries(world: Policed) -> None:
    failed = many(world, Status.FAILED)
    counted, seen = world.store.count(meant("replay", SMS)), list[int]()
    world.advance(hours=1)

    ids = world.operations.replay_matching(SMS, progress=seen.append)

    assert counted == len(ids) == MANY
    assert seen == [BATCH, 2 * BATCH, MANY]
    rows = [world.store.execution(each.number) for each in failed]
    assert {(r.status, r.reason, r.begun, r.due_at) for r in rows} == {
        (Status.PENDING, "replayed", 0, NOW + timedelta(hours=1))
    }


def test_only_the_failed_are_replayed_unless_a_state_is_named(world: Policed) -> None:
    (succeeded,) = world.due(1)
    world.run_all()
    world.integrations.put("sms", NO)
    (failed,) = world.due(1)
    world.run_all()
    (waiting,) = world.due(1)

    assert world.operations.replay_matching(SMS, reason="their outage") == [failed.id]

    assert world.now_is([succeeded, failed, waiting]) == ["succeeded", "pending", "pending"]
    assert world.store.history(failed.number)[-1].reason == "their outage"
    again = replace(SMS, statuses=[Status.SUCCEEDED])
    assert world.operations.replay_matching(again) == [succeeded.id]


def test_one_whose_key_is_pending_again_is_passed_over(world: Policed) -> None:
    world.integrations.put("sms", NO)
    keyed = [world.schedule(integration="sms", key={"basket": n}).execution for n in range(3)]
    world.run_all()
    again = world.schedule(integration="sms", key={"basket": 1}, delay="1 hour").execution

    ids = world.operations.replay_matching(SMS)

    assert sorted(ids) == sorted([keyed[0].id, keyed[2].id])
    assert world.now_is([*keyed, again]) == ["pending", "failed", "pending", "pending"]


def test_of_several_that_failed_under_one_key_the_newest_is_replayed(world: Policed) -> None:
    world.integrations.put("sms", NO)
    failed = []
    for _ in range(3):
        failed.append(world.schedule(integration="sms", key={"basket": 1}).execution)
        world.run_all()
        world.advance(seconds=1)

    assert world.operations.replay_matching(SMS) == [failed[2].id]


def test_replaying_what_fails_at_once_again_comes_to_an_end(world: Policed) -> None:
    world.integrations.put("sms", NO)
    failed, turns = many(world, Status.FAILED, BATCH + 1), list[int]()

    def run_them(_: int) -> None:
        turns.append(1)
        assert len(turns) < 10
        world.run_all()

    ids = world.operations.replay_matching(SMS, progress=run_them)

    assert len(ids) == len(failed)
    assert outcomes(world, failed[0]) == ["failed"]


# --- restore and move


def test_all_that_a_filter_means_are_restored_but_for_what_may_not_be(world: Policed) -> None:
    later = [world.schedule(integration="sms", delay="2 hours").execution for _ in range(BATCH + 1)]
    past, replaced = world.due(1)[0], later[1]
    world.scheduler.cancel_execution(replaced.id, reason="replaced")
    world.operations.cancel_matching(SMS, reason="a mistake")

    ids = world.operations.restore_matching(SMS)
    asked_for = world.operations.restore_matching(replace(SMS, reason="replaced"))

    assert sorted(ids) == sorted(each.id for each in later if each is not replaced)
    assert asked_for == [replaced.id]
    assert world.now_is([past]) == [Status.CANCELLED]
    restored = world.store.execution(later[0].number)
    assert (restored.status, restored.due_at) == (Status.PENDING, later[0].due_at)


def test_all_that_a_filter_means_are_moved_each_inside_its_window(world: Policed) -> None:
    free = world.due(BATCH)
    held = world.schedule(integration="sms", window={"time": "20:00-21:00"}).execution
    ended = world.schedule(integration="sms", delay="1 hour").execution
    world.scheduler.cancel_execution(ended.id, reason=None)
    at = NOW + timedelta(days=2)

    ids = world.operations.move_matching(SMS, at, reason="a holiday")

    assert sorted(ids) == sorted(each.id for each in [*free, held])
    assert {world.store.execution(each.number).due_at for each in free} == {at}
    opens = world.store.execution(held.number).due_at
    assert (at < opens, opens.hour) == (True, 20)
    assert world.now_is([ended]) == [Status.CANCELLED]


# --- which states

STATES: list[tuple[str, Status, str | None]] = [
    ("cancel", Status.PENDING, None),
    ("cancel", Status.RUNNING, "status running cannot be cancelled; only pending executions can be"),
    ("cancel", Status.SUCCEEDED, "status succeeded cannot be cancelled; only pending executions can be"),
    ("cancel", Status.FAILED, "status failed cannot be cancelled; only pending executions can be"),
    ("cancel", Status.CANCELLED, "status cancelled cannot be cancelled; only pending executions can be"),
    ("move", Status.PENDING, None),
    ("move", Status.RUNNING, "status running cannot be moved; only pending executions can be"),
    ("restore", Status.CANCELLED, None),
    ("restore", Status.FAILED, "status failed cannot be restored; only cancelled executions can be"),
    ("replay", Status.FAILED, None),
    ("replay", Status.SUCCEEDED, None),
    (
        "replay",
        Status.PENDING,
        "status pending cannot be replayed; only failed and succeeded executions can be",
    ),
    (
        "replay",
        Status.RUNNING,
        "status running cannot be replayed; only failed and succeeded executions can be",
    ),
    (
        "replay",
        Status.CANCELLED,
        "status cancelled cannot be replayed; only failed and succeeded executions can be",
    ),
]


@pytest.mark.parametrize(("verb", "status", "words"), STATES)
def test_a_state_that_cannot_be_meant_is_refused(verb: str, status: Status, words: str | None) -> None:
    named = replace(SMS, statuses=[status])

    if words is None:
        assert meant(verb, named) == named
    else:
        with pytest.raises(InvalidParameter) as refused:
            meant(verb, named)
        assert refused.value.message == words


def test_no_execution_that_a_verb_may_not_touch_is_touched_when_a_state_is_refused(world: Policed) -> None:
    waiting = world.due(1)[0]
    world.store.add(replace(waiting, number=1, status=Status.FAILED), IfExists.REPLACE)

    with pytest.raises(InvalidParameter):
        world.operations.cancel_matching(Filter(statuses=[Status.PENDING, Status.FAILED]), reason=None)
    with pytest.raises(InvalidParameter):
        world.operations.replay_matching(Filter(statuses=[Status.FAILED, Status.PENDING]))

    assert world.now_is([waiting]) == [Status.PENDING]
    assert world.store.execution(1).status is Status.FAILED
