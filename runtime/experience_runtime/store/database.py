"""The database of a SQLite store: statements by name, reads, and writes that commit in groups."""

import threading
from collections.abc import Callable
from typing import Any, TypeVar

import apsw

from experience_runtime.store.group_commit import GroupCommit
from experience_runtime.store.rows import Values
from experience_runtime.store.sqlite_file import failure, open_database
from experience_runtime.store.statements import STATEMENTS

T = TypeVar("T")
Rows = Callable[[str, Values], list[tuple[Any, ...]]]
"""Executes a statement of STATEMENTS."""


class Database:
    """One connection that many threads share, and one to look with. `path` is a file's, or ":memory:"."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.connection = open_database(path)
        self._commits = GroupCommit(self.connection)
        # what is in memory only is another database for each connection
        self._looking = None if path == ":memory:" else open_database(path)
        self._one_looks = threading.Lock()

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

    def look(self, act: Callable[[Rows], T]) -> T:
        """Run `act` at one instant, on what executes its statements: it sees only what is on disk.

        What may walk through very many rows belongs here: no delivery waits for it.
        """
        looking = self._looking
        if looking is None:
            return self.read(lambda: act(self.rows))
        try:
            with self._one_looks, looking:  # the connection: one transaction
                found = act(lambda name, bound: looking.execute(STATEMENTS[name], bound).fetchall())
        except apsw.Error as error:
            raise failure(self.path, error) from error
        return found

    def rows(self, statement: str, bound: Values) -> list[tuple[Any, ...]]:
        """Execute a statement of STATEMENTS; only inside `read` or `write`."""
        return self.connection.execute(STATEMENTS[statement], bound).fetchall()

    def changed(self, statement: str, bound: Values) -> int:
        """Execute a statement, and say how many rows it changed."""
        self.rows(statement, bound)
        return self.connection.changes()

    def close(self) -> None:
        if self._looking is not None:
            with self._one_looks:
                self._looking.close()
        self.read(self.connection.close)
