"""Pace: a receiver that says "not now" is called as fast as it lets through, and nothing fails for that."""

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from experience_runtime.domain.admission import Policies, Policy
from experience_runtime.domain.errors import RateLimited
from experience_runtime.domain.executions import Filter, Status
from experience_runtime.domain.pace import MOST_HELD, Pace
from experience_runtime.engine.receivers import FRESH, Receivers
from experience_runtime.integration import Answer

from tests.support.receivers import Bucket, Window

from .conftest import NOW
from .paced import BREAKING, CASES, TAKES, Late, Paced, Refusing, Together
from .policed import Policed


@pytest.mark.parametrize("name", CASES)
def test_a_paced_receiver_gets_everything_about_as_fast_as_it_takes_it(name: str) -> None:
    case = CASES[name]
    world = Paced(case.limit)
    scheduled = world.due(case.count)

    world.run_until_nothing_waits()

    assert set(world.now_is(scheduled)) == {Status.SUCCEEDED}
    case.judge(world)
    world.store.close()


def test_a_call_that_began_late_is_followed_a_whole_spacing_later() -> None:
    world = Late(lambda: Bucket(1, 1))
    world.due(60)

    world.run_until_nothing_waits()

    # each comes 45 ms late; one that made up for it would be refused, and cost a second
    assert world.seconds <= 1.2 * 59
    assert len(world.requests) <= 1.15 * 60
    world.store.close()


def test_all_that_a_receiver_lets_through_between_two_refusals_is_its_pace() -> None:
    world = Paced(lambda: Bucket(1, 50))  # it bears any pace for a while, and then no more than its own
    world.due(110)

    world.run_until_nothing_waits()

    refused = [at for at, _, status in world.requests if status == 429]
    assert len(refused) <= 10  # halving alone takes five before its pace is known, and 18 by the end
    assert world.seconds <= 1.1 * 60
    world.store.close()


def test_what_a_receiver_may_have_in_flight_grows_with_its_answers_and_ever_less() -> None:
    receivers = Receivers()
    grown = []
    for number in range(40):
        took = timedelta(seconds=0 if number < 20 else 2)
        receivers.ended(("sms", ""), began_at=NOW, ended_at=NOW + took, is_answered=True)
        grown.append(receivers.trusted["sms", ""])

    assert grown[:4] == [FRESH + 1, FRESH + 2, FRESH + 3, FRESH + 4]
    assert grown[19] == FRESH + 4 + 16 // 4
    assert grown[39] == grown[19] + 20  # of a slow one, each answer counts


def test_not_now_uses_up_no_retry_and_opens_no_breaker() -> None:
    world = Paced(lambda: Window(1))
    scheduled = world.due(40)

    world.run_until_nothing_waits()

    refused = [a for each in scheduled for a in world.store.attempts(each.number) if a.outcome == "held"]
    assert len(refused) > 3
    assert {world.store.execution(each.number).begun for each in scheduled} == {1}
    assert world.store.integration_states.all() == {}
    world.store.close()


def test_a_503_without_retry_after_is_a_failure_and_one_with_it_is_pace() -> None:
    world = Policed(BREAKING)
    world.http.answer = Answer(503)
    failed = world.due(1)
    world.run_all()
    assert world.store.attempts(failed[0].number)[0].outcome == "retry"
    world.advance(minutes=1)

    world.http.answer = Answer(503, retry_after=7)
    world.run_all()

    assert [a.outcome for a in world.store.attempts(failed[0].number)] == ["retry", "held"]
    assert world.store.integration_states.of("sms").failures <= 1
    world.store.close()


def test_that_a_receiver_began_to_refuse_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    world = Paced(lambda: Window(1))
    ways = [Together(), Together()]
    dispatchers = [world.dispatcher_on(way) for way in ways]
    world.due(4)
    for dispatcher in dispatchers:
        dispatcher.run_due()

    for way, dispatcher in zip(ways, dispatchers, strict=True):
        way.go()
        dispatcher.run_due()

    # what each had started at once, and not sent when it was told, is not sent
    assert [status for _, _, status in world.requests] == [200, 429, 429]
    assert [line for line in caplog.messages if line.startswith("held by pace")] == [
        "held by pace: sms is called again at 2026-03-02T12:00:01.016Z, "
        "as its answer of 2026-03-02T12:00:00.016Z asks"
    ]
    world.store.close()


