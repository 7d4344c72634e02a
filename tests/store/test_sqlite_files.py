"""What only the SQLite store promises: files that last, errors that name them, and room on disk."""

import fcntl
import hashlib
import inspect
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import apsw
import pytest
from experience_runtime.domain.errors import InternalError, InvalidParameter
from experience_runtime.domain.executions import Execution, Filter, IfExists, Status
from experience_runtime.domain.keys import canonical_key, key_digest
from experience_runtime.engine.stores import Adding
from experience_runtime.store.opening import SqliteStore, open_sqlite
from experience_runtime.store.sqlite.failing import failure
from experience_runtime.store.sqlite.file import open_database
from experience_runtime.store.sqlite.lock import FileLock

from tests.support.executions import (
    NOW,
    an_execution,
)

RUNTIME = Path(__file__).parents[2] / "runtime"


# --- files


def test_what_was_added_is_there_after_the_store_is_opened_again(tmp_path: Path) -> None:
    path = str(tmp_path / "experience.db")
    store = open_sqlite(path)
    store.add(an_execution(), IfExists.REPLACE)
    store.close()

    assert open_sqlite(path).execution(1) == an_execution()


def test_a_file_is_synced_in_full() -> None:
    connection = open_database(":memory:")

    assert connection.execute("PRAGMA synchronous").get == 2


def test_a_file_on_disk_has_a_write_ahead_log(tmp_path: Path) -> None:
    connection = open_database(str(tmp_path / "experience.db"))

    assert connection.execute("PRAGMA journal_mode").get == "wal"


def test_what_is_acknowledged_survives_kill_9(tmp_path: Path) -> None:
    path = tmp_path / "experience.db"
    # The child adds until it is killed and names each number after it was acknowledged.
    child = _python(
        """
        number = 0
        while True:
            number += 1
            store.add(an_execution(number), IfExists.REPLACE)
            print(number, flush=True)
        """,
        path,
    )
    assert child.stdout is not None
    with child:
        said = [child.stdout.readline() for _ in range(50)]
        child.kill()
        said += child.stdout.read().splitlines()
    acknowledged = [int(line) for line in said if line.strip().isdigit()]

    kept = {e.number for e in open_sqlite(str(path)).find(Filter(), limit=100_000).executions}

    assert len(acknowledged) >= 50
    assert kept >= set(acknowledged[:-1])  # the last line may have been cut in the middle of its digits
    assert len(kept) <= len(acknowledged) + 1


def test_two_processes_write_to_one_file(tmp_path: Path) -> None:
    path = tmp_path / "experience.db"
    children = [
        _python(f"for n in range({first}, 400, 2): store.add(an_execution(n), IfExists.REPLACE)", path)
        for first in (0, 1)
    ]

    for child in children:
        child.communicate(timeout=60)
    assert [child.returncode for child in children] == [0, 0]

    assert len(open_sqlite(str(path)).find(Filter(), limit=1000).executions) == 400


def _python(body: str, path: Path) -> "subprocess.Popen[str]":
    source = "\n".join(
        (
            f"import sys; sys.path.insert(0, {str(RUNTIME)!r})",
            "from datetime import UTC, datetime",
            "from experience_runtime.domain.executions import Execution, IfExists",
            "from experience_runtime.store.opening import SqliteStore, open_sqlite",
            "NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)",
            inspect.getsource(an_execution),
            f"store = open_sqlite({str(path)!r})",
            textwrap.dedent(body),
        )
    )
    return subprocess.Popen([sys.executable, "-c", source], stdout=subprocess.PIPE, text=True)


@pytest.mark.parametrize("name", ["missing/experience.db", "."])
def test_a_file_that_cannot_be_opened_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidParameter, match=r"cannot be opened.*--database") as refusal:
        open_sqlite(str(tmp_path / name))

    assert str(tmp_path) in refusal.value.message


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("these are not the tables you are looking for\n" * 100)

    with pytest.raises(InvalidParameter, match="not a SQLite database"):
        open_sqlite(str(path))

    assert path.read_text().startswith("these are not")


def test_another_program_s_database_is_left_alone(tmp_path: Path) -> None:
    path = str(tmp_path / "other.db")
    apsw.Connection(path).execute("CREATE TABLE songs (title)")

    with pytest.raises(InvalidParameter, match="another program"):
        open_sqlite(path)

    assert apsw.Connection(path).execute("SELECT group_concat(name) FROM sqlite_schema").get == "songs"


def test_a_database_from_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    path = str(tmp_path / "experience.db")
    open_database(path).execute("PRAGMA user_version = 99")

    with pytest.raises(InvalidParameter, match="newer version"):
        open_sqlite(path)


