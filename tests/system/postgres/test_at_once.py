"""Acts of two processes at the worst moment of each other: the outcome is that of one after the other."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from experience_runtime.domain.admission import IntegrationState, Policies, Policy
from experience_runtime.domain.errors import AlreadyScheduled, Conflict
from experience_runtime.domain.executions import Execution, IfExists, Settlement, Status
from experience_runtime.domain.schedules import CatchUp, Firing, Schedule
from experience_runtime.domain.traffic import Exposure
from experience_runtime.domain.visitors import Visitor
from experience_runtime.engine.claims import Claim
from experience_runtime.engine.keeping import Reply

from tests.support.executions import (
    KEY,
    LATER,
    LEASE,
    NOW,
    add,
    an_execution,
    claim,
    keyed,
    running,
    settle,
    start,
    states,
)

from .stepping import Two

AGAIN = Settlement(status=Status.PENDING, reason="integration_failed", due_at=LATER)


@pytest.fixture
def two(address: str) -> Iterator[Two]:
    made = Two(address)
    yield made
    made.close()


def converting(number: int = 1) -> Execution:
    return replace(keyed(number), cancel_on_conversion=True)


def outcome(two: Two, number: int = 1) -> tuple[Status, str | None]:
    execution = two.second.execution(number)
    return execution.status, execution.reason


@pytest.mark.parametrize("moment", ["record_conversion", "convert_running", "convert"])
def test_a_conversion_and_a_start_miss_each_other_at_no_moment(two: Two, moment: str) -> None:
    add(two.first, converting())
    (claimed,) = claim(two.first)

    ids, started = two.at_once(
        lambda: two.first.convert("ada", event="bought", now=NOW), moment, lambda: start(two.second, claimed)
    )

    assert started == (ids == [])
    if started:  # it runs, and will not be tried again
        settle(two.second, 1, 1, AGAIN, now=NOW)
    assert outcome(two) == (Status.CANCELLED, "conversion")


@pytest.mark.parametrize("moment", ["hold_execution", "converted_meanwhile", "settle", "insert_history"])
def test_a_retry_and_a_conversion_miss_each_other_at_no_moment(two: Two, moment: str) -> None:
    running(two.first, converting())

    two.at_once(
        lambda: settle(two.first, 1, 1, AGAIN, now=NOW),
        moment,
        lambda: two.second.convert("ada", event="bought", now=NOW),
    )

    assert outcome(two) == (Status.CANCELLED, "conversion")


@pytest.mark.parametrize("moment", ["pending_under_key", "newer_running", "settle", "insert_history"])
def test_of_a_retry_and_a_replacement_the_replacement_stays(two: Two, moment: str) -> None:
    running(two.first, keyed(1))

    _, added = two.at_once(
        lambda: settle(two.first, 1, 1, AGAIN, now=NOW),
        moment,
        lambda: _add_and_start(two, keyed(2)),
    )

    assert outcome(two, 1) == (Status.CANCELLED, "replaced")
    assert added == Status.RUNNING


def _add_and_start(two: Two, execution: Execution) -> Status:
    two.second.add(execution, IfExists.REPLACE)
    (claimed,) = claim(two.second)
    start(two.second, claimed)
    return two.second.execution(execution.number).status


@pytest.mark.parametrize("moment", ["converted_since", "replay", "insert_history"])
def test_a_replay_and_a_conversion_miss_each_other_at_no_moment(two: Two, moment: str) -> None:
    running(two.first, converting())
    settle(two.first, 1, 1, Settlement(status=Status.FAILED, reason="integration_failed"), now=NOW)

    replayed, ids = two.at_once(
        lambda: two.first.replay(1, reason=None, now=NOW),
        moment,
        lambda: two.second.convert("ada", event="bought", now=NOW),
    )

    assert replayed is not None
    assert ids == [replayed.id]
    assert outcome(two) == (Status.CANCELLED, "conversion")


@pytest.mark.parametrize("if_exists", list(IfExists))
@pytest.mark.parametrize("moment", ["insert_execution"])
def test_two_who_schedule_one_key_leave_one_pending(two: Two, moment: str, if_exists: IfExists) -> None:
    def second() -> bool:
        try:
            return two.second.add(keyed(2), if_exists).is_new
        except AlreadyScheduled:
            return False

    _, is_new = two.at_once(lambda: two.first.add(keyed(1), if_exists), moment, second)

    pending = [n for n in (1, 2) if _exists(two, n) and outcome(two, n)[0] is Status.PENDING]
    assert pending == ([2] if if_exists is IfExists.REPLACE else [1])
    assert is_new == (if_exists is IfExists.REPLACE)


def _exists(two: Two, number: int) -> bool:
    return bool(two.second.history(number))


@pytest.mark.parametrize("moment", ["waiting", "integration_states", "in_flight", "due", "claim"])
def test_a_limit_of_one_holds_for_two_who_claim(two: Two, moment: str) -> None:
    add(two.first, an_execution(1), an_execution(2))
    one = Policies(default=Policy(concurrency=1))

    claims = two.at_once(
        lambda: two.first.claim_due(now=NOW, lease_until=NOW + LEASE, limit=10, policies=one),
        moment,
        lambda: two.second.claim_due(now=NOW, lease_until=NOW + LEASE, limit=10, policies=one),
    )

    assert sorted(len(claimed) for claimed in claims) == [0, 1]


@pytest.mark.parametrize("moment", ["integration_states", "put_integration_state", "claim"])
def test_a_rate_is_spent_once_by_two_who_claim_and_execute(two: Two, moment: str) -> None:
    add(two.first, an_execution(1))
    policy = Policy(rate_count=1, rate_seconds=60)

    def execute() -> bool:
        room = 0

        def spend(state: IntegrationState) -> IntegrationState:
            nonlocal room
            room = state.room(policy, in_flight=0, now=NOW)
            return state.after_claim(policy, taken=room, now=NOW)

        two.second.integration_states.change("slack-update", spend)
        return room > 0

    claimed, executed = two.at_once(
        lambda: two.first.claim_due(
            now=NOW, lease_until=NOW + LEASE, limit=10, policies=Policies(default=policy)
        ),
        moment,
        execute,
    )

    assert len(claimed) + executed == 1


@pytest.mark.parametrize("moment", ["not_over", "insert_execution", "fired_last"])
def test_run_now_and_a_due_schedule_do_not_overlap(two: Two, moment: str) -> None:
    daily = Schedule(
        name="daily",
        integration="slack-update",
        recurrence='{"daily":"13:00"}',
        zone="UTC",
        window=None,
        payload="{}",
        skip="[]",
        catch_up=CatchUp.ONE,
        created_at=NOW,
        updated_at=NOW,
        next_at=NOW,
    )
    two.first.schedules.put(daily, replacing=None)
    due = Firing(schedule=daily, next_at=LATER, look_at=LATER, execution=_of_schedule(2))

    _, (run,) = two.at_once(
        lambda: two.first.schedules.fire_now("daily", _of_schedule(1), now=NOW),
        moment,
        lambda: two.second.schedules.fire([due], now=NOW),
    )

    assert run is not None
    assert run.outcome.value == "skipped"
    with pytest.raises(Conflict):
        two.second.schedules.fire_now("daily", _of_schedule(3), now=NOW)


def _of_schedule(number: int) -> Execution:
    return replace(an_execution(number), schedule="daily")


def test_an_answer_that_comes_while_its_request_is_taken_over_is_the_only_one(two: Two) -> None:
    named: dict[str, Any] = {"caller": "shop", "key": "1", "request": b"r"}
    late = NOW + timedelta(minutes=5)  # so that whoever has it counts as lost
    held = two.second.replies.claim(**named, now=NOW)
    assert isinstance(held, Claim)
    answer = Reply(status=200, media_type="application/json", body=b"{}")

    def take_over() -> str:
        with pytest.raises(Conflict, match="ask again in a moment"):
            two.first.replies.claim(**named, now=late)
        return "refused"

    said, _ = two.at_once(take_over, "take_over_reply", lambda: two.second.replies.keep(answer, held))

    assert said == "refused"
    assert two.first.replies.claim(**named, now=late) == answer


def test_lapsed_leases_are_given_back_by_one_of_two(two: Two) -> None:
    running(two.first, an_execution(1))
    later = NOW + LEASE + timedelta(seconds=1)

    one, other = two.at_once(
        lambda: two.first.give_back(now=later), "settle", lambda: two.second.give_back(now=later)
    )

    assert len(one) + len(other) == 1
    assert states(two.second.history(1))[-1] == ("running", "pending", "lost")
    assert [each.outcome for each in two.second.attempts(1)] == ["lost"]


def test_a_row_that_is_being_cancelled_keeps_no_claim_waiting(two: Two) -> None:
    add(two.first, an_execution(1), an_execution(2))

    cancelled, (claimed, waited) = two.at_once(
        lambda: two.first.cancel(1, reason=None, now=NOW),
        "insert_history",
        lambda: (claim(two.second), two.has_gone_on),
    )

    assert (cancelled, [each.number for each in claimed], waited) == (True, [2], False)


@pytest.mark.parametrize("everything", [False, True])
def test_a_row_that_is_being_settled_keeps_nobody_waiting_who_gives_back(two: Two, everything: bool) -> None:
    running(two.first, replace(an_execution(1), retries=5))
    later = NOW + LEASE + timedelta(seconds=1)

    settled, (given_back, waited) = two.at_once(
        lambda: settle(two.first, 1, 1, AGAIN, now=later),
        "insert_history",
        lambda: (two.second.give_back(now=later, everything=everything), two.has_gone_on),
    )

    assert settled is not None
    assert (list(given_back), waited) == ([], False)


def test_many_failures_at_once_are_all_counted(two: Two) -> None:
    policy = Policy(breaker_failures=1000)

    def fail(_: int) -> None:
        two.second.integration_states.change(
            "slack-update", lambda h: h.after_attempt(policy, failed=True, now=NOW)
        )

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(fail, range(100)))

    assert two.second.integration_states.of("slack-update").failures == 100


def test_of_many_who_execute_under_one_key_one_does(two: Two) -> None:
    def take(_: int) -> bool:
        return two.second.allow_execute(key_digest=KEY, key_owner="ada", now=NOW, per_seconds=60)

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(take, range(40))) == 1


def test_many_who_remember_a_visitor_leave_one(two: Two) -> None:
    with ThreadPoolExecutor(8) as threads:
        list(
            threads.map(
                lambda n: two.second.remember_visitor(Visitor(id="ada", timezone_offset=n), now=NOW),
                range(40),
            )
        )

    assert two.second.visitor("ada") is not None


def test_many_who_replace_under_one_key_leave_the_last_and_all_of_the_history(two: Two) -> None:
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda n: two.second.add(keyed(n), IfExists.REPLACE), range(1, 61)))

    ended = [outcome(two, number) for number in range(1, 61)]
    assert ended.count((Status.PENDING, None)) == 1
    assert ended.count((Status.CANCELLED, "replaced")) == 59


def test_what_is_scheduled_while_its_visitor_is_shown_a_variation_is_counted(two: Two) -> None:
    assert scheduled_meanwhile(two, lambda: two.second.exposures.note(exposed("ada"))) == 2


def test_what_is_scheduled_while_its_visitor_is_identified_is_counted(two: Two) -> None:
    two.first.exposures.note(exposed("phone"))

    assert scheduled_meanwhile(two, lambda: two.second.identify("ada", "phone", now=NOW)) == 2


def scheduled_meanwhile(two: Two, act: Callable[[], object]) -> int:
    """How many executions traffic counts when an act comes before the second of two is on disk."""
    made = replace(keyed(1), experience="offer")
    add(two.first, made)
    two.at_once(lambda: add(two.first, replace(made, number=2)), "insert_history", act)
    (tally,) = two.second.exposures.tally("offer")
    return tally.executions


def exposed(visitor: str) -> Exposure:
    return Exposure(experience="offer", visitor=visitor, variation="101", at=NOW)
