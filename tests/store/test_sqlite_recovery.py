"""A SQLite file that is copied, damaged, put back, deleted under a process, or cannot be written."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from experience_runtime.domain.errors import Conflict, InternalError, InvalidParameter
from experience_runtime.domain.executions import Filter, IfExists
from experience_runtime.store.opening import open_sqlite
from experience_runtime.store.sqlite.lock import FileLock
from experience_runtime.store.sqlite.recovery import back_up, check_whole, restore

from tests.support.executions import add_together, an_execution
from tests.support.needs import lacking


def nothing(_: int) -> None:
    """Hear how far it is."""


def numbers(path: str) -> list[int]:
    store = open_sqlite(path)
    found = [each.number for each in store.find(Filter(), limit=10_000).executions]
    store.close()
    return sorted(found)


def damage(path: str) -> None:
    """Overwrite the middle of the file, as a disk or a careless copy may."""
    with open(path, "r+b") as file:
        file.seek(os.path.getsize(path) // 2)
        file.write(b"\xff" * 8192)


@pytest.fixture
def path(tmp_path: Path) -> str:
    """A file with 500 executions."""
    path = str(tmp_path / "experience.db")
    store = open_sqlite(path)
    add_together(store, [an_execution(number) for number in range(1, 501)])
    store.close()
    return path


@pytest.fixture
def backup(path: str, tmp_path: Path) -> str:
    to = str(tmp_path / "backup.db")
    back_up(path, to, nothing)
    return to


def crashed(path: str, folder: Path) -> str:
    """What a crash leaves of a file that is being written to: a log beside it that holds the newest rows."""
    store = open_sqlite(path)
    add_together(store, [an_execution(number) for number in range(501, 601)])
    folder.mkdir()
    for name in Path(path).parent.glob(f"{Path(path).name}*"):
        shutil.copy(name, folder)
    store.close()
    left = folder / Path(path).name
    assert left.with_name(f"{left.name}-wal").stat().st_size > 0
    return str(left)


# --- restore


def test_a_backup_is_put_in_the_place_of_a_crashed_file_and_its_log(
    path: str, backup: str, tmp_path: Path
) -> None:
    left = crashed(path, tmp_path / "crashed")

    restored = restore(backup, left, nothing)

    assert numbers(left) == list(range(1, 501))
    check_whole(left)
    assert restored.moved_to is not None
    assert numbers(restored.moved_to) == list(range(1, 601))  # what was there is whole, with its log


def test_a_backup_is_restored_where_there_is_nothing(
    backup: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    to = str(tmp_path / "new.db")
    monkeypatch.chdir("/proc")  # another file system, on which nothing can be written

    assert restore(backup, to, nothing).moved_to is None

    assert numbers(to) == list(range(1, 501))


@pytest.mark.parametrize("fault", ["damaged", "no database", "missing", "itself"])
def test_a_backup_that_is_none_changes_nothing(path: str, backup: str, fault: str) -> None:
    match fault:
        case "damaged":
            damage(backup)
        case "no database":
            Path(backup).write_text("hello, this is no database" * 100)
        case "missing":
            os.unlink(backup)
        case "itself":
            backup = path

    before = {each.name for each in Path(path).parent.iterdir()}

    with pytest.raises(InvalidParameter, match=os.path.basename(backup)):
        restore(backup, path, nothing)

    assert numbers(path) == list(range(1, 501))
    assert {each.name for each in Path(path).parent.iterdir()} - {"experience.db.lock"} == before


def test_a_file_that_a_worker_delivers_from_is_not_replaced(path: str, backup: str) -> None:
    lock = FileLock(path)
    assert lock.try_take()

    with pytest.raises(Conflict, match=f"process {os.getpid()}"):
        restore(backup, path, nothing)

    lock.release()


# --- damage


def test_a_damaged_file_is_named_and_not_copied(path: str, tmp_path: Path) -> None:
    damage(path)

    with pytest.raises(InvalidParameter, match=r"is damaged.*experience restore"):
        check_whole(path)
    with pytest.raises(InvalidParameter, match="is damaged"):
        back_up(path, str(tmp_path / "copy.db"), nothing)

    assert [name for name in os.listdir(tmp_path) if name.startswith("copy")] == []


@pytest.mark.parametrize("fate", ["deleted", "replaced"])
def test_a_file_that_goes_away_under_a_process_is_noticed_at_once(path: str, backup: str, fate: str) -> None:
    store = open_sqlite(path)
    if fate == "deleted":
        os.unlink(path)
    else:
        restore(backup, path, nothing)

    with pytest.raises(InternalError, match="deleted or replaced"):
        store.add(an_execution(1000), IfExists.REPLACE)
    with pytest.raises(InternalError, match="deleted or replaced"):
        store.execution(1)
    with pytest.raises(InternalError, match="deleted or replaced"):
        store.find(Filter())
    store.close()


def test_a_file_is_opened_by_none_of_two_names(path: str, tmp_path: Path) -> None:
    other = str(tmp_path / "other.db")
    os.link(path, other)

    for name in (path, other):
        with pytest.raises(InvalidParameter, match="2 names"):
            open_sqlite(name)

    os.unlink(other)
    assert numbers(path)[-1] == 500


# --- a file system that cannot be written

LOOKS = """
import sys
from experience_runtime.domain.errors import InvalidParameter
from experience_runtime.domain.executions import Filter, IfExists
from experience_runtime.store.opening import open_sqlite
from experience_runtime.store.sqlite.recovery import back_up
from tests.support.executions import an_execution

path, to = sys.argv[1:]
store = open_sqlite(path, to_look=True)
print(store.count(Filter()))
try:
    store.add(an_execution(1000), IfExists.REPLACE)
except InvalidParameter as error:
    print("cannot be written" in str(error))
store.close()
back_up(path, to, lambda _: None)
"""


def test_a_file_on_a_file_system_that_cannot_be_written_is_listed_and_copied(
    path: str, tmp_path: Path
) -> None:
    folder, copies = tmp_path / "mounted", tmp_path / "copies"
    folder.mkdir()
    copies.mkdir()
    shutil.copy(path, folder / "experience.db")
    script = f'mount --bind {folder} {folder} && mount -o remount,ro,bind {folder} && exec "$@"'
    if os.geteuid() != 0 or subprocess.run(["unshare", "-m", "true"], check=False).returncode != 0:
        lacking("a file system cannot be mounted here (as root)")
    copy = str(copies / "copy.db")

    done = subprocess.run(
        [
            "unshare",
            "-m",
            "sh",
            "-c",
            script,
            "sh",
            sys.executable,
            "-c",
            LOOKS,
            str(folder / "experience.db"),
            copy,
        ],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.stdout.split() == ["500", "True"], done.stderr
    assert numbers(copy) == list(range(1, 501))
