"""Recovery: is a file whole, a copy of it while it is in use, and a copy put back in its place."""

import os
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass

import apsw

from experience_runtime.domain.errors import Conflict, DatabaseUnavailable, InvalidParameter
from experience_runtime.store.sqlite.copies import check, copy_checked, sync_folder
from experience_runtime.store.sqlite.failing import CannotBeWritten
from experience_runtime.store.sqlite.file import OlderSchema, Upgrade, open_database, open_to_look
from experience_runtime.store.sqlite.lock import FileLock

_BESIDE = ("-wal", "-shm")
_STEPS = 1_000  # of SQLite: pages, while it looks at them


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """`moved_to` is where the file lies that was there before; None when there was none."""

    pages: int
    moved_to: str | None


def check_whole(path: str, *, is_over: Callable[[], bool] = lambda: False) -> bool:
    """Raise InvalidParameter when the database has a defect that SQLite's quick check finds.

    False, and nothing is known, once `is_over` says so; it is asked now and then.
    """
    with closing(_opened(path)) as connection:
        connection.set_progress_handler(is_over, _STEPS)
        return check(connection, path, "restore a backup with `experience restore BACKUP`")


def back_up(path: str, to: str, progress: Callable[[int], None]) -> int:
    """Copy a database as it is at one instant, while others use it; return its pages.

    The copy is checked before it gets its name. `progress` hears the percentage. InvalidParameter when the
    copy cannot be made there, or when the database itself is damaged.
    """
    with closing(_opened(path)) as source:
        return copy_checked(source, path, to, progress)


def restore(
    backup: str,
    path: str,
    progress: Callable[[int], None],
    *,
    prepare: Callable[[str], None] = lambda _: None,
) -> Restored:
    """Put a copy of `backup` in the place of a database, and what was there aside, with the log beside it.

    `prepare` is called with the copy's path before it is put there: no worker finds it as it was.
    Conflict while a worker delivers from it. InvalidParameter when the backup is none, or damaged; then
    nothing has changed. A process that still has the old file open notices, and stores nothing more.
    """
    if not os.path.exists(backup):
        raise InvalidParameter(f'there is no backup "{backup}"; name a file that `experience backup` made')
    target = os.path.realpath(path)
    if os.path.exists(target) and os.path.samefile(backup, target):
        raise InvalidParameter(f'"{backup}" is the database itself; name a backup of it')
    lock = FileLock(target)
    try:
        if not lock.try_take():
            raise Conflict(
                f"a worker delivers from {path} (process {lock.holder()}); stop it first: "
                "what it does meanwhile would not be in the restored file"
            )
        fresh = f"{target}.restoring"
        with closing(open_to_look(backup, of_older_version=True)) as source:
            pages = copy_checked(source, backup, fresh, progress)
        open_database(fresh, upgrade=Upgrade.IN_PLACE).close()
        prepare(fresh)
        return Restored(pages=pages, moved_to=_swap(fresh, target))
    except OSError as error:
        raise InvalidParameter(
            f"{path} cannot be put in its place ({error.strerror}); make its folder writable"
        ) from error
    finally:
        lock.release()


def _swap(fresh: str, target: str) -> str | None:
    """Give a file its name. What had it stays whole under another: its log belongs to it, and to no other."""
    was_there = os.path.exists(target) or os.path.exists(f"{target}-wal")
    aside = _free_name(target) if was_there else None
    if aside is not None:
        _put_aside(target, aside)
    os.replace(fresh, target)
    sync_folder(target)
    return aside


def _put_aside(target: str, aside: str) -> None:
    if os.path.exists(target):
        # until its log has followed it has two names, and is opened by none
        os.link(target, aside)
    for suffix in _BESIDE:
        with suppress(FileNotFoundError):
            os.rename(f"{target}{suffix}", f"{aside}{suffix}")


def _free_name(target: str) -> str:
    number = 1
    while any(os.path.lexists(f"{target}.before-{number}{suffix}") for suffix in ("", *_BESIDE)):
        number += 1
    return f"{target}.before-{number}"


def _opened(path: str) -> apsw.Connection:
    try:
        return open_database(path)
    except CannotBeWritten:
        return open_to_look(path)
    except OlderSchema:  # as it is: it is not for a copy or a look to upgrade it
        return open_to_look(path, of_older_version=True)


class Identity:
    """Which file a path led to when it was opened; others may delete it, or put another in its place."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._was = self._now() if path != ":memory:" else None

    def require(self) -> None:
        """Raise DatabaseUnavailable when the path leads to that file no more: what it stores is lost."""
        if self._was is not None and self._now() != self._was:
            raise DatabaseUnavailable(
                f"the database {self._path!r} was deleted or replaced while this process used it, "
                "and nothing more is stored; stop this process, and start it again"
            )

    def _now(self) -> tuple[int, int] | None:
        try:
            found = os.stat(self._path)
        except OSError:
            return None
        return found.st_dev, found.st_ino
