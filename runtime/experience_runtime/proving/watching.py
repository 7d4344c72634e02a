"""Watching: which files of a folder changed since the last look, without a word from the system."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

MOST_FILES = 20_000
"""Beyond so many the rest is not looked at: a folder of experiences has far fewer."""

_WATCHED = (".js", ".ts", ".json")


class Watched:
    """The code and JSON files below a folder, as they were at the last look."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seen = self._look()

    def changed(self) -> list[Path]:
        """The files that are new, different or gone since the last look, in order."""
        before, self._seen = self._seen, self._look()
        names = before.keys() | self._seen.keys()
        return sorted(Path(name) for name in names if before.get(name) != self._seen.get(name))

    def _look(self) -> Mapping[str, tuple[int, int, int]]:
        found = {}
        for name in self._files():
            try:
                status = os.stat(name)
            except OSError:  # gone in this very moment
                continue
            found[name] = (status.st_mtime_ns, status.st_size, status.st_ino)
            if len(found) == MOST_FILES:
                break
        return found

    def _files(self) -> Iterator[str]:
        for parent, folders, files in os.walk(self._folder):
            folders[:] = sorted(name for name in folders if name[0] != "." and name != "node_modules")
            yield from (os.path.join(parent, name) for name in files if name.endswith(_WATCHED))