def test_what_is_not_sent_for_another_was_refused_waits_and_is_told_so() -> None:
    world, way = Paced(lambda: Window(1)), Together()
    way.free = lambda: 4 - len(way._waiting)  # type: ignore[method-assign]
    dispatcher = world.dispatcher_on(way)
    scheduled = world.due(4)
    dispatcher.run_due()

    way.go()
    dispatcher.run_due()

    assert [status for _, _, status in world.requests] == [200, 429]
    kept = [world.execution(each.id) for each in scheduled[2:]]
    assert [(row.status, row.begun, row.reason) for row in kept] == [(Status.PENDING, 0, "held by pace")] * 2
    assert [a.outcome for a in world.store.attempts(kept[0].number)] == ["held"]
    world.run_until_nothing_waits()
    assert set(world.now_is(scheduled)) == {Status.SUCCEEDED}
    world.store.close()


def test_nothing_begins_before_the_receiver_wants_it_and_then_one_goes_first() -> None:
    world = Paced(lambda: Bucket(1 / 60, 1), retry_after=60)
    world.due(20)
    world.run_all()
    told = next(at for at, _, status in world.requests if status == 429) + TAKES
    before = len(world.requests)

    world.clock.advance_to(told + timedelta(seconds=59))
    assert world.run_all() == 0
    world.clock.advance_to(told + timedelta(seconds=60))
    world.dispatcher.run_due()

    assert len(world.requests) == before + 1
    world.store.close()


def test_a_receiver_that_does_not_say_how_long_is_asked_ever_more_seldom() -> None:
    world = Paced(lambda: Bucket(1e-9, 0), retry_after=None)
    world.due(1)

    world.run_until_nothing_waits(for_hours=1)

    asked = [at for at, _, _ in world.requests]
    waits = [(later - at).total_seconds() for at, later in itertools.pairwise(asked)]
    assert waits == sorted(waits)
    assert 5 < len(asked) < 20
    world.store.close()


def test_one_receiver_that_is_held_holds_up_no_other_of_its_integration() -> None:
    world = Paced(lambda: Window(1000))
    world.limits["slow"] = Window(1 / 30)
    held = world.due_to("slow", 50)
    world.run_all()
    others = world.due_to("quick", 20)

    world.run_all()

    assert set(world.now_is(others)) == {Status.SUCCEEDED}
    assert world.now_is(held).count(Status.SUCCEEDED) == 1
    assert world.operations.waits_because([world.execution(held[-1].id)])[held[-1].id].startswith(
        "held by pace: sms (slow) is called again at 2026-03-02T12:00:01"
    )
    assert world.operations.held_by_pace() == {"sms": 1}
    assert world.operations.holds()["sms"].startswith("held by pace")
    world.store.close()


def test_another_integration_goes_on_beside_a_thousand_that_are_held() -> None:
    world = Paced(lambda: Window(1))
    world.due(1000)
    world.run_all()

    others = world.due(10, "mail")
    world.run_all()

    assert set(world.now_is(others)) == {Status.SUCCEEDED}
    world.store.close()


def test_what_pace_has_held_for_a_day_fails_rate_limited_and_can_be_replayed() -> None:
    world = Paced(lambda: Bucket(1e-9, 0), retry_after=3600)
    scheduled = world.due(30)

    world.run_until_nothing_waits(for_hours=26)

    rows = [world.execution(each.id) for each in scheduled]
    assert {(row.status, row.reason) for row in rows} == {(Status.FAILED, "rate_limited")}
    ended = {world.store.attempts(row.number)[-1].ended_at for row in rows}
    assert all(NOW + MOST_HELD <= at <= NOW + MOST_HELD + timedelta(hours=1.1) for at in ended if at)
    assert len(world.requests) < 60  # those that were never tried failed without being sent
    world.scheduler.replay(rows[0].id)
    assert world.execution(rows[0].id).held_at is None
    world.store.close()


def test_a_backlog_of_more_than_a_day_still_delivers_what_is_not_too_old() -> None:
    world = Paced(lambda: Window(1 / 600), retry_after=600)
    scheduled = world.due(200)  # 33 hours of it

    world.run_until_nothing_waits(for_hours=50)

    states = world.now_is(scheduled)
    assert 100 <= states.count(Status.SUCCEEDED) <= 160
    assert states.count(Status.SUCCEEDED) + states.count(Status.FAILED) == 200
    world.store.close()


def test_what_is_held_still_keeps_its_window() -> None:
    world = Paced(lambda: Window(1))
    world.clock.advance_to(datetime(2026, 3, 2, 16, 59, 30, tzinfo=UTC))  # a Monday; 30 s and a minute left
    window = {"day": "monday-friday", "time": "09:00-16:59", "timezone": "UTC"}
    scheduled = [world.schedule(integration="sms", window=window).execution for _ in range(100)]

    world.run_until_nothing_waits()

    assert set(world.now_is(scheduled)) == {Status.SUCCEEDED}
    assert all(at.hour in range(9, 17) for at, _, _ in world.requests)
    assert {at.day for at, _, _ in world.requests} == {2, 3}
    world.store.close()


