"""Databases in memory, used again: to open one and prepare its statements takes longer than most uses.

Each use is one transaction that is never committed: when it is undone, the database is as empty as a new one.
"""

import threading
from collections import deque

import apsw

from experience_runtime.store.sqlite.file import MEMORY, Upgrade, open_database

_MOST_IDLE = 4

_idle: deque[apsw.Connection] = deque()
_one_at_a_time = threading.Lock()


def borrow() -> apsw.Connection:
    """An empty database in memory, inside a transaction; `give_back` ends its use."""
    with _one_at_a_time:
        connection = _idle.pop() if _idle else None
    if connection is None:
        connection = open_database(MEMORY, upgrade=Upgrade.REFUSED)
    connection.execute("BEGIN")
    return connection


def give_back(connection: apsw.Connection) -> None:
    """Undo all that was done since `borrow`; one that cannot be undone, or is one too many, is closed."""
    try:
        connection.execute("ROLLBACK")
    except apsw.Error:
        connection.close()
        return
    with _one_at_a_time:
        if is_kept := len(_idle) < _MOST_IDLE:
            _idle.append(connection)
    if not is_kept:
        connection.close()
