"""Pausing: what is due waits, says so, and goes on when an operator says so."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from experience_runtime.domain.admission import ALL, IntegrationState, Policies
from experience_runtime.domain.errors import Conflict, InvalidParameter, UnknownIntegration
from experience_runtime.domain.executions import Filter, Status
from experience_runtime.engine.noticing import Noticing
from experience_runtime.integration import IntegrationFailed
from experience_runtime.store.opening import open_sqlite

from .conftest import NOW
from .outcomes import raising
from .policed import Policed

LEASE = timedelta(seconds=120)
BECAUSE = (
    "sms is paused since 2026-03-02T12:00:00.000Z: their release; "
    "`experience integrations resume sms` lets it go on"
)


@pytest.fixture
def world() -> Iterator[Policed]:
    made = Policed(Policies())
    yield made
    made.store.close()


def test_what_is_due_waits_and_keeps_its_due_instant(world: Policed) -> None:
    paused, other = world.due(1)[0], world.due(1, "mail")[0]
    world.operations.pause("sms", reason="their release")
    world.advance(days=3)

    assert world.run_all() == 1

    assert world.now_is([paused, other]) == [Status.PENDING, Status.SUCCEEDED]
    row = world.execution(paused.id)
    assert (row.due_at, row.attempt, row.begun) == (NOW, 0, 0)
    assert world.dispatcher.next_wake() is None


def test_what_waits_says_why(world: Policed) -> None:
    due, other = world.due(1)[0], world.due(1, "mail")[0]
    later = world.schedule(integration="sms", delay="2 days").execution
    gone = world.due(1)[0]
    world.scheduler.cancel_execution(gone.id, reason=None)
    rows = [due, other, later, world.execution(gone.id)]
    assert world.operations.waits_because(rows) == {}

    world.operations.pause("sms", reason="their release")

    assert world.operations.waits_because(rows) == {due.id: BECAUSE, later.id: BECAUSE}
    assert world.operations.holds() == {"sms": BECAUSE}
    world.operations.resume("sms")
    assert (world.operations.waits_because(rows), world.operations.holds()) == ({}, {})


def test_paused_between_its_claim_and_its_start_it_is_not_delivered(world: Policed) -> None:
    scheduled = world.due(1)[0]
    (claimed,) = world.store.claim_due(now=NOW, lease_until=NOW + LEASE, limit=1)
    world.operations.pause("sms")

    world.dispatcher.deliver(claimed)

    row = world.execution(scheduled.id)
    assert world.integrations.calls == []
    assert (row.status, row.due_at, row.begun, row.lease_until) == (Status.PENDING, NOW, 0, None)
    assert world.store.attempts(row.number) == []
    assert world.operations.waits_because([row]).keys() == {row.id}


def test_resumed_it_is_delivered_at_once(world: Policed) -> None:
    scheduled = world.due(3)
    world.operations.pause("sms")
    world.advance(hours=1)
    world.run_all()

    world.operations.resume("sms")
    world.run_all()

    assert world.now_is(scheduled) == [Status.SUCCEEDED] * 3
    assert world.begun(scheduled) == [NOW + timedelta(hours=1)] * 3


def test_a_window_that_closed_during_the_pause_postpones(world: Policed) -> None:
    window = {"day": "monday-friday", "time": "09:00-17:00", "timezone": "UTC"}
    scheduled = world.schedule(integration="sms", window=window).execution
    world.operations.pause("sms")
    world.clock.advance_to(datetime(2026, 3, 2, 20, tzinfo=UTC))

    world.operations.resume("sms")
    world.run_all()

    row = world.execution(scheduled.id)
    assert (row.status, row.due_at, row.begun) == (Status.PENDING, datetime(2026, 3, 3, 9, tzinfo=UTC), 0)
    assert world.integrations.calls == []


def test_what_runs_is_not_stopped_by_a_pause(world: Policed) -> None:
    world.integrations.put("sms", lambda *_: world.operations.pause("sms") and None)
    first, second = world.due(2)

    world.run_all()

    assert world.now_is([first, second]) == [Status.SUCCEEDED, Status.PENDING]


def test_a_retry_waits_for_the_end_of_the_pause_too(world: Policed) -> None:
    def pause_and_fail(*_: Any) -> Any:
        world.operations.pause("sms")
        raise IntegrationFailed("down", may_pass=True, retry_after=60)

    world.integrations.put("sms", pause_and_fail)
    scheduled = world.due(1)[0]
    world.run_all()
    world.advance(days=1)

    assert world.run_all() == 0

    row = world.execution(scheduled.id)
    assert (row.status, row.begun, row.due_at) == (Status.PENDING, 1, NOW + timedelta(seconds=60))
    world.integrations.put("sms", lambda *_: None)
    world.operations.resume("sms")
    world.run_all()
    assert world.now_is([scheduled]) == [Status.SUCCEEDED]


def test_pausing_twice_is_refused_and_says_since_when(world: Policed) -> None:
    world.operations.pause("sms", reason="their release")
    world.advance(hours=1)

    with pytest.raises(Conflict, match=r"sms is paused since 2026-03-02T12:00:00\.000Z; resume it first"):
        world.operations.pause("sms", reason="another")

    state = world.store.integration_states.of("sms")
    assert (state.paused_at, state.pause_reason) == (NOW, "their release")


def test_resuming_what_nothing_holds_is_refused(world: Policed) -> None:
    with pytest.raises(Conflict, match="sms is not paused, and its circuit breaker is closed"):
        world.operations.resume("sms")


def test_only_an_integration_there_is_can_be_paused(world: Policed) -> None:
    with pytest.raises(UnknownIntegration, match="no integration is named fax"):
        world.operations.pause("fax")

    assert world.store.integration_states.all() == {}


def test_one_that_is_gone_meanwhile_can_be_resumed_and_its_executions_say_so(world: Policed) -> None:
    scheduled = world.due(1)[0]
    world.operations.pause("sms")
    del world.integrations._found["sms"]

    assert world.operations.resume("sms") == IntegrationState(integration="sms")
    world.run_all()

    row = world.execution(scheduled.id)
    assert (row.status, row.reason) == (Status.FAILED, "unknown_integration")


def test_a_reason_of_more_than_a_thousand_characters_is_refused(world: Policed) -> None:
    with pytest.raises(InvalidParameter):
        world.operations.pause("sms", reason="x" * 1001)

    assert world.operations.holds() == {}


def test_an_execute_is_refused_while_paused_and_leaves_nothing_behind(world: Policed) -> None:
    world.operations.pause("sms", reason="their release")

    with pytest.raises(Conflict) as refused:
        world.execute()

    assert refused.value.message == f"{BECAUSE}; or schedule it, and it waits"
    assert world.store.count(Filter()) == 0
    world.operations.resume("sms")
    assert world.execute().status is Status.RUNNING


def test_what_is_scheduled_cancelled_and_converted_during_a_pause_counts(world: Policed) -> None:
    world.operations.pause("sms")
    kept, cancelled = world.due(2)
    converted = world.schedule(integration="sms", cancelOnConversion=True).execution

    world.scheduler.cancel_execution(cancelled.id, reason=None)
    world.scheduler.convert("ada")
    world.operations.resume("sms")
    world.run_all()

    assert world.now_is([kept, cancelled, converted]) == ["succeeded", "cancelled", "cancelled"]
    assert len(world.integrations.calls) == 1


def test_a_replay_during_a_pause_waits(world: Policed) -> None:
    world.integrations.put("sms", raising(IntegrationFailed("no", may_pass=False)))
    scheduled = world.due(1)[0]
    world.run_all()
    world.operations.pause("sms")

    world.scheduler.replay(scheduled.id)

    assert world.run_all() == 0
    assert world.now_is([scheduled]) == [Status.PENDING]


def test_a_pause_outlasts_a_restart(tmp_path: Path) -> None:
    path = str(tmp_path / "experience.db")
    before = Policed(Policies(), open_sqlite(path))
    scheduled = before.due(1)[0]
    before.operations.pause("sms", reason="their release")
    before.store.close()

    after = Policed(Policies(), open_sqlite(path))

    assert after.run_all() == 0
    assert after.operations.holds() == {"sms": BECAUSE}
    after.operations.resume("sms")
    assert after.run_all() == 1
    assert after.now_is([scheduled]) == [Status.SUCCEEDED]
    after.store.close()


def test_a_pause_from_another_process_is_told_once(world: Policed, caplog: pytest.LogCaptureFixture) -> None:
    noticing = Noticing(world.store, world.clock)

    def looked() -> list[str]:
        caplog.clear()
        world.advance(seconds=5)
        noticing.step()
        return [record.getMessage() for record in caplog.records]

    before = looked()
    world.operations.pause("sms", reason="the provider asked")
    told = looked(), looked()
    world.operations.resume("sms")

    assert (before, *told) == ([], ["sms is paused: the provider asked"], [])
    assert looked() == ["sms goes on again"]


def test_while_everything_is_held_nothing_is_called_and_every_list_says_why(world: Policed) -> None:
    due = [*world.due(1), *world.due(1, "mail")]
    windowed = world.schedule(
        integration="sms", delay=0, window={"time": "09:00-17:00", "timezone": "UTC"}
    ).execution

    world.operations.hold_all(reason="look first")

    because = (
        "everything is held since 2026-03-02T12:00:00.000Z: look first; `experience resume all` lets it go on"
    )
    assert world.operations.waits_because([*due, windowed]) == dict.fromkeys(
        [each.id for each in (*due, windowed)], because
    )
    assert world.operations.holds() == {ALL: because}
    with pytest.raises(Conflict, match="everything is held"):
        world.scheduler.begin_execute("sms", {}, key=None, visitor=None, experience=None)
    with pytest.raises(Conflict, match="held since"):
        world.operations.hold_all()
    with pytest.raises(UnknownIntegration):
        world.operations.resume(ALL)  # only `resume_all` does
    world.advance(hours=8)  # to 20:00: the window is closed by now
    assert world.run_all() == 0
    assert world.integrations.calls == []

    world.operations.resume_all()

    world.run_all()
    assert world.now_is(due) == [Status.SUCCEEDED, Status.SUCCEEDED]
    assert world.execution(windowed.id).due_at == datetime(2026, 3, 3, 9, tzinfo=UTC)
    assert len(world.integrations.calls) == 2
    with pytest.raises(Conflict, match="nothing is held"):
        world.operations.resume_all()


def test_an_integration_that_was_paused_stays_so_when_deliveries_go_on(world: Policed) -> None:
    world.due(1)
    world.operations.pause("sms", reason="their release")
    world.operations.hold_all()

    world.operations.resume_all()

    assert world.operations.holds() == {"sms": BECAUSE}
    assert world.run_all() == 0
