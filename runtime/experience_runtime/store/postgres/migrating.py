"""Migrations: the tables of this program's version, and of the delivery engine's.

A `pre` migration only adds: programs of the version before go on over it. A `post` migration takes away what
only they needed. The engine's own migrations are named in the same way and recorded beside ours.
"""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib import resources

import psycopg

from experience_runtime.domain.errors import Conflict, InvalidParameter
from experience_runtime.domain.instants import to_ms
from experience_runtime.store.postgres.connecting import (
    Connection,
    check_address,
    failure,
    options,
    shown_address,
)

ENGINE = "procrastinate"
ALIVE = timedelta(seconds=60)

_LOCK = "SELECT pg_advisory_lock(hashtextextended('experience migrate', 0))"
_UNLOCK = "SELECT pg_advisory_unlock(hashtextextended('experience migrate', 0))"


@dataclass(frozen=True, slots=True)
class Migration:
    name: str
    sql: str

    @property
    def is_post(self) -> bool:
        return "_post" in self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Migrated:
    """What `migrate` did. `left` are post migrations that wait for programs of an older version to end."""

    applied: Sequence[str]
    left: Sequence[str]


def known_migrations() -> list[Migration]:
    """Ours, then the engine's, each in the order they are applied in."""
    return [*_ours(), *_engines()]


def migrate(
    address: str, *, now: datetime, migrations: Sequence[Migration] | None = None, version: str
) -> Migrated:
    """Bring a database to this program's version. What is there already is left as it is.

    Post migrations wait while a worker of another version reports itself.
    """
    migrations = known_migrations() if migrations is None else migrations
    with connected(address) as connection:
        connection.execute(_LOCK)
        try:
            applied = _applied(connection)
            if applied is None:
                _refuse_strangers(connection, address)
                connection.execute(
                    "CREATE TABLE experience_migrations (name text PRIMARY KEY, applied_at bigint NOT NULL)"
                )
                applied = set()
            refuse_newer(applied, migrations, address)
            missing = [each for each in migrations if each.name not in applied]
            before = [each for each in missing if not each.is_post]
            after = [each for each in missing if each.is_post]
            fresh = not any(name.startswith(ENGINE) for name in applied)
            done = _apply(connection, before, now, fresh=fresh)
            after = [each for each in after if each.name not in done]
            if after and not _has_older(connection, version, now):
                done += _apply(connection, after, now, fresh=False)
                after = []
            return Migrated(applied=done, left=[each.name for each in after])
        finally:
            connection.execute(_UNLOCK)


def check_schema(address: str, migrations: Sequence[Migration] | None = None) -> None:
    """Raise InvalidParameter unless this program can work over the database as it is."""
    migrations = known_migrations() if migrations is None else migrations
    with connected(address) as connection:
        applied = _applied(connection)
    if applied is None:
        raise InvalidParameter(
            f"the database {shown_address(address)} has no tables of ours yet; "
            "run `experience migrate` with this --database first"
        )
    refuse_newer(applied, migrations, address)
    missing = [each.name for each in migrations if not each.is_post and each.name not in applied]
    if missing:
        raise InvalidParameter(
            f"the database {shown_address(address)} was made by an older version ({missing[0]} is missing); "
            "run `experience migrate` with this --database; workers of the older version may go on meanwhile"
        )


@contextmanager
def connected(address: str) -> Iterator[Connection]:
    """One session in autocommit; InvalidParameter or InternalError say why there is none."""
    check_address(address)
    try:
        with psycopg.connect(address, autocommit=True, **options("experience migrate")) as connection:
            encoding = connection.execute("SHOW server_encoding").fetchall()[0][0]
            if encoding != "UTF8":
                raise InvalidParameter(
                    f"the database {shown_address(address)} keeps texts as {encoding}; "
                    "create one with ENCODING 'UTF8'"
                )
            yield connection
    except psycopg.Error as error:
        raise failure(address, error) from error


def refuse_newer(applied: Collection[str], migrations: Sequence[Migration], address: str) -> None:
    known = {each.name for each in migrations}
    newer = [name for name in sorted(applied) if name not in known and "_post" in name]
    if newer:
        raise InvalidParameter(
            f"the database {shown_address(address)} belongs to a newer version of this program "
            f"({newer[0]} was applied); upgrade experience-runtime"
        )


def _applied(connection: Connection) -> set[str] | None:
    ((table,),) = connection.execute("SELECT to_regclass('experience_migrations')").fetchall()
    if table is None:
        return None
    return {name for (name,) in connection.execute("SELECT name FROM experience_migrations")}


def _apply(
    connection: Connection, migrations: Sequence[Migration], now: datetime, *, fresh: bool
) -> list[str]:
    done: list[str] = []
    engine = [each for each in migrations if each.name.startswith(ENGINE)]
    for each in (each for each in migrations if each not in engine):
        _run(connection, [each.name], each.sql, now)
        done.append(each.name)
    if engine and fresh:
        # Its whole schema as of now, pre and post alike: nobody older is there.
        names = [each.name for each in _engines()]
        _run(connection, names, _engine_schema(), now)
        done += names
    elif engine:
        for each in engine:
            _run(connection, [each.name], each.sql, now)
            done.append(each.name)
    return done


def _run(connection: Connection, names: Sequence[str], sql: str, now: datetime) -> None:
    with connection.transaction():
        connection.execute(sql.encode(), prepare=False)
        for name in names:
            connection.execute(
                "INSERT INTO experience_migrations (name, applied_at) VALUES (%s, %s)", [name, to_ms(now)]
            )


def _has_older(connection: Connection, version: str, now: datetime) -> bool:
    found = connection.execute(
        "SELECT 1 FROM workers WHERE version <> %s AND beat_at > %s LIMIT 1", [version, to_ms(now - ALIVE)]
    )
    return found.fetchone() is not None


def _refuse_strangers(connection: Connection, address: str) -> None:
    for table in ("executions", "procrastinate_jobs"):
        ((found,),) = connection.execute("SELECT to_regclass(%s)", [table]).fetchall()
        if found is not None:
            raise Conflict(
                f"the database {shown_address(address)} has a table {table} of another program; "
                "name an empty database, or a schema of its own: …?options=-csearch_path%3Dexperience"
            )


def _ours() -> list[Migration]:
    folder = resources.files(__package__) / "migrations"
    files = sorted((file for file in folder.iterdir() if file.name.endswith(".sql")), key=lambda f: f.name)
    return [Migration(file.name.removesuffix(".sql"), file.read_text("utf-8")) for file in files]


def _engines() -> list[Migration]:
    folder = resources.files("procrastinate.sql") / "migrations"
    files = sorted((file for file in folder.iterdir() if file.name.endswith(".sql")), key=lambda f: f.name)
    return [
        Migration(f"{ENGINE} {file.name.removesuffix('.sql')}", file.read_text("utf-8")) for file in files
    ]


def _engine_schema() -> str:
    from procrastinate.schema import SchemaManager

    return str(SchemaManager.get_schema())
