"""The agenda of a day: executions and instants of schedules in one order, by a zone's hours."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from experience_runtime.domain.errors import InvalidParameter
from experience_runtime.domain.executions import execution_id
from experience_runtime.domain.schedules import CatchUp, Schedule
from experience_runtime.domain.zones import parse_zone
from experience_runtime.engine.agenda import MOST_INSTANTS, Agenda
from experience_runtime.engine.stores import Store
from experience_runtime.store.opening import open_sqlite

from tests.support.executions import NOW, add, an_execution

PARIS = parse_zone("Europe/Paris")
SHIFT = date(2026, 3, 29)  # the clock is put forward: the day has 23 hours
START = datetime(2026, 3, 28, 23, tzinfo=UTC)


def a_schedule(name: str, recurrence: str, next_at: datetime | None, **fields: Any) -> Schedule:
    return Schedule(
        name=name,
        integration="digest-mail",
        recurrence=recurrence,
        window=None,
        payload="{}",
        skip="[]",
        catch_up=CatchUp.ONE,
        created_at=NOW,
        updated_at=NOW,
        next_at=next_at,
        **{"zone": "Europe/Paris"} | fields,
    )


@pytest.fixture
def store() -> Store:
    return open_sqlite(":memory:")


@pytest.fixture
def agenda(store: Store) -> Callable[..., dict[str, Any]]:
    """Asks for the agenda of a day with these schedules."""

    def ask(*schedules: Schedule, day: date = SHIFT, now: datetime = NOW, **page: Any) -> dict[str, Any]:
        made = Agenda(
            store=store, schedules=lambda: schedules, holds=lambda: {"digest-mail": "paused"}, redact=str
        )
        return made.of(day, PARIS, now=now, **{"limit": 50} | page)

    return ask


def due(number: int, at: datetime) -> Any:
    return replace(an_execution(number), due_at=at, visitor=f"v{number}")


def test_what_is_pending_and_what_schedules_add_stand_in_one_order(store: Store, agenda: Any) -> None:
    hours = [timedelta(hours=n) for n in range(24)]
    add(store, due(1, START + hours[8]), due(2, START - hours[1]), due(3, START + hours[23]))
    add(store, due(4, START + hours[22] + timedelta(minutes=59)), due(5, START + hours[8]))
    add(store, due(6, START))
    store.cancel(5, reason=None, now=NOW)
    daily = a_schedule("daily", '{"daily":"09:00"}', datetime(2026, 3, 3, 8, tzinfo=UTC))
    paused = a_schedule("paused", '{"daily":"09:00"}', None)

    found = agenda(daily, paused)

    assert [(each["local"][11:16], each["execution"], each["schedule"]) for each in found["entries"]] == [
        ("00:00", execution_id(6), None),
        ("09:00", None, "daily"),
        ("09:00", execution_id(1), None),
        ("23:59", execution_id(4), None),
    ]
    assert (found["executions"], found["instants"], found["late"], found["next"]) == (3, 1, 0, None)
    assert found["hours"] == [
        {"hour": "00:00", "executions": 1, "instants": 0},
        {"hour": "09:00", "executions": 1, "instants": 1},
        {"hour": "23:00", "executions": 1, "instants": 0},
    ]
    assert found["integrations"] == [
        {"integration": "digest-mail", "executions": 0, "instants": 1, "held": "paused"},
        {"integration": "slack-update", "executions": 3, "instants": 0, "held": None},
    ]
    assert (found["from"], found["until"]) == ("2026-03-28T23:00:00.000Z", "2026-03-29T22:00:00.000Z")


def test_today_tells_what_is_late_and_no_instant_that_is_past(store: Store, agenda: Any) -> None:
    now = START + timedelta(hours=10)
    add(store, due(1, START - timedelta(hours=1)), due(2, START + timedelta(hours=1)))
    hourly = a_schedule("hourly", '{"cron":"0 * * * *"}', START + timedelta(hours=11), zone="UTC")

    found = agenda(hourly, now=now)

    assert (found["late"], found["executions"], found["instants"]) == (1, 1, 12)
    assert agenda(hourly, day=SHIFT + timedelta(days=1), now=now)["late"] == 0


@pytest.mark.parametrize("limit", [1, 2, 3, 7])
def test_page_by_page_each_entry_comes_once(store: Store, agenda: Any, limit: int) -> None:
    add(store, *(due(n, START + timedelta(minutes=15 * (n // 2))) for n in range(1, 12)))
    schedules = [a_schedule(name, '{"cron":"*/15 0 * * *"}', START) for name in ("a", "b")]
    whole = agenda(*schedules)["entries"]

    def walk(cursor: str | None = None) -> list[Any]:
        page = agenda(*schedules, cursor=cursor, limit=limit)
        assert len(page["entries"]) <= limit
        entries: list[Any] = page["entries"]
        return entries + (walk(page["next"]) if page["next"] else [])

    assert len(whole) == 11 + 8
    assert walk() == whole


def test_more_instants_than_are_counted_are_said_to_be_more(agenda: Any) -> None:
    every = [a_schedule(f"s{n}", '{"cron":"* * * * *"}', START) for n in range(8)]

    found = agenda(*every)

    assert (found["instants"], found["is_whole"]) == (MOST_INSTANTS, False)


@pytest.mark.parametrize(
    "cursor", ["", "x", "1.ex", "99999999999999999.at.a", "1.ex_?", "-1.at.a", "\u0661.at.a"]
)
def test_a_cursor_that_is_none_is_refused(agenda: Any, cursor: str) -> None:
    with pytest.raises(InvalidParameter, match="not a cursor"):
        agenda(cursor=cursor)
