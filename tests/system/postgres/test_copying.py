"""`experience migrate --from`: everything comes along, or nothing does."""

import itertools
import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from experience_runtime.cli import main
from experience_runtime.domain.access import Scope, Token
from experience_runtime.domain.errors import Conflict
from experience_runtime.domain.executions import Filter, IfExists
from experience_runtime.domain.jobs import Job
from experience_runtime.domain.pace import Learned, Spoken
from experience_runtime.domain.releases import Change, Files, Release
from experience_runtime.domain.runs import KeptRun
from experience_runtime.domain.schedules import CatchUp, Schedule
from experience_runtime.domain.traffic import Exposure
from experience_runtime.domain.visitor_events import VisitorEvent
from experience_runtime.domain.visitors import Visitor
from experience_runtime.engine.claims import Claim
from experience_runtime.engine.keeping import Reply
from experience_runtime.engine.kept_settings import Sealed
from experience_runtime.store.opening import open_postgres, open_sqlite
from experience_runtime.store.postgres import copying
from experience_runtime.store.sqlite.file import open_database
from experience_runtime.store.sqlite.lock import FileLock

from tests.support.executions import KEY, NOW, SUCCEEDED, add, an_execution, keyed, running, settle
from tests.support.postgres import shared


@pytest.fixture
def path(tmp_path: Path) -> str:
    """A file with something in every table."""
    path = str(tmp_path / "experience.db")
    store = open_sqlite(path)
    running(store, an_execution(1))
    settle(store, 1, 1, SUCCEEDED, now=NOW)
    running(store, replace(an_execution(2), visitor="ada", payload='{"text":"é, \\"quoted\\", 𝄞\\\\n"}'))
    add(store, *(keyed(number, owner=f"visitor {number}") for number in range(3, 40)))
    store.feed.begin("crm", now=NOW)
    store.convert("visitor 3", event="bought", now=NOW)
    store.remember_visitor(Visitor(id="ada", timezone="Europe/Paris"), now=NOW)
    store.allow_execute(key_digest=KEY, key_owner="ada", now=NOW, per_seconds=60)
    store.integration_states.change("slack-update", lambda h: replace(h, paused_at=NOW, free_at=NOW))
    told = Spoken(began_at=NOW, ended_at=NOW, refused=True, wait_seconds=5)
    store.paces.learn({("slack-update", ""): Learned(spoken=[told])}, {}, now=NOW)
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
    store.schedules.put(daily, replacing=None)
    store.schedules.fire_now("daily", replace(an_execution(50), schedule="daily"), now=NOW)
    store.tokens.put(Token(name="ci", digest=b"d" * 32, scopes=tuple(Scope), origins=(), created_at=NOW))
    store.tokens.begin_session(b"s" * 32, token=b"d" * 32, now=NOW, expires_at=NOW + timedelta(days=1))
    claim = store.replies.claim(caller="ci", key="k", request=b"r", now=NOW)
    assert isinstance(claim, Claim)
    store.replies.keep(Reply(status=200, media_type="text/plain", body=b"\0ok"), claim)
    store.identify("ada", "ada@shop.example", now=NOW)
    store.erasing.erase("somebody else", now=NOW)
    ran = KeptRun(
        number=1,
        at=NOW,
        experience="reminder",
        visitor="ada",
        trigger="site",
        outcome="ran",
        cpu_ms=3,
        executions=[50],
        calls="[]",
        log="[]",
    )
    store.runs.keep(ran)
    files = Files(texts={"variation.js": "1"})
    made = Change(experience="reminder", version=0, at=NOW, actor="ada", action="", active=None)
    release = Release(
        experience="reminder",
        number=0,
        at=NOW,
        actor="ada",
        note="",
        digest=files.digest,
        size=1,
        files=files.texts,
    )
    store.releases.put(release, made=made, share=None, expected=0)
    store.usage.take("shop", "event", day=1, share=5, quota=100)
    sealed = Sealed(integration="email", version=0, changed_at=NOW, text="sealed")
    store.integration_settings.put(sealed, action="settings", before={}, after={})
    store.alerts.take("ops", now=NOW, until=NOW)
    store.exposures.note(Exposure(experience="reminder", visitor="ada", variation="101", at=NOW))
    store.schedules.put(replace(daily, name="weekly"), replacing=None)
    store.schedules.remove("weekly", now=NOW)
    a_day = timedelta(days=1)
    store.pruning.step("events", before=NOW - a_day, now=NOW, limit=1, pause=a_day, rest=a_day)
    store.jobs.begin(Job(id="job_1", verb="cancel", filter=Filter(), reason=None, matching=1, begun_at=NOW))
    store.events.record(VisitorEvent(visitor="ada", type="seen", data="{}", at=NOW, received_at=NOW))
    store.events.keep_state("ada", {"tier": "gold"}, now=NOW)
    store.feed.arrange()
    store.close()
    return path


