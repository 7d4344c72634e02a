"""experience backup: a whole copy of one instant, of a file that is in use."""

import threading
from pathlib import Path

import pytest
from experience_runtime.cli import main
from experience_runtime.domain.executions import Filter, IfExists
from experience_runtime.store.opening import open_sqlite

from tests.support.executions import add, an_execution


def test_a_backup_is_a_store_of_its_own(tmp_path: Path) -> None:
    store = open_sqlite(str(tmp_path / "experience.db"))
    add(store, an_execution(1), an_execution(2))

    _back_up(tmp_path, "copy.db")
    add(store, an_execution(3))

    copy = open_sqlite(str(tmp_path / "copy.db"))
    assert [each.number for each in copy.find(Filter()).executions] == [2, 1]
    copy.close()
    store.close()


def test_a_backup_is_of_one_instant_while_others_write(tmp_path: Path) -> None:
    store, stop = open_sqlite(str(tmp_path / "experience.db")), threading.Event()

    def write() -> None:
        number = 1
        while not stop.is_set():
            store.add(an_execution(number), IfExists.REPLACE)
            number += 1

    thread = threading.Thread(target=write)
    thread.start()
    for copy in range(3):
        _back_up(tmp_path, f"copy{copy}.db")
    stop.set()
    thread.join()

    for copy in range(3):
        copied = open_sqlite(str(tmp_path / f"copy{copy}.db"))
        numbers = [each.number for each in copied.find(Filter(), limit=1_000_000).executions]
        assert numbers == list(range(len(numbers), 0, -1))
        copied.close()
    store.close()


def test_a_file_that_is_there_is_not_written_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    open_sqlite(str(tmp_path / "experience.db")).close()
    (tmp_path / "copy.db").write_text("mine")

    with pytest.raises(SystemExit) as ended:
        _back_up(tmp_path, "copy.db")

    assert ended.value.code == 2
    assert "is there already" in capsys.readouterr().err
    assert (tmp_path / "copy.db").read_text() == "mine"


def _back_up(folder: Path, name: str) -> None:
    database = f"sqlite:///{folder / 'experience.db'}"
    main(["backup", str(folder / name), "--database", database], standalone_mode=False)