def test_a_weekend_with_a_closed_window_is_not_held_by_pace() -> None:
    friday = datetime(2026, 3, 6, 16, 45, tzinfo=UTC)
    world = Paced(lambda: Refusing((friday - NOW).total_seconds() + 60), retry_after=3600)
    world.clock.advance_to(friday)
    window = {"day": "monday-friday", "time": "09:00-16:59", "timezone": "UTC"}
    scheduled = [world.schedule(integration="sms", window=window).execution for _ in range(20)]

    world.run_until_nothing_waits()

    assert set(world.now_is(scheduled)) == {Status.SUCCEEDED}
    assert {at.date().isoformat() for at, _, status in world.requests if status == 200} == {"2026-03-09"}
    world.store.close()


def test_what_its_pace_has_held_for_a_day_of_an_open_window_fails() -> None:
    world = Paced(lambda: Bucket(1e-9, 0), retry_after=3600)
    window = {"day": "monday-friday", "time": "09:00-16:59", "timezone": "UTC"}
    scheduled = [world.schedule(integration="sms", window=window).execution for _ in range(3)]

    world.run_until_nothing_waits(for_hours=24 * 10)

    assert set(world.now_is(scheduled)) == {Status.FAILED}
    ended = {world.store.attempts(each.number)[-1].ended_at for each in scheduled}
    assert all(timedelta(days=2) < at - NOW < timedelta(days=8) for at in ended if at)
    world.store.close()


def test_a_cancel_still_wins_over_what_is_held() -> None:
    world = Paced(lambda: Window(1))
    scheduled = world.due(10)
    world.run_all()

    world.scheduler.cancel_execution(scheduled[-1].id, reason=None)
    world.run_until_nothing_waits()

    assert world.now_is([scheduled[-1]]) == [Status.CANCELLED]
    assert len([1 for _, _, status in world.requests if status == 200]) == 9
    world.store.close()


def test_an_execute_during_a_hold_is_refused_with_when_and_sends_nothing() -> None:
    world = Paced(lambda: Window(1))
    world.due(5)
    world.run_all()
    before = len(world.requests)

    with pytest.raises(RateLimited, match="held by pace: sms is called again at 2026-03-02T12:00:01"):
        world.execute()

    assert len(world.requests) == before
    world.store.close()


def test_an_execute_that_is_told_not_now_fails_and_teaches_the_pace() -> None:
    world = Policed(BREAKING)
    world.http.answer = Answer(429, retry_after=5)
    execution = world.execute()

    with pytest.raises(Exception, match="429"):
        world.dispatcher.call_now(execution)

    assert world.execution(execution.id).status is Status.FAILED
    world.due(1)
    assert world.run_all() == 0
    assert world.dispatcher.next_wake() == NOW + timedelta(seconds=5)
    world.store.close()


def test_a_documented_pace_is_kept_from_the_start() -> None:
    world = Paced(lambda: Window(1000))
    type(world.integrations.get("sms")).pace = Pace(per_second=1, burst=4)
    world.due(12)

    world.run_until_nothing_waits()

    at = [round((at - NOW).total_seconds()) for at, _, _ in world.requests]
    assert at == [0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8]
    world.store.close()


def test_an_operators_own_rate_takes_the_place_of_the_documented_pace() -> None:
    world = Paced(lambda: Window(1000), policies=Policies(by_name={"sms": Policy(rate_count=100)}))
    type(world.integrations.get("sms")).pace = Pace(per_second=1)
    world.due(12)

    world.run_until_nothing_waits()

    assert world.seconds < 1
    world.store.close()


def test_a_pace_is_forgotten_when_its_receiver_has_said_nothing_for_an_hour() -> None:
    world = Paced(lambda: Window(1000))
    world.limits[""] = Window(1)
    world.due(5)
    world.run_until_nothing_waits()
    assert world.store.paces.all() != []

    world.limits[""] = Window(1000)
    world.advance(hours=2)
    world.due(5)
    world.run_all()

    assert world.store.count(Filter(statuses=[Status.SUCCEEDED])) == 10
    world.store.close()


def test_a_clock_that_is_put_back_leaves_nothing_held_for_hours() -> None:
    world = Paced(lambda: Window(1), retry_after=5)
    world.due(3)
    world.run_all()
    (pace,) = world.store.paces.all()

    assert pace.admits_at(in_flight=0, now=NOW) == pace.held_until
    assert not pace.is_current(NOW - timedelta(hours=3))
    world.store.close()


def test_an_integration_that_cannot_name_the_receiver_is_one_receiver(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = Paced(lambda: Window(1000))

    def fails(*_: Any) -> str:
        raise OSError("disk")

    type(world.integrations.get("sms")).pace_key = fails  # type: ignore[method-assign,assignment]

    assert world.due(1)[0].pace_key == ""
    assert "could not name the receiver" in caplog.text
    world.store.close()
