"""Which commands upgrade a SQLite file of an older version, what they leave beside it, what others say."""

from contextlib import closing
from importlib import resources
from pathlib import Path

import apsw
import pytest
from experience_runtime.domain.executions import Filter
from experience_runtime.store.opening import open_sqlite

from tests.support.executions import NOW

from .conftest import CommandLine

MIGRATIONS = sorted(
    (resources.files("experience_runtime.store.sqlite") / "migrations").iterdir(), key=lambda each: each.name
)
NEWEST = len(MIGRATIONS)
OLD = 19


@pytest.fixture
def old() -> Path:
    """A file of an older version with a token in it."""
    path = Path("experience.db")
    with closing(apsw.Connection(str(path))) as connection:
        for migration in MIGRATIONS[:OLD]:
            connection.execute(migration.read_text("utf-8"))
        connection.execute(f"PRAGMA user_version = {OLD}")
        connection.execute(
            "INSERT INTO tokens (digest, name, scopes, origins, created_at, note) "
            "VALUES (x'00', 'kept', '[\"viewer\"]', '[]', 0, '')"
        )
    return path


def version_of(path: Path) -> int:
    with closing(apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)) as connection:
        return int(connection.execute("PRAGMA user_version").get)


def test_no_command_upgrades_a_file_but_migrate_serve_and_worker(cli: CommandLine, old: Path) -> None:
    for words in (
        ("executions", "list"),
        ("executions", "cancel", "--all", "--yes"),
        ("tokens", "create", "ops", "--scope", "operator"),
        ("schedules", "list"),
        ("audit", "list"),
        ("why", "v1"),
        ("convert", "v1"),
        ("hold", "all"),
        ("purge", "--older-than", "90d", "--yes"),
    ):
        refusal = cli(*words, "--json").refusal
        assert refusal["code"] == "invalid_parameter", words
        assert (
            f"has schema {OLD}, and this program works with {NEWEST}; run `experience migrate`"
            in refusal["message"]
        )
    doctor = cli("doctor")
    backup = cli("backup", "copy.db")

    assert (doctor.code, "experience migrate" in doctor.out) == (1, True)
    assert backup.code == 0
    assert [version_of(each) for each in (old, Path("copy.db"))] == [OLD, OLD]

    for verb in (("worker", "--until-idle"), ("migrate",)):
        done = cli(*verb)
        assert done.code == 0, done
        assert ("is a copy of it as it was" in done.err) is (verb[0] == "worker")  # then it is upgraded

    assert version_of(old) == NEWEST
    assert [each["name"] for each in cli.json("tokens", "list")["tokens"]] == ["kept"]
    beside = Path(f"experience.db.schema-{OLD}")
    assert version_of(beside) == OLD
    assert sorted(Path().glob("experience.db.schema-*")) == [beside]
    assert beside.stat().st_mode & 0o077 == 0


def test_a_backup_of_an_older_version_is_restored_upgraded_and_held(cli: CommandLine, old: Path) -> None:
    old.rename("old.db")

    restored = cli("restore", "old.db")

    assert restored.code == 0, restored
    assert version_of(Path("experience.db")) == NEWEST
    assert version_of(Path("old.db")) == OLD
    assert (
        sorted(each.name for each in Path().iterdir() if "schema" in each.name or "restoring" in each.name)
        == []
    )
    store = open_sqlite("experience.db")
    assert store.find(Filter()).executions == []
    assert store.integration_states.of("*").pause_reason == "restored from old.db"
    assert store.next_wake(now=NOW) is None
    store.close()


def test_where_the_copy_cannot_be_made_nothing_is_upgraded(
    cli: CommandLine, old: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise apsw.FullError("database or disk is full")

    monkeypatch.setattr("experience_runtime.store.sqlite.file.copy_checked", full)

    refused = cli("migrate", "--json")

    assert "the disk is full" in refused.refusal["message"]
    assert version_of(old) == OLD
