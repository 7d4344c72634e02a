"""Disks for SQLite: one that breaks at the n-th operation, and one that remembers what reached it when.

Each is a VFS of apsw above the system's own. `as_default` makes every database that is opened inside use it.
"""

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

import apsw

_SYSTEM = apsw.vfs_names()[0]


class Fault(StrEnum):
    DISK_FULL = "disk full"
    WRITE_ERROR = "write error"
    READ_ERROR = "read error"
    FAILED_FSYNC = "failed fsync"


_ERRORS = {
    Fault.DISK_FULL: apsw.SQLITE_FULL,
    Fault.WRITE_ERROR: apsw.SQLITE_IOERR_WRITE,
    Fault.READ_ERROR: apsw.SQLITE_IOERR_READ,
    Fault.FAILED_FSYNC: apsw.SQLITE_IOERR_FSYNC,
}
_OPERATION = {
    Fault.DISK_FULL: "write",
    Fault.WRITE_ERROR: "write",
    Fault.READ_ERROR: "read",
    Fault.FAILED_FSYNC: "sync",
}


@dataclass
class BreakingDisk:
    """Fails `lasting` operations of the fault's kind, from the n-th on; n counts from 1, over all files."""

    fault: Fault
    nth: int
    lasting: int = 1
    seen: int = 0
    raised: int = 0

    def before(self, operation: str) -> None:
        if operation != _OPERATION[self.fault]:
            return
        self.seen += 1
        if self.nth <= self.seen < self.nth + self.lasting:
            self.raised += 1
            raise apsw.exception_for(_ERRORS[self.fault])

    def break_now(self) -> None:
        """Fail every operation of the kind from here on."""
        self.nth, self.lasting = self.seen + 1, 1_000_000_000

    def mend(self) -> None:
        self.lasting = 0

    @contextlib.contextmanager
    def as_default(self) -> Iterator[None]:
        with _default(_BreakingVfs(self)):
            yield


class _BreakingVfs(apsw.VFS):
    name = "breaking"

    def __init__(self, disk: BreakingDisk) -> None:
        super().__init__(self.name, _SYSTEM)
        self._disk = disk

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> apsw.VFSFile:
        return _BreakingFile(self._disk, name, flags)


class _BreakingFile(apsw.VFSFile):
    def __init__(self, disk: BreakingDisk, name: str | apsw.URIFilename | None, flags: list[int]) -> None:
        super().__init__(_SYSTEM, name, flags)
        self._disk = disk

    def xRead(self, amount: int, offset: int) -> bytes:
        self._disk.before("read")
        return super().xRead(amount, offset)

    def xWrite(self, data: bytes, offset: int) -> None:
        self._disk.before("write")
        super().xWrite(data, offset)

    def xSync(self, flags: int) -> None:
        self._disk.before("sync")
        super().xSync(flags)


@dataclass(frozen=True)
class Written:
    """Bytes given to a file; they may be lost until the file's next Synced."""

    file: str
    offset: int
    content: bytes


@dataclass(frozen=True)
class Truncated:
    file: str
    size: int


@dataclass(frozen=True)
class Synced:
    file: str


@dataclass(frozen=True)
class Deleted:
    """`synced`: its folder too, so that it cannot come back."""

    file: str
    synced: bool


DiskEvent = Written | Truncated | Synced | Deleted


@dataclass
class RecordingDisk:
    """Works as the system's, and lists what happened, in order."""

    events: list[DiskEvent] = field(default_factory=list)

    @contextlib.contextmanager
    def as_default(self) -> Iterator[None]:
        with _default(_RecordingVfs(self.events)):
            yield


class _RecordingVfs(apsw.VFS):
    name = "recording"

    def __init__(self, events: list[DiskEvent]) -> None:
        super().__init__(self.name, _SYSTEM)
        self._events = events

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> apsw.VFSFile:
        return _RecordingFile(self._events, name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:
        super().xDelete(filename, syncdir)
        self._events.append(Deleted(os.path.basename(filename), syncdir))


class _RecordingFile(apsw.VFSFile):
    def __init__(
        self, events: list[DiskEvent], name: str | apsw.URIFilename | None, flags: list[int]
    ) -> None:
        super().__init__(_SYSTEM, name, flags)
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        self._file = os.path.basename(path or "temporary")
        self._events = events

    def xWrite(self, data: bytes, offset: int) -> None:
        super().xWrite(data, offset)
        self._events.append(Written(self._file, offset, bytes(data)))

    def xTruncate(self, newsize: int) -> None:
        super().xTruncate(newsize)
        self._events.append(Truncated(self._file, newsize))

    def xSync(self, flags: int) -> None:
        super().xSync(flags)
        self._events.append(Synced(self._file))


@contextlib.contextmanager
def _default(vfs: "_BreakingVfs | _RecordingVfs") -> Iterator[None]:
    apsw.set_default_vfs(vfs.name)
    try:
        yield
    finally:
        apsw.set_default_vfs(_SYSTEM)
        vfs.unregister()
