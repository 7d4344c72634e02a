"""The verbs of recurring schedules. Source: reference/recurring-schedules."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from experience_runtime.domain.errors import (
    Conflict,
    InvalidParameter,
    InvalidPayload,
    UnknownIntegration,
    UnknownSchedule,
)
from experience_runtime.domain.executions import Status
from experience_runtime.domain.schedules import CatchUp, Outcome, Schedule
from experience_runtime.engine.recurring import Recurring, Saved
from experience_runtime.store.sql import SqlStore

if TYPE_CHECKING:
    from tests.engine.conftest import World

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)  # a Monday, 13:00 in Paris
HOUR = timedelta(hours=1)
DAILY = {"daily": "09:00", "timezone": "Europe/Paris"}
TOMORROW_AT_9 = datetime(2026, 3, 3, 8, tzinfo=UTC)


@pytest.fixture
def recurring(world: World) -> Recurring:
    assert isinstance(world.store, SqlStore)
    return Recurring(
        store=world.store.schedules,
        clock=world.clock,
        integrations=world.integrations,
        source=random.Random(1),
    )


def put(recurring: Recurring, **options: Any) -> Saved:
    wanted = {key: value for key, value in {**DAILY, **options}.items() if value is not None}
    return recurring.set("digest", "slack-update", {"message": "hello"}, wanted)


def stored(recurring: Recurring) -> Schedule:
    return recurring.show("digest").schedule


def test_a_saved_schedule_is_at_rest_with_its_next_instant_only(recurring: Recurring, world: World) -> None:
    saved = put(recurring)

    assert saved.is_new
    assert saved.schedule == stored(recurring)
    assert saved.schedule.next_at == recurring.next_at() == TOMORROW_AT_9
    assert list(saved.next) == [TOMORROW_AT_9 + timedelta(days=day) for day in range(5)]
    assert (saved.schedule.payload, saved.schedule.catch_up) == ('{"message":"hello"}', CatchUp.ONE)
    assert world.store.next_wake(now=NOW) is None


def test_a_dry_run_stores_nothing(recurring: Recurring) -> None:
    saved = recurring.set("digest", "slack-update", "hello", DAILY, dry_run=True)

    assert saved.next[0] == TOMORROW_AT_9
    assert recurring.list() == []


def test_a_preview_needs_no_name_and_stores_nothing(recurring: Recurring) -> None:
    timing, runs = recurring.preview({"cron": "30 2 * * *", "timezone": "America/New_York"})

    assert timing.zone.name == "America/New_York"
    assert [run.isoformat() for run in runs][:2] == ["2026-03-03T07:30:00+00:00", "2026-03-04T07:30:00+00:00"]
    assert recurring.list() == []


@pytest.mark.parametrize(
    ("name", "integration", "payload", "options", "error"),
    [
        ("a b", "slack-update", "x", {}, InvalidParameter),
        ("digest", "sms", "x", {}, UnknownIntegration),
        ("digest", "slack-update", float("nan"), {}, InvalidPayload),
        ("digest", "slack-update", {"refused": 1}, {}, InvalidPayload),
        ("digest", "slack-update", "x", {"daily": "25:00"}, InvalidParameter),
        ("digest", "slack-update", "x", {"catch_up": "all"}, InvalidParameter),
        ("digest", "slack-update", "x", {"delay": 5}, InvalidParameter),
    ],
)
def test_what_breaks_a_rule_is_refused_and_stores_nothing(
    recurring: Recurring,
    name: str,
    integration: str,
    payload: object,
    options: dict[str, object],
    error: type[Exception],
) -> None:
    with pytest.raises(error):
        recurring.set(name, integration, payload, {**DAILY, **options})

    assert recurring.list() == []


def test_one_that_never_comes_is_refused(recurring: Recurring) -> None:
    with pytest.raises(InvalidParameter, match="does not come within five years"):
        put(recurring, daily=None, every="1 hour", starting="2126-01-01")


def test_missing_settings_are_a_warning(recurring: Recurring, world: World) -> None:
    world.integrations.unconfigured.add("slack-update")

    saved = put(recurring)

    assert "not configured" in saved.warnings[0]
    assert stored(recurring) == saved.schedule


def test_setting_again_replaces_and_keeps_what_is_not_set(recurring: Recurring, world: World) -> None:
    put(recurring)
    world.advance(hours=1)

    saved = recurring.set("digest", "slack-update", "other", {**DAILY, "daily": "10:00", "catch_up": "none"})

    assert not saved.is_new
    assert saved.schedule == stored(recurring)
    assert (saved.schedule.payload, saved.schedule.catch_up) == ('"other"', CatchUp.NONE)
    assert saved.schedule.next_at == TOMORROW_AT_9 + HOUR
    assert (saved.schedule.created_at, saved.schedule.updated_at) == (NOW, NOW + HOUR)
    assert saved.schedule.version == 2


def test_saving_the_same_again_never_puts_off_what_comes(recurring: Recurring, world: World) -> None:
    every = {"daily": None, "every": "2 hours"}
    put(recurring, **every)
    world.advance(minutes=90)

    again = put(recurring, **every)
    world.advance(hours=1)
    overdue = put(recurring, **every)

    assert again.schedule.next_at == overdue.schedule.next_at == NOW + 2 * HOUR
    assert again.next[0] == NOW + 2 * HOUR


def test_a_new_step_or_a_start_of_its_own_counts_anew(recurring: Recurring, world: World) -> None:
    put(recurring, daily=None, every="2 hours")
    world.advance(minutes=90)

    started = put(recurring, daily=None, every="2 hours", starting="2026-03-02T18:00Z")
    stepped = put(recurring, daily=None, every="3 hours")

    assert started.schedule.next_at == datetime(2026, 3, 2, 18, tzinfo=UTC)
    assert stepped.schedule.next_at == NOW + timedelta(minutes=90) + 3 * HOUR


def test_a_paused_schedule_rests_until_it_is_resumed_and_catches_nothing_up(
    recurring: Recurring, world: World
) -> None:
    put(recurring)

    paused = recurring.pause("digest")
    world.advance(days=3)
    fired = recurring.fire_due()
    resumed = recurring.resume("digest")

    assert (paused.paused_at, paused.next_at) == (NOW, None)
    assert fired == 0
    assert (resumed.paused_at, resumed.next_at) == (None, TOMORROW_AT_9 + timedelta(days=3))
    assert recurring.fire_due() == 0
    assert recurring.show("digest").runs == []


def test_pausing_and_resuming_twice_changes_nothing(recurring: Recurring, world: World) -> None:
    put(recurring)
    paused = recurring.pause("digest")
    world.advance(hours=1)

    assert recurring.pause("digest") == paused
    resumed = recurring.resume("digest")
    assert recurring.resume("digest") == resumed


def test_setting_a_paused_schedule_leaves_it_paused(recurring: Recurring) -> None:
    put(recurring)
    recurring.pause("digest")

    saved = put(recurring, daily="10:00")

    assert (saved.schedule.paused_at, saved.schedule.next_at) == (NOW, None)
    assert saved.next[0] == TOMORROW_AT_9 + HOUR
    assert recurring.show("digest").next == []
    assert recurring.resume("digest").next_at == TOMORROW_AT_9 + HOUR


@pytest.mark.parametrize("paused", [False, True])
def test_run_now_fires_one_and_leaves_the_rest_as_it_is(
    recurring: Recurring, world: World, paused: bool
) -> None:
    put(recurring)
    if paused:
        recurring.pause("digest")
    before = stored(recurring)

    execution = recurring.run_now("digest")
    world.run_all()

    assert (execution.schedule, execution.due_at, execution.asked) == ("digest", NOW, "run now")
    assert world.integrations.calls[0][0] == {"message": "hello"}
    assert world.execution(execution.id).status is Status.SUCCEEDED
    assert stored(recurring).next_at == before.next_at
    assert stored(recurring).paused_at == before.paused_at
    (run,) = recurring.show("digest").runs
    assert (run.outcome, run.execution, run.reason) == (Outcome.FIRED, execution.number, "run now")


def test_run_now_waits_for_the_window(recurring: Recurring) -> None:
    put(recurring, window={"time": "15:00-17:00"})

    execution = recurring.run_now("digest")

    assert (execution.requested_at, execution.due_at) == (NOW, NOW + 2 * HOUR)
    assert execution.window == "sunday-saturday 15:00-17:00"


def test_run_now_is_refused_while_the_previous_one_is_not_over(recurring: Recurring, world: World) -> None:
    put(recurring)
    recurring.run_now("digest")

    with pytest.raises(Conflict, match="is not over"):
        recurring.run_now("digest")

    assert world.run_all() == 1


def test_a_removed_schedule_fires_nothing_any_more(recurring: Recurring, world: World) -> None:
    put(recurring)

    recurring.remove("digest")
    world.advance(days=3)

    assert recurring.fire_due() == 0
    assert recurring.next_at() is None


def test_every_verb_refuses_an_unknown_name(recurring: Recurring) -> None:
    for verb in (recurring.show, recurring.remove, recurring.pause, recurring.resume, recurring.run_now):
        with pytest.raises(UnknownSchedule, match='"nightly"'):
            verb("nightly")


def test_show_lists_what_comes_from_the_instant_at_rest(recurring: Recurring) -> None:
    put(recurring, daily="03:00", window={"day": "monday-friday", "time": "09:00-17:00"})

    shown = recurring.show("digest")

    assert shown.next[0] == shown.schedule.next_at == TOMORROW_AT_9
    assert [at.day for at in shown.next] == [3, 4, 5, 6, 9]
