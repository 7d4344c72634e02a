"""Private files: a database and what lies beside it are their owner's alone, and no link is followed."""

import os
import stat
from pathlib import Path

import pytest
from experience_runtime.domain.errors import InvalidParameter
from experience_runtime.store.opening import open_sqlite
from experience_runtime.store.sqlite.lock import FileLock
from experience_runtime.store.sqlite.private import too_open
from experience_runtime.store.sqlite.recovery import back_up


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture(autouse=True)
def everybody_may() -> object:
    """A umask that takes nothing away: what is private is made so."""
    before = os.umask(0)
    yield
    os.umask(before)


def test_everything_beside_a_database_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "experience.db"
    store = open_sqlite(str(path))
    lock = FileLock(str(path))
    assert lock.try_take()
    store.events.conversions("ada", limit=1)
    back_up(str(path), str(tmp_path / "kept.db"), lambda _: None)

    found = {each.name: mode(each) for each in tmp_path.iterdir()}
    lock.release()
    store.close()

    assert {"experience.db", "experience.db-wal", "experience.db.lock", "kept.db"} <= found.keys()
    assert set(found.values()) == {0o600}


@pytest.mark.parametrize("beside", ["-wal", "-shm", "-journal", ".lock"])
def test_a_link_beside_a_database_is_refused_and_what_it_leads_to_stays(tmp_path: Path, beside: str) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    path = tmp_path / "experience.db"
    Path(f"{path}{beside}").symlink_to(victim)

    with pytest.raises(InvalidParameter, match="is a link"):
        open_sqlite(str(path))

    assert victim.read_text() == "precious"
    assert not path.exists()


def test_a_lock_that_is_a_link_is_not_taken(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    lock = FileLock(str(tmp_path / "experience.db"))
    lock.path.symlink_to(victim)

    with pytest.raises(InvalidParameter, match="is a link"):
        lock.try_take()

    assert victim.read_text() == "precious"
    assert not lock.is_held()


def test_a_lock_of_a_version_before_is_made_private(tmp_path: Path) -> None:
    lock = FileLock(str(tmp_path / "experience.db"))
    lock.path.write_text("1\n")
    lock.path.chmod(0o644)

    assert lock.try_take()
    lock.release()

    assert mode(lock.path) == 0o600


def test_a_process_that_is_gone_is_not_named(tmp_path: Path) -> None:
    lock = FileLock(str(tmp_path / "experience.db"))
    assert lock.try_take()
    assert lock.holder() == os.getpid()

    lock.release()
    lock.path.write_text(f"{2**22 + 1}\n")  # beyond the largest number that Linux gives
    assert lock.holder() is None


def test_what_is_too_open_is_said_with_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "experience.db"
    open_sqlite(str(path)).close()
    tmp_path.chmod(0o755)
    assert list(too_open(str(path))) == []

    path.chmod(0o640)
    Path(f"{path}-wal").symlink_to(tmp_path / "elsewhere")
    tmp_path.chmod(0o777)

    readable, link, folder = too_open(str(path))
    assert readable == f"{path} is open to others (0640); chmod 600 {path}"
    assert "is a link; remove it" in link
    assert folder == f"everybody may put files into {tmp_path}; chmod o-w {tmp_path}"
