"""The tables of a version: made, upgraded while workers of the version before go on, refused when too new."""

from dataclasses import replace
from datetime import timedelta

import pytest
from experience_runtime import __version__
from experience_runtime.domain.errors import Conflict, InternalError, InvalidParameter
from experience_runtime.domain.executions import Status
from experience_runtime.domain.traffic import Exposure, Tally
from experience_runtime.domain.workers import WorkerInfo
from experience_runtime.store.opening import open_postgres
from experience_runtime.store.postgres.connecting import shown_address
from experience_runtime.store.postgres.database import PostgresDatabase
from experience_runtime.store.postgres.migrating import (
    Migration,
    check_schema,
    known_migrations,
    migrate,
)
from experience_runtime.store.sql import SqlStore

from tests.support.executions import NOW, SUCCEEDED, add, an_execution, running, settle
from tests.support.postgres import shared

ADDS = Migration("0900_more_pre", "ALTER TABLE executions ADD COLUMN more text")
TAKES = Migration("0900_more_post", "ALTER TABLE executions DROP COLUMN reason")


@pytest.fixture
def empty() -> str:
    return shared().empty_database()


def a_worker(version: str) -> WorkerInfo:
    return WorkerInfo(
        id=version,
        host="here",
        pid=1,
        version=version,
        concurrency=1,
        integrations=None,
        started_at=NOW,
        beat_at=NOW,
    )


def test_an_empty_database_is_asked_to_be_migrated_first(empty: str) -> None:
    with pytest.raises(InvalidParameter, match="experience migrate"):
        open_postgres(empty)


def test_migrating_makes_everything_once(empty: str) -> None:
    first = migrate(empty, now=NOW, version=__version__)
    second = migrate(empty, now=NOW, version=__version__)

    assert set(first.applied) == {each.name for each in known_migrations()}
    assert second.applied == []
    check_schema(empty)


LATER = (
    *("served", "milestones", "persons", "claims", "tokens", "jobs_pre", "questions", "erasures"),
    *("audit", "jobs_that_move"),  # and who asked for a job
    "counted",  # of what persons did
)
"""What a worker needs nothing of."""


def test_a_worker_of_the_version_before_goes_on_over_what_was_added(empty: str) -> None:
    """The schema as it was before the tables of what is served, and a worker that knows no more."""
    old = [each for each in known_migrations() if not any(word in each.name for word in LATER)]
    migrate(empty, now=NOW, version="0.0.1", migrations=old)
    worker = SqlStore(PostgresDatabase(empty))
    running(worker, an_execution(1))

    migrated = migrate(empty, now=NOW, version=__version__)
    check_schema(empty, old)
    settle(worker, 1, 1, SUCCEEDED, now=NOW)
    running(worker, an_execution(2))

    assert "0002_served_pre" in migrated.applied
    assert worker.execution(1).status is Status.SUCCEEDED
    check_schema(empty)
    worker.close()


def test_what_the_version_before_needs_stays_until_its_workers_are_gone(address: str) -> None:
    store = open_postgres(address)
    store.workers.beat(a_worker("0.0.1"))
    newer = [*known_migrations(), ADDS, TAKES]

    during = migrate(address, now=NOW, version=__version__, migrations=newer)
    running(store, an_execution(1))
    after = migrate(address, now=NOW + timedelta(minutes=2), version=__version__, migrations=newer)

    assert (during.applied, during.left) == ([ADDS.name], [TAKES.name])
    assert (after.applied, after.left) == ([TAKES.name], [])
    with pytest.raises(InvalidParameter, match="newer version"):
        open_postgres(address)
    store.close()


def test_a_program_that_is_too_new_says_what_to_run(address: str) -> None:
    with pytest.raises(InvalidParameter, match=r"0900_more_pre is missing.*experience migrate"):
        check_schema(address, [*known_migrations(), ADDS])


def test_a_migration_that_fails_leaves_nothing_behind(address: str) -> None:
    broken = Migration("0900_broken_pre", "CREATE TABLE half (n integer); SELECT nonsense")

    with pytest.raises(InternalError):
        migrate(address, now=NOW, version=__version__, migrations=[*known_migrations(), broken])

    found = shared().execute("SELECT to_regclass('half')", address.rpartition("/")[2])
    assert found == [(None,)]


def test_the_tables_of_another_program_are_left_alone(empty: str) -> None:
    shared().execute("CREATE TABLE executions (n integer)", empty.rpartition("/")[2])

    with pytest.raises(Conflict, match="another program"):
        migrate(empty, now=NOW, version=__version__)


def test_a_database_of_another_encoding_is_refused() -> None:
    shared().execute("CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'")

    with pytest.raises(InvalidParameter, match="LATIN1"):
        migrate(shared().address("latin"), now=NOW, version=__version__)


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://ada:s3cret-pw@127.0.0.1:1/none",
        "postgresql://127.0.0.1:1/none?user=ada&password=s3cret-pw",
        "postgresql://ada:s3cret-pw@127.0.0.1:port/none",
        "postgresql://ada:s3cret-pw@127.0.0.1:1/none?nonsense=1",
    ],
)
def test_a_server_that_is_not_there_is_named_without_its_password(address: str) -> None:
    with pytest.raises((InternalError, InvalidParameter)) as refusal:
        open_postgres(address)

    assert "s3cret-pw" not in str(refusal.value)
    assert "s3cret-pw" not in shown_address(address)
    assert "postgresql://" in str(refusal.value)


def test_what_visitors_did_before_executions_were_counted_is_counted_when_it_is_migrated(
    address: str,
) -> None:
    undo = """
        DROP FUNCTION count_new_exposure, count_executions, count_conversion, count_person CASCADE;
        DROP FUNCTION count_exposures; DROP VIEW counted_exposures; DROP FUNCTION ids_of_person;
        ALTER TABLE exposures DROP COLUMN executions, DROP COLUMN converted;
        DELETE FROM experience_migrations WHERE name LIKE '%counted%'
    """
    shared().execute(undo, address.rpartition("/")[2])
    store = SqlStore(PostgresDatabase(address))
    add(store, replace(an_execution(1), experience="offer", visitor="ada"))
    store.convert("phone", event="bought", now=NOW)
    store.exposures.note(Exposure(experience="offer", visitor="phone", variation="101", at=NOW))
    store.identify("phone", "ada", now=NOW)

    migrate(address, now=NOW, version=__version__)

    assert store.exposures.tally("offer") == [Tally(variation="101", visitors=1, executions=1, converted=1)]
    store.close()
