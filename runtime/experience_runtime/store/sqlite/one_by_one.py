"""One by one: callers of a database in memory. Nothing of it is on a disk, so there is no commit to share."""

import threading
from collections.abc import Callable
from typing import TypeVar

import apsw

T = TypeVar("T")


class OneByOne:
    """`GroupCommit` without the group: each operation runs in its caller's thread, when it is its turn."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        self._turn = threading.Lock()

    def write(self, act: Callable[[], T]) -> T:
        """Run `act` inside a transaction; what it raises undoes it."""
        with self._turn:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                result = act()
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise
            return result

    def read(self, act: Callable[[], T]) -> T:
        """Run `act` outside any transaction."""
        with self._turn:
            return act()
