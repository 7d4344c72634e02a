"""A lock beside the database file: one delivering process at a time."""

import fcntl
import os
from pathlib import Path

from experience_runtime.store.sqlite.private import open_beside


class FileLock:
    """An OS lock on `PATH.lock`; the system drops it when its process ends, however it ends."""

    def __init__(self, database: str) -> None:
        # One file has one lock, whatever link leads to it.
        self.path = Path(f"{os.path.realpath(database)}.lock")
        self._descriptor: int | None = None

    def try_take(self) -> bool:
        """Take the lock and write this process's id into it; False while another holder has it."""
        if self._descriptor is not None:
            return True
        descriptor = open_beside(self.path)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        except BlockingIOError:
            os.close(descriptor)
            return False
        except BaseException:
            os.close(descriptor)
            raise
        self._descriptor = descriptor
        return True

    def is_held(self) -> bool:
        """Whether somebody holds it now. Those who ask at the same time do not see each other."""
        try:
            descriptor = os.open(self.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        except OSError:
            return not self.path.is_symlink()  # another user's, who has it
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(descriptor)
        return False

    def holder(self) -> int | None:
        """The process that took the lock last; None when it is gone, or nobody ever did."""
        try:
            holder = int(self.path.read_text())
        except (OSError, ValueError):
            return None
        try:
            os.kill(holder, 0)
        except PermissionError:
            return holder
        except (OSError, OverflowError):
            return None
        return holder

    def release(self) -> None:
        # The file stays: removing it would let two processes lock two files of one name.
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
