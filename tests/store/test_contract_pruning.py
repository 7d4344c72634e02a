"""What every store does about what was kept long enough: it goes, in batches, and nothing else does."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from experience_runtime.clocks import VirtualClock
from experience_runtime.domain.errors import Conflict, UnknownExecution
from experience_runtime.domain.executions import Filter, IfExists
from experience_runtime.domain.retention import KINDS, Kind, Pruned, Retention
from experience_runtime.domain.runs import RunFilter
from experience_runtime.domain.visitor_events import VisitorEvent
from experience_runtime.engine.claims import Claim
from experience_runtime.engine.keeping import Reply
from experience_runtime.engine.numbering import first_number_of
from experience_runtime.engine.pruning import PAUSE, REST, Pruner
from experience_runtime.engine.stores import Store
from experience_runtime.store.sqlite.file import open_database

from tests.support.executions import FAILED, NOW, SUCCEEDED, add, an_execution, claim, running, settle, start

from .test_contract_runs import a_run

DAY = timedelta(days=1)
LONG_AGO = NOW - 40 * DAY
NUMBER = first_number_of(LONG_AGO)


def ended(store: Store, number: int, *, at: datetime, fails: bool = False) -> int:
    """An execution made 40 days ago that ended at an instant; returns its number."""
    execution = replace(an_execution(number), created_at=LONG_AGO, due_at=LONG_AGO)
    add(store, replace(execution, visitor="ada", cancel_on_conversion=True))
    (claimed,) = claim(store, now=at)
    assert start(store, claimed, now=at)
    settle(store, number, claimed.attempt, FAILED if fails else SUCCEEDED, now=at)
    return number


def step(store: Store, kind: Kind, *, now: datetime = NOW, limit: int = 100) -> Pruned | None:
    return store.pruning.step(kind, before=NOW - 30 * DAY, now=now, limit=limit, pause=PAUSE, rest=REST)


def left(store: Store) -> set[int]:
    return {each.number for each in store.find(Filter(), limit=100).executions}


def test_what_ended_long_ago_goes_with_all_that_belongs_to_it(store: Store) -> None:
    old = ended(store, NUMBER, at=NOW - 31 * DAY)
    late = ended(store, NUMBER + 1, at=NOW - 29 * DAY)  # made as long ago, and it ended later
    failed = ended(store, NUMBER + 2, at=NOW - 31 * DAY, fails=True)
    begun = running(store, replace(an_execution(NUMBER + 4), created_at=LONG_AGO)).number
    pending = replace(an_execution(NUMBER + 3), created_at=LONG_AGO, due_at=LONG_AGO)
    store.add(pending, IfExists.REPLACE)

    assert store.pruning.count("succeeded", before=NOW - 30 * DAY) == 1
    assert step(store, "succeeded") == Pruned(removed=1, is_over=True)

    assert left(store) == {late, failed, pending.number, begun}
    with pytest.raises(UnknownExecution):
        store.execution(old)
    assert store.history(old) == []
    assert store.attempts(old) == []
    assert store.attempts(late) != []


def test_batches_come_to_the_end_also_past_what_is_kept(store: Store) -> None:
    kept = {ended(store, NUMBER + n, at=NOW) for n in (0, 1, 4)}
    for n in (2, 3, 5):
        ended(store, NUMBER + n, at=NOW - 31 * DAY)

    removed: list[Pruned] = []
    now = NOW
    while not removed or not removed[-1].is_over:
        pruned = step(store, "succeeded", now=now, limit=2)
        assert pruned is not None
        removed, now = [*removed, pruned], now + PAUSE

    assert [each.removed for each in removed] == [0, 2, 1, 0]
    assert left(store) == kept


def test_one_batch_at_a_time_and_a_rest_at_the_end(store: Store) -> None:
    for n in range(3):
        ended(store, NUMBER + n, at=NOW - 31 * DAY)

    assert step(store, "succeeded", limit=2) is not None
    assert step(store, "succeeded", limit=2) is None  # another worker, at the same time
    assert step(store, "failed") == Pruned(removed=0, is_over=True)
    assert step(store, "succeeded", limit=2, now=NOW + PAUSE) == Pruned(removed=1, is_over=True)
    assert step(store, "succeeded", now=NOW + REST) is None
    assert step(store, "succeeded", now=NOW + PAUSE + REST) == Pruned(removed=0, is_over=True)
    assert store.pruning.removed() == {"succeeded": 3, "failed": 0}


def test_old_runs_go_and_their_executions_still_name_them(store: Store) -> None:
    for number in (NUMBER, first_number_of(NOW)):
        store.runs.keep(a_run(number, executions=[number + 1]))

    assert step(store, "runs") == Pruned(removed=1, is_over=True)

    assert [each.number for each in store.runs.find(RunFilter())] == [first_number_of(NOW)]
    assert store.runs.of_execution(NUMBER + 1) == [NUMBER]
    assert (store.runs.is_kept(NUMBER), store.runs.is_kept(first_number_of(NOW))) == (False, True)


def test_old_events_go_and_a_conversion_stays_as_long_as_a_replay_must_know_of_it(store: Store) -> None:
    for at in (NOW - 31 * DAY, NOW - DAY):
        for visitor in ("ada", "bob", "customer-1"):
            event = VisitorEvent(visitor=visitor, type="ecView", data="{}", at=at, received_at=at)
            store.events.record(event)
            store.convert(visitor, event="bought", now=at)
    store.identify("ada", "customer-1", now=NOW)
    number = ended(store, NUMBER, at=NOW - 31 * DAY, fails=True)

    assert (
        store.pruning.remove("events", before=NOW - 30 * DAY, now=NOW, limit=2) == 4
    )  # with bob's conversion

    for visitor, conversions in (("ada", 2), ("bob", 1), ("customer-1", 2)):
        assert len(store.events.of(visitor, limit=10)) == 1
        assert len(store.events.conversions(visitor, limit=10)) == conversions
    with pytest.raises(Conflict, match="converted"):
        store.replay(number, reason=None, now=NOW)

    store.pruning.remove("failed", before=NOW, now=NOW, limit=2)
    assert store.pruning.remove("events", before=NOW - 30 * DAY, now=NOW, limit=2) == 2


def test_old_answers_go_and_their_keys_are_free(store: Store) -> None:
    def ask(now: datetime) -> Reply | Claim:
        return store.replies.claim(caller="shop", key="k", request=b"r", now=now)

    claim = ask(NOW - 31 * DAY)
    assert isinstance(claim, Claim)
    store.replies.keep(Reply(status=200, media_type="text/plain", body=b"done"), claim)
    assert isinstance(ask(NOW), Reply)

    assert step(store, "answers") == Pruned(removed=1, is_over=True)

    assert isinstance(ask(NOW), Claim)


def test_a_worker_removes_what_the_settings_say_and_keeps_what_is_off(store: Store) -> None:
    ended(store, NUMBER, at=NOW - 31 * DAY)
    failed = ended(store, NUMBER + 1, at=NOW - 31 * DAY, fails=True)
    clock = VirtualClock(NOW)
    kept: dict[Kind, timedelta | None] = {kind: None if kind == "failed" else 30 * DAY for kind in KINDS}
    pruner = Pruner(store.pruning, clock, Retention(kept))

    for _ in KINDS:
        pruner.step()

    assert left(store) == {failed}
    assert "failed" not in store.pruning.removed()


ENDS: dict[str, str] = {
    **dict.fromkeys(("executions", "history", "attempts", "run_executions"), "succeeded, failed, cancelled"),
    "changes": "what its readers have read, or after a while",
    "runs": "runs",
    **dict.fromkeys(("events", "conversions", "exposures"), "events"),
    "replies": "answers",
    "audit": "audit",
    **dict.fromkeys(
        ("schedule_runs", "removed_schedules"), "a schedule's last ones; a day after its removal"
    ),
    **dict.fromkeys(
        ("sessions", "execute_marks", "site_usage", "jobs", "workers", "feeds", "paces"), "at its end"
    ),
    **dict.fromkeys(("visitors", "persons", "visitor_states"), "when the visitor is erased"),
    "releases": "releases",
    **dict.fromkeys(("release_changes", "erasures"), "never: the reference says so"),
    **dict.fromkeys(("schedules", "tokens", "integration_states", "alerts", "pruning"), "one a name"),
    **dict.fromkeys(("milestones", "integration_settings"), "one a name"),
    "sqlite_sequence": "SQLite's own",
}
"""When the rows of each table go: by which setting of retention, or by what else."""


def test_of_every_table_it_is_known_when_its_rows_go() -> None:
    """One that is new has a line here, and in the reference of the settings where its rows grow in number."""
    found = (
        open_database(":memory:").execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall()
    )

    assert {name for (name,) in found} == set(ENDS)
