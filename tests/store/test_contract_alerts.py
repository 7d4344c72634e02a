"""What every store does for alerts: one process looks at a time, and what happened lately is counted."""

from dataclasses import replace
from datetime import timedelta

from experience_runtime.domain.alerts import AlertState, Firing, Found
from experience_runtime.domain.overview import Running
from experience_runtime.domain.schedules import Outcome, ScheduleRun
from experience_runtime.engine.keeping import Happened
from experience_runtime.engine.numbering import first_number_of
from experience_runtime.store.opening import SqliteStore

from tests.support.executions import FAILED, NOW, an_execution, running, settle

from .test_contract_runs import a_run
from .test_contract_schedules import a_schedule, firing, put

HOLD, MINUTE = NOW + timedelta(minutes=2), timedelta(minutes=1)
FOUND = Found(kind="lag", subject="sms “é”", text="sms is 65 s late", page="/executions?status=pending")


def test_a_rule_is_held_by_one_until_it_is_kept_or_the_hold_lapses(store: SqliteStore) -> None:
    alerts = store.alerts
    state = AlertState(
        firing={FOUND.key: Firing(found=FOUND, since=NOW, told_at=NOW, is_open=True)},
        sent_at=NOW,
        error="no answer",
    )

    assert alerts.take("ops", now=NOW, until=HOLD) == AlertState()
    assert alerts.take("ops", now=NOW, until=HOLD) is None
    assert alerts.take("night", now=NOW, until=HOLD) == AlertState()
    assert alerts.keep("ops", state, held_until=HOLD, next_at=NOW + MINUTE)
    assert not alerts.keep("ops", AlertState(), held_until=HOLD, next_at=NOW)
    assert alerts.take("ops", now=NOW, until=HOLD) is None
    assert alerts.take("ops", now=NOW + MINUTE, until=HOLD + MINUTE) == state
    assert alerts.take("ops", now=HOLD + MINUTE, until=HOLD + 3 * MINUTE) == state  # its holder died
    assert not alerts.keep("ops", AlertState(), held_until=HOLD + MINUTE, next_at=NOW)
    assert alerts.all() == {"ops": state, "night": AlertState()}


def test_a_clock_that_is_put_back_silences_no_rule(store: SqliteStore) -> None:
    assert store.alerts.take("ops", now=NOW + 60 * MINUTE, until=HOLD + 60 * MINUTE) is not None

    assert store.alerts.take("ops", now=NOW, until=HOLD) is not None


def test_what_happened_lately_is_counted(store: SqliteStore) -> None:
    running(store, an_execution())
    settle(store, 1, 1, FAILED, now=NOW)
    number = first_number_of(NOW)
    for more in range(2):
        store.runs.keep(replace(a_run(number + more), outcome="failed", code="script_error"))
    store.runs.keep(a_run(number + 2))
    schedule = a_schedule()
    put(store, schedule)
    passed = ScheduleRun(at=NOW, outcome=Outcome.MISSED, recorded_at=NOW, count=3)
    store.schedules.fire([firing(schedule, execution=None, record=passed)], now=NOW)

    alerts = store.alerts
    assert alerts.failed_executions(NOW) == [
        Happened(subject="slack-update", how="integration_failed", count=1)
    ]
    assert alerts.failed_runs(NOW) == [Happened(subject="reminder", how="script_error", count=2)]
    assert alerts.skipped(NOW) == [Happened(subject="digest", how="missed", count=3)]
    later = NOW + MINUTE
    counted = [alerts.failed_executions, alerts.failed_runs, alerts.skipped]
    assert [count(later) for count in counted] == [[], [], []]


def test_what_runs_and_how_large_it_is_is_told(store: SqliteStore) -> None:
    running(store, an_execution())

    overview = store.overview(now=NOW, failed_since=NOW, next_limit=0)

    assert overview.running == [Running(integration="slack-update", count=1, since=NOW)]
    assert store.pruning.size() > 4096
