"""Opening a SQLite file: settings of the connection, migrations, and errors that name the file."""

from collections.abc import Callable
from importlib import resources

import apsw

from experience_runtime.domain.errors import InternalError, InvalidParameter

BUSY_TIMEOUT_MS = 10_000

_TRIES = 5

_SETTINGS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",  # with less, power loss corrupts the file
    "PRAGMA fullfsync = ON",  # on macOS fsync alone stops at the drive's cache; elsewhere no effect
    "PRAGMA journal_size_limit = 67108864",
    "PRAGMA wal_autocheckpoint = 4000",  # pages of 4 KiB: fewer, larger checkpoints
    "PRAGMA cache_size = -32768",  # KiB
)


def open_database(path: str) -> apsw.Connection:
    """Open or create the database and bring it to this program's version.

    A file that cannot be opened, is not a database, belongs to another program or comes from a newer version
    raises InvalidParameter.
    """
    try:
        connection = apsw.Connection(path)
    except apsw.IOError as error:
        raise failure(path, error) from error
    except (apsw.Error, ValueError) as error:
        raise InvalidParameter(
            f"the database {path!r} cannot be opened ({error}); "
            "its folder must exist and be writable: create it, or name another file with --database"
        ) from error
    try:
        connection.set_busy_timeout(BUSY_TIMEOUT_MS)
        _prepare(connection, path)
    except (apsw.NotADBError, apsw.CorruptError) as error:
        connection.close()
        raise InvalidParameter(
            f"{path!r} is not a SQLite database; name another file with --database, or move this one away"
        ) from error
    except (apsw.ReadOnlyError, apsw.CantOpenError, apsw.PermissionsError) as error:
        connection.close()
        raise InvalidParameter(
            f"the database {path!r} cannot be written ({error}); make the file and its folder writable"
        ) from error
    except apsw.Error as error:
        connection.close()
        raise failure(path, error) from error
    except BaseException:
        connection.close()
        raise
    return connection


def _prepare(connection: apsw.Connection, path: str) -> None:
    for tries_left in reversed(range(_TRIES)):
        try:
            for setting in _SETTINGS:
                connection.execute(setting)
            _migrate(connection, path)
        except (
            apsw.BusyError
        ):  # SQLite waits for no lock that two who open a new file hold against each other
            if not tries_left:
                raise
        else:
            return


def back_up(path: str, to: str, progress: Callable[[int], None]) -> int:
    """Copy a database as it is at one instant, while others use it; return its pages.

    `progress` hears the percentage. InvalidParameter when the copy cannot be made there.
    """
    source = open_database(path)
    try:
        target = apsw.Connection(to)
        with source, target.backup("main", source, "main") as backup:  # one read transaction: one instant
            source.execute("SELECT 1 FROM sqlite_schema").fetchall()
            while not backup.done:
                backup.step(1000)
                progress(100 - 100 * backup.remaining // max(1, backup.page_count))
            pages = backup.page_count
        target.execute("PRAGMA journal_mode = DELETE")  # one file, without a log beside it
        target.close()
    except apsw.CantOpenError as error:
        raise InvalidParameter(f'"{to}" cannot be written ({error}); name a folder that is there') from error
    except apsw.Error as error:
        raise failure(path, error) from error
    finally:
        source.close()
    return int(pages)


def failure(path: str, error: apsw.Error) -> InternalError:
    """Say what a storage error means for the person who runs this. Nothing of the operation was stored."""
    match error:
        case apsw.FullError():
            hint = "the disk is full: free some space, nothing acknowledged is lost"
        case apsw.BusyError() | apsw.LockedError():
            hint = f"another process held it for more than {BUSY_TIMEOUT_MS // 1000} s: try again"
        case apsw.ConnectionClosedError():
            hint = "this store was closed"
        case apsw.IOError():
            hint = "the disk did not read or write: look at the system's log"
        case apsw.CorruptError() | apsw.NotADBError():
            hint = "the file is damaged: restore a backup"
        case _:
            hint = "this is a defect of ours if the file is intact"
    return InternalError(f"the database {path!r} refused an operation ({error}); {hint}")


def _migrations() -> list[str]:
    folder = resources.files(__package__) / "migrations"
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".sql")), key=lambda f: f.name)
    return [file.read_text("utf-8") for file in files]


def _version(connection: apsw.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").get)


def _migrate(connection: apsw.Connection, path: str) -> None:
    migrations = _migrations()
    if _version(connection) == len(migrations):
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        version = _version(connection)  # another process may have migrated meanwhile
        if version > len(migrations):
            raise InvalidParameter(
                f"{path!r} was written by a newer version of this program "
                f"(schema {version}, this one knows {len(migrations)}); upgrade experience-runtime"
            )
        if version == 0 and connection.execute("SELECT count(*) FROM sqlite_schema").get:
            raise InvalidParameter(
                f"{path!r} holds another program's tables; name another file with --database"
            )
        for number, migration in enumerate(migrations[version:], version + 1):
            connection.execute(migration)
            connection.execute(f"PRAGMA user_version = {number:d}")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
