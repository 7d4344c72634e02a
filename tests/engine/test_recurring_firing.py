"""Firing: what is due runs once, never overlaps, and is caught up after an outage."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from experience_runtime.clocks import VirtualClock
from experience_runtime.documents.documents import execution_document
from experience_runtime.domain.errors import Conflict
from experience_runtime.domain.executions import Execution, Filter, Status
from experience_runtime.domain.schedules import Outcome
from experience_runtime.domain.zones import rules_version
from experience_runtime.engine.recurring import Recurring
from experience_runtime.engine.worker import Worker
from experience_runtime.integration import Context, IntegrationFailed
from experience_runtime.store.sql import SqlStore

if TYPE_CHECKING:
    from tests.engine.conftest import World

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)  # a Monday, 13:00 in Paris
MINUTE = timedelta(minutes=1)
HOURLY = {"every": "1 hour", "timezone": "Europe/Paris"}
OFFICE = {"day": "monday-friday", "time": "09:00-17:00"}


def recurring_on(world: World) -> Recurring:
    assert isinstance(world.store, SqlStore)
    return Recurring(store=world.store.schedules, clock=world.clock, integrations=world.integrations)


@pytest.fixture
def recurring(world: World) -> Recurring:
    return recurring_on(world)


def put(recurring: Recurring, name: str = "digest", **options: Any) -> None:
    recurring.set(name, "slack-update", name, {**HOURLY, **options})


def runs(recurring: Recurring, name: str = "digest") -> list[tuple[str, datetime, int]]:
    """The runs of a schedule, oldest first."""
    return [(run.outcome, run.at, run.count) for run in reversed(recurring.show(name).runs)]


def fired(world: World) -> list[Execution]:
    """Every execution, oldest first."""
    return list(world.store.find(Filter(), limit=500).executions)[::-1]


def test_a_schedule_that_is_saved_again_still_tells_its_last_execution(
    recurring: Recurring, world: World
) -> None:
    put(recurring)
    world.advance(minutes=60)
    recurring.fire_due()
    (execution,) = fired(world)

    saved = recurring.set("digest", "slack-update", "another text", HOURLY)

    assert (saved.schedule.last, recurring.find("digest")) == (execution.number, saved.schedule)


def test_a_due_schedule_fires_the_execution_that_was_asked_for(recurring: Recurring, world: World) -> None:
    recurring.set("digest", "slack-update", {"message": "hello"}, {**HOURLY, "window": OFFICE})
    world.advance(minutes=60, milliseconds=5)

    count = recurring.fire_due()

    (execution,) = fired(world)
    assert count == 1
    assert execution == Execution(
        number=execution.number,
        integration="slack-update",
        payload='{"message":"hello"}',
        created_at=world.clock.now(),
        requested_at=NOW + 60 * MINUTE,
        due_at=world.clock.now(),
        zone="Europe/Paris",
        zone_from="window",
        zone_rules=rules_version(),
        asked="every 1 hour",
        window="monday-friday 09:00-17:00",
        schedule="digest",
        retries=5,
    )
    assert recurring.next_at() == NOW + 120 * MINUTE
    assert recurring.fire_due() == 0


def test_an_execution_tells_why_it_was_fired(recurring: Recurring, world: World) -> None:
    put(recurring, window=OFFICE)
    world.advance(hours=1, milliseconds=18)
    recurring.fire_due()
    world.run_all()
    world.advance(hours=6, milliseconds=-18)
    recurring.fire_due()

    on_time, caught_up = (
        execution_document(execution, redact=str, shown=world.integrations.shown)["why"]
        for execution in fired(world)
    )

    assert on_time == [
        "asked for every 1 hour at 2026-03-02T13:00:00.018Z: "
        "2026-03-02T13:00:00.000Z (Monday 14:00, Europe/Paris)",
        "inside the window monday-friday 09:00-17:00 (Europe/Paris, the window's own zone)",
    ]
    assert caught_up == [
        "asked for every 1 hour at 2026-03-02T19:00:00.000Z: "
        "2026-03-02T16:00:00.000Z (Monday 17:00, Europe/Paris)",
        "that was missed, so it runs as soon as it may",
        "moved by the window monday-friday 09:00-17:00 (Europe/Paris, the window's own zone): "
        "Monday 20:00 is outside; the next opening is Tuesday 2026-03-03 09:00",
    ]


def test_the_retries_of_the_integration_hold(recurring: Recurring, world: World) -> None:
    world.integrations.put("slack-update", lambda *_: None, retries=2)
    put(recurring)
    world.advance(hours=1)

    recurring.fire_due()

    assert [execution.retries for execution in fired(world)] == [2]


def test_a_run_never_overlaps_the_previous_one(
    recurring: Recurring, world: World, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> Any:
        raise IntegrationFailed("down", may_pass=True, retry_after=3 * 3600)

    world.integrations.put("slack-update", fail)
    put(recurring)
    for _ in range(3):
        world.advance(hours=1)
        recurring.fire_due()
        world.run_all()

    (execution,) = fired(world)
    assert execution.status is Status.PENDING
    assert runs(recurring) == [
        ("fired", NOW + 60 * MINUTE, 1),
        ("skipped", NOW + 120 * MINUTE, 1),
        ("skipped", NOW + 180 * MINUTE, 1),
    ]
    assert [run.execution for run in recurring.show("digest").runs] == [execution.number] * 3
    assert caplog.text.count(f"digest skipped a run: {execution.id} was not over") == 2


@pytest.mark.parametrize(
    ("catch_up", "expected"),
    [
        ("one", [("missed", NOW + 60 * MINUTE, 3), ("fired", NOW + 240 * MINUTE, 1)]),
        ("none", [("missed", NOW + 60 * MINUTE, 4)]),
    ],
)
def test_after_an_outage_the_latest_missed_instant_runs_once_or_none_does(
    recurring: Recurring, world: World, catch_up: str, expected: list[tuple[str, datetime, int]]
) -> None:
    put(recurring, catch_up=catch_up)
    world.advance(minutes=270)

    recurring.fire_due()
    world.run_all()

    assert runs(recurring) == expected
    assert len(world.integrations.calls) == (1 if catch_up == "one" else 0)
    assert recurring.next_at() == NOW + 300 * MINUTE
    assert recurring.fire_due() == 0


def test_what_is_caught_up_waits_for_its_window(recurring: Recurring, world: World) -> None:
    put(recurring, window=OFFICE)
    world.advance(hours=8)  # 21:00 in Paris

    recurring.fire_due()

    (execution,) = fired(world)
    opening = datetime(2026, 3, 3, 8, tzinfo=UTC)
    assert execution.requested_at == NOW + 240 * MINUTE
    assert execution.due_at == recurring.next_at() == opening
    world.clock.advance_to(opening)
    recurring.fire_due()
    assert [outcome for outcome, _, _ in runs(recurring)] == ["missed", "fired", "skipped"]


def test_a_month_of_missed_minutes_is_one_run_and_a_count_that_ends(
    recurring: Recurring, world: World
) -> None:
    put(recurring, every="1 minute")
    world.advance(days=30)

    recurring.fire_due()

    (execution,) = fired(world)
    assert execution.requested_at == world.clock.now()
    assert runs(recurring) == [("missed", NOW + MINUTE, 199), ("fired", world.clock.now(), 1)]
    reason = recurring.show("digest").runs[1].reason
    assert reason == "no worker ran in time; 199 were counted, there may be more"


def test_another_process_that_fired_first_leaves_nothing_to_do(recurring: Recurring, world: World) -> None:
    put(recurring)
    world.advance(hours=1)
    other = recurring_on(world)
    threads = [threading.Thread(target=each.fire_due) for each in (recurring, other)]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)

    assert len(fired(world)) == 1
    assert [outcome for outcome, _, _ in runs(recurring)] == ["fired"]


def test_a_schedule_that_cannot_be_read_is_recorded_and_stops_nobody(
    recurring: Recurring, world: World, caplog: pytest.LogCaptureFixture
) -> None:
    put(recurring, "broken")
    put(recurring, "sound")
    assert isinstance(world.store, SqlStore)
    read = world.store.schedules.schedule("broken")
    world.store.schedules.put(replace(read, zone="Moon/Tranquility"), replacing=read)
    world.advance(hours=1)

    recurring.fire_due()

    assert [execution.schedule for execution in fired(world)] == ["sound"]
    ((outcome, at, _),) = runs(recurring, "broken")
    assert (outcome, at) == (Outcome.FAILED, NOW + 60 * MINUTE)
    assert "Moon/Tranquility" in str(recurring.show("broken").runs[0].reason)
    assert "broken fired nothing" in caplog.text
    assert recurring.fire_due() == 0


def test_one_that_can_be_read_again_is_caught_up(recurring: Recurring, world: World) -> None:
    put(recurring, "broken")
    assert isinstance(world.store, SqlStore)
    read = world.store.schedules.schedule("broken")
    world.store.schedules.put(replace(read, zone="Moon/Tranquility"), replacing=read)
    world.advance(hours=1)
    recurring.fire_due()
    failed = world.store.schedules.schedule("broken")
    world.store.schedules.put(replace(failed, zone="Europe/Paris"), replacing=failed)

    world.advance(hours=1)
    recurring.fire_due()

    assert [outcome for outcome, _, _ in runs(recurring, "broken")] == ["failed", "missed", "fired"]


def test_an_integration_that_is_gone_fails_its_execution_and_not_the_schedule(
    recurring: Recurring, world: World
) -> None:
    earlier = type(world.integrations)()
    earlier.put("gone", lambda *_: None)
    assert isinstance(world.store, SqlStore)
    before = Recurring(store=world.store.schedules, clock=world.clock, integrations=earlier)
    before.set("digest", "gone", "hello", HOURLY)
    world.advance(hours=1)

    recurring.fire_due()
    world.run_all()

    (execution,) = fired(world)
    assert (execution.status, execution.reason) == (Status.FAILED, "unknown_integration")
    assert recurring.next_at() == NOW + 120 * MINUTE


def test_one_without_a_next_instant_rests(recurring: Recurring, world: World) -> None:
    put(recurring, every=None, cron="0 14 2 3 *", skip=[f"{year}-03-02" for year in range(2027, 2033)])
    world.advance(hours=1)

    recurring.fire_due()

    assert [outcome for outcome, _, _ in runs(recurring)] == ["fired"]
    assert recurring.next_at() is None
    assert recurring.show("digest").next == []


def test_a_worker_fires_and_delivers_at_each_instant(recurring: Recurring, world: World) -> None:
    stop, seen = threading.Event(), list[datetime]()

    def see(_: Any, context: Context[Any]) -> Any:
        seen.append(context.now)
        if len(seen) == 3:
            stop.set()

    world.integrations.put("slack-update", see)
    put(recurring, every=None, weekly="tuesday,thursday 09:00")

    Worker(world.dispatcher, world.store, world.clock, recurring=recurring).run(stop)

    assert [at.isoformat() for at in seen] == [
        "2026-03-03T08:00:00+00:00",
        "2026-03-05T08:00:00+00:00",
        "2026-03-10T08:00:00+00:00",
    ]


def test_until_idle_fires_what_is_due_and_does_not_wait_for_the_rest(
    recurring: Recurring, world: World
) -> None:
    put(recurring, "due")
    put(recurring, "later", every="2 hours")
    world.advance(hours=1)

    worker = Worker(world.dispatcher, world.store, world.clock, recurring=recurring)
    worker.run(threading.Event(), until_idle=True)

    assert [(e.schedule, e.status) for e in fired(world)] == [("due", Status.SUCCEEDED)]
    assert world.clock.now() == NOW + 60 * MINUTE


def test_a_clock_put_back_repeats_nothing(recurring: Recurring, world: World) -> None:
    put(recurring)
    world.advance(hours=1)
    recurring.fire_due()
    world.run_all()
    world.clock = VirtualClock(NOW)

    again = recurring_on(world)

    assert again.fire_due() == 0
    assert again.next_at() == NOW + 120 * MINUTE


def test_what_is_caught_up_goes_out_on_no_skipped_date(recurring: Recurring, world: World) -> None:
    put(recurring, skip=["2026-03-03"])
    world.advance(hours=14)  # the 3rd, 03:00 in Paris

    recurring.fire_due()

    (execution,) = fired(world)
    assert execution.due_at == datetime(2026, 3, 3, 23, tzinfo=UTC)  # the 4th begins in Paris


def test_a_schedule_that_is_made_anew_does_not_overlap_what_runs(recurring: Recurring) -> None:
    put(recurring)
    recurring.run_now("digest")
    recurring.remove("digest")
    put(recurring)

    with pytest.raises(Conflict, match="is not over"):
        recurring.run_now("digest")


def test_a_schedule_that_is_set_again_still_knows_the_run_that_is_not_over(
    recurring: Recurring, world: World
) -> None:
    put(recurring)
    world.advance(hours=1)
    recurring.fire_due()  # and nobody delivers it

    put(recurring, every="30 minutes")
    world.advance(hours=1)
    recurring.fire_due()

    assert [outcome for outcome, _, _ in runs(recurring)] == ["fired", "missed", "skipped"]
    with pytest.raises(Conflict):
        recurring.run_now("digest")


def test_a_clock_that_was_a_week_ahead_for_a_moment_stops_no_schedule(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    recurring = recurring_on(world)
    put(recurring)
    ahead = VirtualClock(NOW + timedelta(days=7))
    assert isinstance(world.store, SqlStore)
    Recurring(store=world.store.schedules, clock=ahead, integrations=world.integrations).fire_due()
    assert recurring.show("digest").schedule.next_at == NOW + timedelta(days=7, hours=1)

    recurring.fire_due()

    assert recurring.show("digest").schedule.next_at == NOW + 60 * MINUTE
    assert "further ahead than its rule allows" in caplog.text


def test_a_clock_that_is_put_back_a_little_fires_nothing_twice(world: World) -> None:
    recurring = recurring_on(world)
    put(recurring)
    ahead = VirtualClock(NOW + 60 * MINUTE)
    assert isinstance(world.store, SqlStore)
    Recurring(store=world.store.schedules, clock=ahead, integrations=world.integrations).fire_due()

    world.advance(minutes=59, seconds=50)
    recurring.fire_due()
    world.advance(seconds=10)
    recurring.fire_due()

    assert [at for _, at, _ in runs(recurring)] == [NOW + 60 * MINUTE]
