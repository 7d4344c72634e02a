"""Private files: a database, and what lies beside it, is its owner's alone; no link is followed."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from experience_runtime.domain.errors import InvalidParameter

OWNER_ONLY = 0o600

_BESIDE = ("-wal", "-shm", "-journal", ".lock")
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def create_private(path: str) -> None:
    """Create the file of a database for its owner alone; what SQLite puts beside it is as private as that.

    Nothing happens where there is one. InvalidParameter for a link that is not this user's, or a link in the
    place of a file beside it: whoever may put one there would have us write elsewhere.
    """
    if path in ("", ":memory:"):
        return
    _refuse_links(path)
    try:
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        os.close(os.open(os.path.realpath(path), flags, OWNER_ONLY))
    except (OSError, ValueError):
        return  # it is there, or cannot be: SQLite says why


def open_beside(path: Path) -> int:
    """Open or create a file beside the database, for its owner alone; InvalidParameter when it is a link."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, OWNER_ONLY)
    except OSError:
        if path.is_symlink():
            raise _followed(str(path)) from None
        raise
    found = os.fstat(descriptor)
    if found.st_mode & _OTHERS and found.st_uid == os.geteuid():
        os.fchmod(descriptor, OWNER_ONLY)  # of a version before: anybody who reads it could hold the lock
    return descriptor


def too_open(path: str) -> Iterator[str]:
    """Say which files of a database others may read or write, and how to mend it."""
    real = os.path.realpath(path)
    for each in (real, *(f"{real}{suffix}" for suffix in _BESIDE)):
        if os.path.islink(each):
            yield f"{each} is a link; remove it"
        elif os.path.exists(each) and (mode := stat.S_IMODE(os.stat(each).st_mode)) & _OTHERS:
            yield f"{each} is open to others ({mode:04o}); chmod 600 {each}"
    folder = os.path.dirname(real)
    if os.path.isdir(folder) and stat.S_IMODE(os.stat(folder).st_mode) & stat.S_IWOTH:
        yield f"everybody may put files into {folder}; chmod o-w {folder}"


def _refuse_links(path: str) -> None:
    try:
        if os.path.islink(path) and os.lstat(path).st_uid not in (os.geteuid(), 0):
            raise _followed(path)
        real = os.path.realpath(path)
    except (OSError, ValueError):
        return
    for suffix in _BESIDE:
        if os.path.islink(f"{real}{suffix}"):
            raise _followed(f"{real}{suffix}")


def _followed(path: str) -> InvalidParameter:
    return InvalidParameter(
        f"{path!r} is a link, and what it leads to would be written over; remove it, or name another file "
        "with --database"
    )
