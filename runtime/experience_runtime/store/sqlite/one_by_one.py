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
        self._is_over = False

    def write(self, act: Callable[[], T]) -> T:
        """Run `act` inside a transaction, or a part of the one that is open; what it raises undoes it."""
        with self._turn:
            self._require_open()
            self._connection.execute("SAVEPOINT operation")
            try:
                result = act()
                self._connection.execute("RELEASE operation")
            except BaseException:
                if self._connection.in_transaction:  # a full memory has undone everything
                    self._connection.execute("ROLLBACK TO operation; RELEASE operation")
                raise
            return result

    def read(self, act: Callable[[], T]) -> T:
        """Run `act` outside any operation."""
        with self._turn:
            self._require_open()
            return act()

    def end(self, act: Callable[[], None]) -> None:
        """Run `act`, and nothing after it: the connection may be another's by then."""
        with self._turn:
            if not self._is_over:
                self._is_over = True
                act()

    def _require_open(self) -> None:
        if self._is_over:
            raise apsw.ConnectionClosedError("the database in memory was closed")
