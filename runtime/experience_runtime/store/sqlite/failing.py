"""Failing: what a storage error of SQLite means for the person who runs this."""

import apsw

from experience_runtime.domain.errors import DatabaseUnavailable, InternalError, InvalidParameter

BUSY_TIMEOUT_MS = 10_000


class CannotBeWritten(InvalidParameter):
    """A database that may be readable, and where nothing can be stored."""


_MAY_PASS = (
    apsw.FullError,
    apsw.BusyError,
    apsw.LockedError,
    apsw.IOError,
    apsw.ReadOnlyError,
    apsw.CantOpenError,
    apsw.PermissionsError,
    apsw.NoMemError,
)


def failure(path: str, error: apsw.Error) -> InternalError:
    """Say what a storage error means for the person who runs this. Nothing of the operation was stored.

    DatabaseUnavailable for what may be well again without a change to the file.
    """
    match error:
        case apsw.FullError():
            hint = "the disk is full: free some space, nothing acknowledged is lost"
        case apsw.BusyError() | apsw.LockedError():
            hint = f"another process held it for more than {BUSY_TIMEOUT_MS // 1000} s: try again"
        case apsw.ConnectionClosedError():
            hint = "this store was closed"
        case apsw.ReadOnlyError() | apsw.PermissionsError():
            hint = "it may only be read: look at the rights of the file and at how its disk is mounted"
        case apsw.CantOpenError():
            hint = "it cannot be opened: look at its folder, and at the rights of both"
        case apsw.IOError():
            hint = "the disk did not read or write: look at the system's log"
        case apsw.CorruptError() | apsw.NotADBError():
            hint = "the file is damaged: restore a backup with `experience restore BACKUP`"
        case _:
            hint = "this is a defect of ours if the file is intact"
    kind = DatabaseUnavailable if isinstance(error, _MAY_PASS) else InternalError
    return kind(f"the database {path!r} refused an operation ({error}); {hint}")
