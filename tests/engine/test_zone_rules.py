"""An execution is due by the rules of its zone as they are, at every odd day of the calendar."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Event

import pytest
from experience_runtime.clocks import VirtualClock
from experience_runtime.domain.executions import Execution, Filter, IfExists, Status
from experience_runtime.domain.zones import rules_version
from experience_runtime.engine.judging import due_again
from experience_runtime.engine.planning_again import EVERY, PlanningAgain
from experience_runtime.engine.worker import Worker

from tests.support.executions import an_execution

from .conftest import NOW, World
from .test_recurring_firing import recurring_on

MILLISECOND = timedelta(milliseconds=1)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


ODD_DAYS = {
    # asked for, zone, day, time, runs at
    "the leap day": ("2028-02-28T18:00", "UTC", "tuesday", "00:00-23:59", "2028-02-29T00:00"),
    "the last minute of the leap day": (
        "2028-02-29T23:59:59.999",
        "UTC",
        "tuesday",
        "09:00-23:59",
        "2028-02-29T23:59:59.999",
    ),
    "the day after the leap day": ("2028-03-01T00:00", "UTC", "tuesday", "00:00-23:59", "2028-03-07T00:00"),
    # 31 December 2026 is a Thursday; New York's midnight is 05:00 in UTC
    "the last millisecond of the year": (
        "2027-01-01T04:59:59.999",
        "America/New_York",
        "thursday",
        "00:00-23:59",
        "2027-01-01T04:59:59.999",
    ),
    "the first instant of the year": (
        "2027-01-01T05:00",
        "America/New_York",
        "thursday",
        "00:00-23:59",
        "2027-01-07T05:00",
    ),
    # in Paris, 29 March 2026 has no 02:00 to 02:59, and 25 October has it twice
    "after the hour that is not there": (
        "2026-03-29T00:30",
        "Europe/Paris",
        "sunday",
        "03:00-04:00",
        "2026-03-29T01:00",
    ),
    "a window in the hour that is not there": (
        "2026-03-29T00:30",
        "Europe/Paris",
        "sunday-saturday",
        "02:10-02:50",
        "2026-03-30T00:10",
    ),
    "the first of two hours": (
        "2026-10-24T22:00",
        "Europe/Paris",
        "sunday",
        "02:00-02:59",
        "2026-10-25T00:00",
    ),
    "the second of two hours": (
        "2026-10-25T01:30",
        "Europe/Paris",
        "sunday",
        "02:00-02:59",
        "2026-10-25T01:30",
    ),
    "after both hours": ("2026-10-25T02:00", "Europe/Paris", "sunday", "02:00-02:59", "2026-11-01T01:00"),
}


@pytest.mark.parametrize("case", ODD_DAYS)
def test_it_runs_at_its_instant_and_not_a_millisecond_before(world: World, case: str) -> None:
    asked, zone, day, time, runs = ODD_DAYS[case]
    world.clock.advance_to(at(asked) - timedelta(hours=1))
    window = {"day": day, "time": time, "timezone": zone}
    scheduled = world.schedule(delay="1 hour", window=window)
    assert scheduled.execution.due_at == at(runs)

    world.clock.advance_to(at(runs) - MILLISECOND)
    assert world.run_all() == 0
    world.clock.advance_to(at(runs))
    assert world.run_all() == 1

    ((_, context),) = world.integrations.calls
    assert context.now == at(runs)
    assert world.execution(scheduled.execution.id).zone_rules == rules_version()


RECURRING = {
    # since, options, the runs
    "29 February": (
        "2027-02-27T00:00",
        {"cron": "0 9 29 2 *", "timezone": "UTC"},
        ["2028-02-29T09:00", "2032-02-29T09:00"],
    ),
    "the last day of the year, in New York": (
        "2026-12-30T12:00",
        {"daily": "23:59", "timezone": "America/New_York"},
        ["2026-12-31T04:59", "2027-01-01T04:59", "2027-01-02T04:59"],
    ),
    "the day without 02:30, in Paris": (
        "2026-03-27T12:00",
        {"daily": "02:30", "timezone": "Europe/Paris"},
        ["2026-03-28T01:30", "2026-03-29T01:00", "2026-03-30T00:30"],
    ),
    "the day with 02:30 twice, in Paris": (
        "2026-10-24T12:00",
        {"daily": "02:30", "timezone": "Europe/Paris"},
        ["2026-10-25T00:30", "2026-10-26T01:30"],
    ),
}


@pytest.mark.parametrize("case", RECURRING)
def test_a_recurring_schedule_fires_at_its_instant_and_not_a_millisecond_before(
    world: World, case: str
) -> None:
    since, options, expected = RECURRING[case]
    world.clock = VirtualClock(at(since))
    recurring = recurring_on(world)
    recurring.set("digest", "slack-update", "text", options)

    for runs in expected:
        world.clock.advance_to(at(runs) - MILLISECOND)
        assert recurring.fire_due() == 0
        world.clock.advance_to(at(runs))
        assert recurring.fire_due() == 1
        world.advance(milliseconds=1)
        for execution in world.store.find(Filter(statuses=[Status.PENDING])).executions:
            assert execution.due_at == at(runs)
            world.scheduler.cancel_execution(execution.id, reason=None)  # what waits is not fired again

    assert len(recurring.show("digest").runs) == len(expected)


@pytest.mark.parametrize(
    ("planned", "by_now"),
    [
        ("2026-03-03T16:00", "2026-03-03T17:00"),  # 9:00 in Vancouver comes an hour later
        ("2026-03-03T18:00", "2026-03-03T17:00"),  # or earlier
        ("2026-03-04T16:00", "2026-03-04T17:00"),  # today's has run: not a second time
        ("2026-03-03T17:00", "2026-03-03T17:00"),
        ("2026-03-03T23:00", "2026-03-03T23:00"),  # no rules differ by so much: somebody has planned it so
    ],
)
def test_the_next_run_is_planned_again_by_the_rules_of_the_zone_as_they_are(
    world: World, caplog: pytest.LogCaptureFixture, planned: str, by_now: str
) -> None:
    recurring = recurring_on(world)
    recurring.set("digest", "slack-update", "text", {"daily": "09:00", "timezone": "America/Vancouver"})
    saved = recurring.get("digest")
    assert world.store.schedules.put(replace(saved, next_at=at(planned)), replacing=saved)
    world.clock.advance_to(at("2026-03-02T23:00"))

    recurring.fire_due()

    assert recurring.get("digest").next_at == at(by_now)
    assert ("by other rules of its time zone" in caplog.text) == (planned != by_now)


def test_a_run_that_its_window_has_moved_stays_where_it_is(world: World) -> None:
    recurring = recurring_on(world)
    window = {"day": "sunday-saturday", "time": "09:00-17:00"}
    recurring.set(
        "digest", "slack-update", "text", {"cron": "0 */2 * * *", "timezone": "UTC", "window": window}
    )
    world.clock.advance_to(at("2026-03-03T08:30"))
    recurring.fire_due()
    saved = recurring.get("digest")
    moved = replace(saved, next_at=at("2026-03-03T09:00"), version=saved.version + 1)  # asked for at 8:00
    assert world.store.schedules.put(moved, replacing=saved)

    recurring_on(world).fire_due()

    assert recurring.get("digest").next_at == at("2026-03-03T09:00")


def of_other_rules(**fields: object) -> Execution:
    """Asked for at 07:00 UTC the next day, for 9:00 in Vancouver, which is 17:00 UTC in winter."""
    execution = replace(
        an_execution(),
        created_at=NOW,
        requested_at=NOW + timedelta(hours=19),
        due_at=at("2026-03-03T17:00"),
        zone="America/Vancouver",
        zone_from="window",
        window="sunday-saturday 09:00-16:59",
        zone_rules="2020a",
    )
    return replace(execution, **fields)  # type: ignore[arg-type]


def run_worker(world: World) -> None:
    Worker(world.dispatcher, world.store, world.clock).run(Event(), until_idle=True)


@pytest.mark.parametrize("planned", ["2026-03-03T16:00", "2026-03-03T18:00"])
def test_a_worker_that_starts_plans_again_what_other_rules_have_planned(world: World, planned: str) -> None:
    world.store.add(of_other_rules(due_at=at(planned)), IfExists.REPLACE)

    run_worker(world)

    row = world.store.execution(1)
    assert (row.status, row.due_at, row.zone_rules) == (
        Status.PENDING,
        at("2026-03-03T17:00"),
        rules_version(),
    )
    assert world.integrations.calls == []


def test_what_is_planned_by_other_rules_later_is_planned_again_within_the_hour(world: World) -> None:
    """A server that runs older rules beside this worker has scheduled it."""
    planning = PlanningAgain(world.store, world.clock)
    planning.step()
    world.store.add(of_other_rules(due_at=at("2026-03-03T18:00")), IfExists.REPLACE)

    world.clock.advance_to(NOW + EVERY - MILLISECOND)
    planning.step()
    assert world.store.execution(1).due_at == at("2026-03-03T18:00")
    world.clock.advance_to(NOW + EVERY)
    planning.step()

    assert world.store.execution(1).due_at == at("2026-03-03T17:00")


def test_what_is_due_keeps_its_instant_and_is_judged_when_it_starts() -> None:
    due = of_other_rules(due_at=NOW)

    assert due_again(due, NOW) == NOW
    assert due_again(due, NOW - MILLISECOND) == at("2026-03-03T17:00")


def test_a_retry_is_never_planned_earlier(world: World) -> None:
    later = at("2026-03-03T18:00")
    world.store.add(of_other_rules(due_at=later, begun=1), IfExists.REPLACE)

    run_worker(world)

    assert world.store.execution(1).due_at == later


def test_what_other_rules_let_run_outside_its_window_waits(world: World) -> None:
    """Another worker has planned it, after this one has looked."""
    world.store.add(of_other_rules(due_at=at("2026-03-03T16:00")), IfExists.REPLACE)
    world.clock.advance_to(at("2026-03-03T16:00"))

    world.run_all()

    assert world.integrations.calls == []
    assert world.store.execution(1).due_at == at("2026-03-03T17:00")
