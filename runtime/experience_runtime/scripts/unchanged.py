"""Unchanged: what was made of files on disk, for as long as nothing there has changed.

A file's content is not read to find that out, only what the file system says of it. A change shortly before
the reading may leave no trace there, so what is that fresh is made anew each time.
"""

import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from pathlib import Path
from typing import Generic, TypeVar

from experience_runtime.clocks import SystemClock
from experience_runtime.domain.instants import to_ms

T = TypeVar("T")

SETTLED_MS = 2_000
"""How long ago the last change must be; some file systems count in whole seconds."""

_MOST_ENTRIES = 2_000
_SUFFIXES = (".js", ".ts", ".json")

Seen = tuple[tuple[str, int, int, int, int, int], ...]


class Unchanged(Generic[T]):
    """Keeps up to `most`, by least use. Safe for several threads."""

    def __init__(self, most: int, *, settled_ms: int = SETTLED_MS) -> None:
        self._most = most
        self._settled_ms = settled_ms
        self._lock = threading.Lock()
        self._kept: OrderedDict[Hashable, tuple[Seen, T]] = OrderedDict()

    def get(self, path: Path, asked: Hashable, make: Callable[[], T]) -> T:
        """What `make` gave for these files before; else what it gives now.

        `asked`: whatever else it depends on.
        """
        key = (os.path.abspath(path), asked)
        seen = _seen(path)
        with self._lock:
            kept = self._kept.get(key)
            if kept is not None and kept[0] == seen:
                self._kept.move_to_end(key)
                return kept[1]
        made = make()
        if seen is not None and _is_settled(seen, self._settled_ms) and _seen(path) == seen:
            with self._lock:
                self._kept[key] = (seen, made)
                while len(self._kept) > self._most:
                    self._kept.popitem(last=False)
        return made


def _is_settled(seen: Seen, settled_ms: int) -> bool:
    newest = max((max(changed, written) for *_, written, changed in seen), default=0)
    return to_ms(SystemClock().now()) - newest // 1_000_000 >= settled_ms


def _seen(path: Path) -> Seen | None:
    """What the file system says of a file, or of a folder and the files in it; None when it cannot be
    said."""
    found = []
    try:
        for each in _paths(path):
            status = os.stat(each)
            inode = (status.st_dev, status.st_ino)
            found.append((each, *inode, status.st_size, status.st_mtime_ns, status.st_ctime_ns))
            if len(found) > _MOST_ENTRIES:
                return None
    except OSError:
        return None
    return tuple(sorted(found))


def _paths(path: Path) -> Iterator[str]:
    yield str(path)
    if not path.is_dir():
        return
    for parent, folders, files in os.walk(path):  # links to folders are not followed, as in reading
        folders[:] = [name for name in folders if name != "node_modules" and not name.startswith(".")]
        yield from (os.path.join(parent, name) for name in folders)
        yield from (os.path.join(parent, name) for name in files if name.endswith(_SUFFIXES))
