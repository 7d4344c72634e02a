"""On disk: which files of the settings are others than when this process read them."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path


class OnDisk:
    """What the settings file and the integration files held when this was made."""

    def __init__(self, config: Path | None, integrations_dir: Path | None) -> None:
        self._config = config
        self._folder = integrations_dir
        self._at_start = self._digests()

    def changed(self) -> Sequence[str]:
        """The files that hold something else now, are new, or are gone; in order."""
        now = self._digests()
        return sorted(path for path in {*now, *self._at_start} if now.get(path) != self._at_start.get(path))

    def _digests(self) -> Mapping[str, str]:
        files = [] if self._config is None else [self._config]
        if self._folder is not None:
            files += [*self._folder.glob("*.py"), *self._folder.glob("_*/**/*.py")]
        return {str(path): _digest(path) for path in files}


def _digest(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as problem:
        return f"cannot be read: {problem.strerror}"
