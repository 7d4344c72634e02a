"""A large file is used while it is looked at for damage; then nothing more is stored in it."""

from pathlib import Path

import pytest
from experience_runtime.domain.errors import DatabaseUnavailable, InvalidParameter
from experience_runtime.domain.executions import Filter
from experience_runtime.runtime import Runtime
from experience_runtime.runtime.soundness import looked_after
from experience_runtime.settings.load import Settings
from experience_runtime.store.opening import open_sqlite
from experience_runtime.store.sqlite.recovery import check_whole

from tests.support.executions import add_together, an_execution


def filled(path: Path, *, pages: int) -> None:
    """A file with an execution, and after it so many pages that nobody asks for."""
    store = open_sqlite(str(path))
    add_together(store, [an_execution(1)])
    with store.database.connection as connection:
        connection.execute("CREATE TABLE filler (bytes)")
        connection.execute(
            "WITH RECURSIVE g(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM g WHERE n < ?) "
            "INSERT INTO filler SELECT zeroblob(4000) FROM g",
            (pages,),
        )
    store.close()


def test_a_file_that_turns_out_to_be_damaged_stores_nothing_more_and_can_be_read(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "experience.db"
    filled(path, pages=10)
    path.write_bytes(path.read_bytes()[:-8192] + b"\xff" * 8192)

    with Runtime(Settings(database=f"sqlite:///{path}")) as runtime:
        with looked_after(runtime, at_once_bytes=0) as looking:
            assert looking is not None
            looking.join()

            with pytest.raises(DatabaseUnavailable, match=r"is damaged.*experience restore"):
                add_together(runtime.store, [an_execution(2)])
            assert runtime.store.find(Filter(), limit=1).executions
        assert "nothing more is stored in it or delivered from it" in caplog.text

        with pytest.raises(InvalidParameter, match="is damaged"), looked_after(runtime):
            pass  # a small one is not used at all


def test_a_process_that_ends_does_not_wait_until_a_file_is_looked_at(tmp_path: Path) -> None:
    path = tmp_path / "experience.db"
    filled(path, pages=2_000)
    asked: list[None] = []

    def is_over() -> bool:
        asked.append(None)
        return True

    assert not check_whole(str(path), is_over=is_over)
    assert len(asked) == 1
