"""The database of a SQLite store: statements by name, reads, and writes that commit in groups."""

from collections.abc import Callable
from typing import Any, TypeVar

import apsw

from experience_runtime.store.group_commit import GroupCommit
from experience_runtime.store.rows import Values
from experience_runtime.store.sqlite_file import failure, open_database
from experience_runtime.store.statements import STATEMENTS

T = TypeVar("T")


class Database:
    """One connection that many threads share. `path` names the file, or is ":memory:"."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.connection = open_database(path)
        self._commits = GroupCommit(self.connection)

    def read(self, act: Callable[[], T]) -> T:
        """Run `act` outside any transaction: it sees only what is on disk."""
        try:
            return self._commits.read(act)
        except apsw.Error as error:
            raise failure(self.path, error) from error

    def write(self, act: Callable[[], T]) -> T:
        """Run `act` inside a transaction; return when it is on disk. What it raises undoes it alone."""
        try:
            return self._commits.write(act)
        except apsw.Error as error:
            raise failure(self.path, error) from error

    def rows(self, statement: str, bound: Values) -> list[tuple[Any, ...]]:
        """Execute a statement of STATEMENTS; only inside `read` or `write`."""
        return self.connection.execute(STATEMENTS[statement], bound).fetchall()

    def changed(self, statement: str, bound: Values) -> int:
        """Execute a statement, and say how many rows it changed."""
        self.rows(statement, bound)
        return self.connection.changes()

    def close(self) -> None:
        self.read(self.connection.close)
