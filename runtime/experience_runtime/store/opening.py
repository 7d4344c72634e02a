"""Opening a store: on a SQLite file, or in memory."""

from typing import TypeAlias

from experience_runtime.store.sql import SqlStore
from experience_runtime.store.sqlite_database import SqliteDatabase

SqliteStore: TypeAlias = SqlStore[SqliteDatabase]


def open_sqlite(path: str) -> SqliteStore:
    """Open or create the store of a file, or with ":memory:" one that is forgotten when it is closed."""
    return SqlStore(SqliteDatabase(path))
