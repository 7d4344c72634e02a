"""What only the SQLite store promises: callers that come together share a commit, and fail alone."""

import threading
from collections.abc import Callable
from pathlib import Path

import apsw
import pytest
from experience_runtime.store.sqlite.file import open_database
from experience_runtime.store.sqlite.group_commit import GroupCommit


def test_callers_that_come_together_share_a_commit() -> None:
    connection = open_database(":memory:")
    commits: list[int] = []

    def count_commit() -> bool:
        commits.append(1)
        return False

    connection.set_commit_hook(count_commit)
    group = GroupCommit(connection)
    leading, go = threading.Event(), threading.Event()

    def first() -> None:
        leading.set()
        go.wait()
        connection.execute("INSERT INTO conversions (at, visitor, event) VALUES (0, 'first', '')")

    threads = [threading.Thread(target=group.write, args=(first,))]
    threads[0].start()
    leading.wait()
    for visitor in range(10):
        threads.append(threading.Thread(target=group.write, args=(_conversion(connection, visitor),)))
        threads[-1].start()
    _until(lambda: len(group._queue) == 10)
    go.set()
    for thread in threads:
        thread.join()

    assert connection.execute("SELECT count(*) FROM conversions").get == 11
    assert len(commits) == 2


def test_an_operation_that_raises_undoes_itself_alone() -> None:
    connection = open_database(":memory:")
    group = GroupCommit(connection)

    def refuse() -> None:
        _conversion(connection, 1)()
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        group.write(refuse)
    group.write(_conversion(connection, 2))

    assert connection.execute("SELECT visitor FROM conversions").get == "2"


def test_a_failed_commit_fails_its_operation_and_stores_nothing() -> None:
    connection = open_database(":memory:")
    group = GroupCommit(connection)
    connection.set_commit_hook(lambda: True)  # SQLite turns this commit into a rollback

    with pytest.raises(apsw.ConstraintError):
        group.write(_conversion(connection, 1))
    connection.set_commit_hook(None)
    group.write(_conversion(connection, 2))

    assert group.read(lambda: connection.execute("SELECT visitor FROM conversions").get) == "2"


def test_ctrl_c_in_the_leader_leaves_the_others_their_operations() -> None:
    connection = open_database(":memory:")
    group = GroupCommit(connection)
    leading, go = threading.Event(), threading.Event()
    interrupted: list[bool] = []

    def slow() -> None:
        leading.set()
        go.wait()

    def interrupt() -> None:
        raise KeyboardInterrupt

    def interrupted_caller() -> None:
        try:
            group.write(interrupt)
        except KeyboardInterrupt:
            interrupted.append(True)

    threads = [threading.Thread(target=group.write, args=(slow,))]
    threads[0].start()
    leading.wait()
    threads.append(threading.Thread(target=interrupted_caller))
    threads[-1].start()
    _until(lambda: len(group._queue) == 1)
    threads.append(threading.Thread(target=group.write, args=(_conversion(connection, 1),)))
    threads[-1].start()
    _until(lambda: len(group._queue) == 2)
    go.set()
    for thread in threads:
        thread.join(10)

    assert interrupted == [True]
    assert connection.execute("SELECT visitor FROM conversions").get == "1"


def test_of_a_group_what_is_refused_leaves_nothing_and_the_others_stay() -> None:
    connection = open_database(":memory:")
    group = GroupCommit(connection)
    leading, go = threading.Event(), threading.Event()
    refused: list[str] = []

    def slow() -> None:
        leading.set()
        go.wait()

    def refuse() -> None:
        _conversion(connection, 2)()
        raise KeyError("mine")

    def refused_caller() -> None:
        try:
            group.write(refuse)
        except KeyError as error:
            refused.append(str(error))

    threads = [threading.Thread(target=group.write, args=(slow,))]
    threads[0].start()
    leading.wait()
    for caller in (_writing(group, connection, 1), refused_caller, _writing(group, connection, 3)):
        threads.append(threading.Thread(target=caller))
        threads[-1].start()
        _until(lambda: len(group._queue) == len(threads) - 1)
    go.set()
    for thread in threads:
        thread.join(60)

    assert refused == ["'mine'"]
    assert connection.execute("SELECT visitor FROM conversions ORDER BY visitor").fetchall() == [
        ("1",),
        ("3",),
    ]


def test_nobody_else_writes_between_what_is_read_and_what_is_written(tmp_path: Path) -> None:
    path = str(tmp_path / "experience.db")
    ours, theirs = open_database(path), open_database(path)
    theirs.set_busy_timeout(0)

    def act() -> None:
        ours.execute("SELECT count(*) FROM conversions").fetchall()
        with pytest.raises(apsw.BusyError):
            _conversion(theirs, 2)()
        _conversion(ours, 1)()

    GroupCommit(ours).write(act)

    assert ours.execute("SELECT visitor FROM conversions").fetchall() == [("1",)]


def _writing(group: GroupCommit, connection: apsw.Connection, visitor: int) -> Callable[[], None]:
    return lambda: group.write(_conversion(connection, visitor))


def _conversion(connection: apsw.Connection, visitor: int) -> Callable[[], None]:
    def act() -> None:
        connection.execute("INSERT INTO conversions (at, visitor, event) VALUES (0, ?, '')", (str(visitor),))

    return act


def _until(true: Callable[[], bool]) -> None:
    waiting = threading.Event()
    for _ in range(10_000):
        if true():
            return
        waiting.wait(0.001)
    raise AssertionError("it never came true")
