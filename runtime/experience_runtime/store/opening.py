"""Opening a store: on a SQLite file, in memory, or on a PostgreSQL server."""

import importlib.util
from typing import TYPE_CHECKING, TypeAlias

from experience_runtime.documents.documents import Redact, Shown, as_it_is
from experience_runtime.domain.errors import InvalidParameter
from experience_runtime.store.sql import SqlStore
from experience_runtime.store.sqlite.database import SqliteDatabase

if TYPE_CHECKING:
    from experience_runtime.store.postgres.database import PostgresDatabase

SqliteStore: TypeAlias = SqlStore[SqliteDatabase]
PostgresStore: TypeAlias = "SqlStore[PostgresDatabase]"

_EXTRA = ("psycopg", "psycopg_pool", "procrastinate")


def open_sqlite(
    path: str,
    *,
    to_look: bool = False,
    upgrades: bool = False,
    redact: Redact = str,
    shown: Shown = as_it_is,
) -> SqliteStore:
    """Open or create the store of a file, or with ":memory:" one that is forgotten when it is closed.

    `to_look`: one that cannot be written can be read; every write is refused. `upgrades`: see
    `SqliteDatabase`. `redact`, `shown`: see `SqlStore`.
    """
    return SqlStore(SqliteDatabase(path, to_look=to_look, upgrades=upgrades), redact=redact, shown=shown)


def open_postgres(
    address: str,
    *,
    silence_seconds: float | None = None,
    redact: Redact = str,
    shown: Shown = as_it_is,
) -> PostgresStore:
    """Open the store of a server; InvalidParameter until `experience migrate` has made its tables."""
    require_postgres()
    from experience_runtime.store.postgres.database import PostgresDatabase
    from experience_runtime.store.postgres.migrating import check_schema

    check_schema(address)
    if silence_seconds is None:
        return SqlStore(PostgresDatabase(address), redact=redact, shown=shown)
    return SqlStore(PostgresDatabase(address, silence_seconds=silence_seconds), redact=redact, shown=shown)


def require_postgres() -> None:
    """Raise InvalidParameter when what PostgreSQL needs is not installed."""
    missing = [name for name in _EXTRA if importlib.util.find_spec(name) is None]
    if missing:
        raise InvalidParameter(
            f"a postgresql:// database needs {missing[0]}, which is not installed; "
            "pip install 'experience-runtime[postgres]'"
        )