def test_a_full_disk_refuses_and_loses_nothing(tmp_path: Path) -> None:
    store = open_sqlite(str(tmp_path / "experience.db"))
    store.add(an_execution(1), IfExists.REPLACE)
    pages = store.database.connection.execute("PRAGMA page_count").get
    store.database.connection.execute(f"PRAGMA max_page_count = {pages}")

    with pytest.raises(InternalError, match="disk is full"):
        store.add(replace(an_execution(2), payload='"' + "x" * 200_000 + '"'), IfExists.REPLACE)
    store.database.connection.execute("PRAGMA max_page_count = 1000000")
    store.add(an_execution(3), IfExists.REPLACE)

    assert [e.number for e in store.find(Filter()).executions] == [3, 1]


def test_a_closed_store_says_so() -> None:
    store = open_sqlite(":memory:")
    store.close()

    with pytest.raises(InternalError, match="closed"):
        store.next_wake(now=NOW)
    with pytest.raises(InternalError, match="closed"):
        store.add(an_execution(), IfExists.REPLACE)


@pytest.mark.parametrize(
    ("error", "hint"),
    [
        (apsw.FullError(), "free some space"),
        (apsw.BusyError(), "another process"),
        (apsw.IOError(), "system's log"),
        (apsw.CorruptError(), "restore a backup"),
        (apsw.ConstraintError(), "defect of ours"),
    ],
)
def test_a_storage_error_says_what_to_do(error: apsw.Error, hint: str) -> None:
    assert hint in failure("experience.db", error).message


# --- the lock beside the file


@pytest.mark.parametrize(
    "look",
    [
        lambda store: store.find(Filter(text="nowhere")),
        lambda store: store.count(Filter()),
        lambda store: store.overview(now=NOW, failed_since=NOW, next_limit=1),
    ],
)
def test_who_looks_through_everything_and_who_delivers_do_not_wait_for_each_other(
    tmp_path: Path, look: Callable[[SqliteStore], object]
) -> None:
    store = open_sqlite(str(tmp_path / "experience.db"))
    delivering, looked = threading.Event(), threading.Event()

    def deliver() -> bool:
        delivering.set()
        return looked.wait(60)

    with ThreadPoolExecutor(1) as thread:
        delivered = thread.submit(store.database.read, deliver)
        assert delivering.wait(60)
        look(store)
        looked.set()

        assert delivered.result()
    store.close()


def test_the_lock_admits_one_holder_and_names_it(tmp_path: Path) -> None:
    first, second = (FileLock(str(tmp_path / "experience.db")) for _ in range(2))
    assert first.holder() is None

    assert first.try_take()
    assert first.try_take()
    assert not second.try_take()
    assert second.holder() is not None
    first.release()
    assert second.try_take()


def test_who_asks_whether_the_lock_is_held_is_no_holder(tmp_path: Path) -> None:
    held, asking = (FileLock(str(tmp_path / "experience.db")) for _ in range(2))
    assert not asking.is_held()

    assert held.try_take()
    assert asking.is_held()
    assert held.is_held()

    held.release()
    with held.path.open("rb") as other:  # somebody else who asks at this very moment
        fcntl.flock(other, fcntl.LOCK_SH)
        assert not asking.is_held()


def test_a_link_to_the_file_is_under_the_same_lock(tmp_path: Path) -> None:
    (tmp_path / "link.db").symlink_to(tmp_path / "experience.db")
    first, second = FileLock(str(tmp_path / "experience.db")), FileLock(str(tmp_path / "link.db"))

    assert first.try_take()

    assert not second.try_take()


# --- room


def test_a_pending_row_takes_at_most_480_bytes_with_its_indexes(tmp_path: Path) -> None:
    path = tmp_path / "experience.db"
    store = open_sqlite(str(path))
    count = 20_000

    many = [Adding(execution=_typical(i), if_exists=IfExists.REPLACE) for i in range(count)]

    store.carry_out(many)  # one transaction: the room does not depend on how many there were
    store.close()  # the last connection checkpoints

    assert path.stat().st_size / count <= 480


def _typical(i: int) -> Execution:
    key = canonical_key({"email": f"ada.{i:06d}@example.com"})
    visitor = hashlib.blake2b(str(i).encode(), digest_size=8).hexdigest()
    return replace(
        an_execution(((int(NOW.timestamp()) * 1000 + i) << 21) + 5),
        payload='{"message":"' + "x" * 46 + '"}',
        due_at=NOW + timedelta(minutes=i * 7919 % 40_000),
        zone="America/New_York",
        zone_from="window",
        visitor=visitor,
        key=key,
        key_digest=key_digest("slack-update", key),
        key_owner=visitor,
        asked='delay "2 hours"',
        window="monday-friday 09:00-17:00",
        status=Status.PENDING,
    )