def test_every_table_comes_along_as_it_was(path: str, address: str) -> None:
    copied = copying.copy_store(path, address)

    assert all(each.rows > 0 for each in copied), copied
    old, new = open_sqlite(path), open_postgres(address)
    assert new.find(Filter(), limit=100) == old.find(Filter(), limit=100)
    for number in (1, 2, 3, 50):
        assert new.history(number) == old.history(number)
        assert new.attempts(number) == old.attempts(number)
    assert new.integration_states.all() == old.integration_states.all()
    assert new.schedules.schedules() == old.schedules.schedules()
    assert new.schedules.runs("daily", limit=5) == old.schedules.runs("daily", limit=5)
    assert new.tokens.session(b"s" * 32, now=NOW) == old.tokens.session(b"s" * 32, now=NOW)
    assert new.events.of("ada", limit=5) == old.events.of("ada", limit=5)
    assert new.runs.run(1) == old.runs.run(1)
    assert new.releases.release("reminder", 1) == old.releases.release("reminder", 1)
    assert new.releases.live() == old.releases.live()
    assert new.jobs.job("job_1") == old.jobs.job("job_1")
    assert new.exposures.of("ada") == old.exposures.of("ada") != []
    assert new.feed.after(0, limit=10) == old.feed.after(0, limit=10)
    assert new.feed.position("crm") == old.feed.position("crm") == 0
    assert new.schedules.removed(now=NOW) == old.schedules.removed(now=NOW) != []
    old.close()
    new.close()


def test_no_table_is_forgotten(path: str, address: str) -> None:
    database = address.rpartition("/")[2]
    tables = shared().execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'", database)
    ours = {name for (name,) in tables if not name.startswith("procrastinate_")}
    source = open_database(path)
    copied = copying.tables(source)
    source.close()

    assert ours - {"workers", "experience_migrations", "commit_marks"} == {table.name for table in copied}
    columns = shared().execute(
        "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'",
        database,
    )
    for table in copied:
        assert {column for name, column in columns if name == table.name} == set(table.columns)


def test_what_is_added_after_a_copy_takes_the_next_numbers(path: str, address: str) -> None:
    copying.copy_store(path, address)
    store = open_postgres(address)

    assert store.convert("visitor 4", event="bought", now=NOW) == []
    store.events.record(VisitorEvent(visitor="ada", type="left", data="{}", at=NOW, received_at=NOW))

    assert [event.type for event in store.events.of("ada", limit=5)] == ["left", "seen"]
    store.close()


def test_a_copy_that_was_interrupted_goes_on(
    path: str, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copying, "BATCH", 10)
    reports = itertools.count()

    def interrupt(_: str, __: int) -> None:
        if next(reports) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        copying.copy_store(path, address, progress=interrupt)
    store = open_postgres(address)
    there = store.count(Filter())
    firsts: dict[str, int] = {}

    def note(table: str, count: int) -> None:
        firsts.setdefault(table, count)

    copied = copying.copy_store(path, address, progress=note)

    assert 0 < there < store.count(Filter())
    assert firsts["executions"] == there
    assert copied[0].rows == store.count(Filter())
    store.close()


def test_a_database_with_other_rows_is_refused_and_left_as_it_was(path: str, address: str) -> None:
    store = open_postgres(address)
    store.add(replace(an_execution(7), payload='"of another"'), IfExists.REPLACE)

    with pytest.raises(Conflict, match="executions"):
        copying.copy_store(path, address)

    assert [each.number for each in store.find(Filter()).executions] == [7]
    store.close()


def test_a_table_that_differs_later_is_found_before_anything_is_written(path: str, address: str) -> None:
    store = open_postgres(address)
    store.events.record(VisitorEvent(visitor="eve", type="seen", data="{}", at=NOW, received_at=NOW))

    with pytest.raises(Conflict, match="events"):
        copying.copy_store(path, address)

    assert store.count(Filter()) == 0
    store.close()


def test_the_command_copies_and_says_what(path: str, address: str, capsys: Any) -> None:
    main(["migrate", "--from", f"sqlite:///{path}", "--database", address, "--json"], standalone_mode=False)

    document = json.loads(capsys.readouterr().out)
    assert {"table": "executions", "rows": 40}.items() <= document["copied"][0].items()
    assert "experience@" not in document["database"]


def test_the_command_refuses_a_file_a_worker_delivers_from(path: str, address: str, capsys: Any) -> None:
    lock = FileLock(path)
    assert lock.try_take()

    with pytest.raises(SystemExit):
        main(["migrate", "--from", f"sqlite:///{path}", "--database", address], standalone_mode=False)

    assert "stop it first" in capsys.readouterr().err
    lock.release()
