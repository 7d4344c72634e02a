"""Opening a SQLite file: settings of the connection, migrations, and errors that name the file."""

import logging
import os
import stat
import threading
from contextlib import closing
from enum import Enum, auto
from functools import cache
from importlib import resources
from urllib.parse import quote

import apsw

from experience_runtime.domain.errors import InvalidParameter
from experience_runtime.store.sqlite.copies import copy_checked
from experience_runtime.store.sqlite.failing import BUSY_TIMEOUT_MS, CannotBeWritten, failure
from experience_runtime.store.sqlite.private import create_private

MEMORY = ":memory:"

_TRIES = 5
_ONE_COPIES = threading.Lock()


_logger = logging.getLogger(__name__)


class OlderSchema(InvalidParameter):
    """A database of an older version, which whoever opens it may not upgrade."""


class Upgrade(Enum):
    """What becomes of a database of an older version. IN_PLACE is for one that is a copy itself."""

    REFUSED = auto()
    WITH_COPY = auto()
    IN_PLACE = auto()


_SETTINGS = (
    "PRAGMA auto_vacuum = INCREMENTAL",  # of a new file: what is removed can be given back to the disk
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",  # with less, power loss corrupts the file
    "PRAGMA fullfsync = ON",  # on macOS fsync alone stops at the drive's cache; elsewhere no effect
    "PRAGMA journal_size_limit = 67108864",
    "PRAGMA wal_autocheckpoint = 4000",  # pages of 4 KiB: fewer, larger checkpoints
    "PRAGMA cache_size = -32768",  # KiB
    "PRAGMA secure_delete = ON",  # what is erased is overwritten
)


def open_database(path: str, *, upgrade: Upgrade = Upgrade.REFUSED) -> apsw.Connection:
    """Open or create the database, at this program's version.

    One of an older version is upgraded as `upgrade` says, or OlderSchema is raised. A file that cannot be
    opened, is not a database, belongs to another program or comes from a newer version raises
    InvalidParameter.
    """
    _refuse_two_names(path)
    create_private(path)
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
        _add_functions(connection)
        if path == MEMORY:
            _copy_new(connection)
        else:
            _prepare(connection, path, upgrade)
    except (apsw.NotADBError, apsw.CorruptError) as error:
        connection.close()
        raise _no_database(path) from error
    except (apsw.ReadOnlyError, apsw.CantOpenError, apsw.PermissionsError) as error:
        connection.close()
        raise CannotBeWritten(
            f"the database {path!r} cannot be written ({error}); make the file and its folder writable"
        ) from error
    except apsw.Error as error:
        connection.close()
        raise failure(path, error) from error
    except BaseException:
        connection.close()
        raise
    return connection


def _add_functions(connection: apsw.Connection) -> None:
    connection.create_scalar_function("lower_case", _lower, 1, deterministic=True)


def _lower(*given: object) -> str | None:
    (text,) = given
    return None if text is None else str(text).lower()


def _copy_new(connection: apsw.Connection) -> None:
    """Put what every new database holds into one in memory: a copy is quicker than all migrations."""
    with _ONE_COPIES, connection.backup("main", _new_database(), "main") as copy:
        copy.step()


@cache
def _new_database() -> apsw.Connection:
    made = apsw.Connection(MEMORY)
    _migrate(made, MEMORY, Upgrade.REFUSED)
    return made


def _prepare(connection: apsw.Connection, path: str, upgrade: Upgrade) -> None:
    for tries_left in reversed(range(_TRIES)):
        try:
            for setting in _SETTINGS:
                connection.execute(setting)
            _migrate(connection, path, upgrade)
        except (
            apsw.BusyError
        ):  # SQLite waits for no lock that two who open a new file hold against each other
            if not tries_left:
                raise
        else:
            return


def open_to_look(path: str, *, of_older_version: bool = False) -> apsw.Connection:
    """Open a database that is there for reading only, wherever it lies; nothing is created or migrated.

    On a file system that cannot be written a log beside the file has to be read where it can be: then
    InvalidParameter says so, as for a file of a version that is not read.
    """
    has_log = os.path.exists(f"{path}-wal") and os.path.getsize(f"{path}-wal") > 0
    # without a log, and where nobody can write, nothing changes; SQLite would want to make a log
    mode = "mode=ro" if has_log or os.access(os.path.dirname(path) or ".", os.W_OK) else "immutable=1"
    try:
        connection = apsw.Connection(
            f"file:{quote(os.path.abspath(path))}?{mode}",
            flags=apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI,
        )
        connection.set_busy_timeout(BUSY_TIMEOUT_MS)
        _add_functions(connection)
        version = _version(connection)
    except (apsw.NotADBError, apsw.CorruptError) as error:
        raise _no_database(path) from error
    except (apsw.CantOpenError, apsw.ReadOnlyError, apsw.PermissionsError) as error:
        raise InvalidParameter(
            f"the database {path!r} cannot be read where it is ({error}); "
            f"copy it, with {path}-wal beside it, to a folder that can be written"
        ) from error
    except apsw.Error as error:
        raise failure(path, error) from error
    newest = len(_migrations())
    if not (1 if of_older_version else newest) <= version <= newest:
        connection.close()
        raise InvalidParameter(
            f"{path!r} has schema {version}, and this program reads {len(_migrations())}; "
            "run `experience migrate` on it, or on a copy of it in a folder that can be written"
        )
    return connection


def _no_database(path: str) -> InvalidParameter:
    return InvalidParameter(
        f"{path!r} is not a SQLite database; name another file with --database, or move this one away"
    )


def _refuse_two_names(path: str) -> None:
    """Two programs that call one file by two names keep two logs beside it, and damage it."""
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return  # there is none yet, or it is in memory
    if stat.S_ISREG(found.st_mode) and found.st_nlink > 1:
        raise InvalidParameter(
            f"the file {path!r} has {found.st_nlink} names (hard links), and two programs that use two of "
            "them damage it; remove the others, or copy the file"
        )


def _migrations() -> list[str]:
    folder = resources.files(__package__) / "migrations"
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".sql")), key=lambda f: f.name)
    return [file.read_text("utf-8") for file in files]


def _version(connection: apsw.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").get)


def _migrate(connection: apsw.Connection, path: str, upgrade: Upgrade) -> None:
    migrations, copy = _migrations(), None
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
        if 0 < version < len(migrations):
            if upgrade is Upgrade.REFUSED:
                raise OlderSchema(
                    f"{path!r} has schema {version}, and this program works with {len(migrations)}; run "
                    "`experience migrate`, which upgrades it and keeps a copy of it beside it, as "
                    "`experience serve` and `experience worker` do"
                )
            if upgrade is Upgrade.WITH_COPY:
                copy = _copy_beside(path, version)
        for number, migration in enumerate(migrations[version:], version + 1):
            connection.execute(migration)
            connection.execute(f"PRAGMA user_version = {number:d}")
    except BaseException:
        if connection.in_transaction:  # a disk that does not read or write has ended it
            connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
    if copy is not None:
        _logger.warning(
            "%s had schema %d and was upgraded to %d; %s is a copy of it as it was, which may be removed "
            "when all is well",
            path,
            version,
            len(migrations),
            copy,
        )


def _copy_beside(path: str, version: int) -> str:
    """Copy a database before it is upgraded, while nobody can write to it; return where the copy is."""
    to = f"{path}.schema-{version}"
    number = 1
    while os.path.lexists(to):  # of an earlier try, or of a file that was restored since
        number += 1
        to = f"{path}.schema-{version}-{number}"
    with closing(open_to_look(path, of_older_version=True)) as source:
        copy_checked(source, path, to)
    return to
