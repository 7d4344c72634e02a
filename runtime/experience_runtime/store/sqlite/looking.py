"""Looking: connections that only read, so that a long look keeps neither a write nor a short look waiting."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import apsw

MOST = 4
"""How many look at a time; each costs a file's descriptors and a cache."""


class Lookers:
    """Lends connections that `open` makes, the first of them at once and others when all are lent."""

    def __init__(self, open: Callable[[], apsw.Connection]) -> None:
        self._open = open
        self._idle = [open()]
        self._lent = 0
        self._changed = threading.Condition()

    @contextmanager
    def one(self) -> Iterator[apsw.Connection]:
        """A connection at one instant of the file; waits while MOST are lent."""
        with self._changed:
            self._changed.wait_for(lambda: self._idle or self._lent < MOST)
            connection = self._idle.pop() if self._idle else self._open()
            self._lent += 1
        try:
            connection.execute("BEGIN")
            try:
                yield connection
            finally:
                if connection.in_transaction:  # a disk that does not read has ended it
                    connection.execute("ROLLBACK")
        finally:
            with self._changed:
                self._lent -= 1
                self._idle.append(connection)
                self._changed.notify()

    def close(self) -> None:
        """Close them all, once nobody looks any more."""
        with self._changed:
            self._changed.wait_for(lambda: self._lent == 0)
            for connection in self._idle:
                connection.close()
            self._idle = []
