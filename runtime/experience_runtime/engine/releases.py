"""Releases as they are kept, and what is live: the same for every process of one database within a second."""

import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from experience_runtime.domain.releases import Change, Release
from experience_runtime.engine.ports import Clock

LOOKED_AT_EVERY = timedelta(milliseconds=500)
"""How old what is known to be live may be."""

_MOST_KEPT = 64


class Releases(Protocol):
    """The releases of a store. Every method is one transaction; each docstring is a contract.

    A change is made only while `expected` is the version of the experience's newest one; Conflict otherwise.
    None expects whatever there is, and 0 that nothing was released yet. `made` says of whom and when.
    """

    def put(
        self, release: Release, *, made: Change, share: int | None, expected: int | None
    ) -> tuple[Release, Change]:
        """Keep a release under the next number of its experience, and let it run."""
        ...

    def activate(self, number: int, *, made: Change, share: int | None, expected: int | None) -> Change:
        """Let a release run that is kept; UnknownRelease when it is not."""
        ...

    def roll_back(self, *, made: Change, expected: int | None) -> Change:
        """Let run what ran before the newest change that was no rollback; Conflict when nothing did.

        UnknownRelease when it was removed since."""
        ...

    def deactivate(self, *, made: Change, expected: int | None) -> Change:
        """Let nothing run; Conflict when nothing does."""
        ...

    def version(self) -> int:
        """The version of the newest change of any experience; 0 before the first. Cheap."""
        ...

    def live(self) -> Sequence[Change]:
        """The newest change of each experience, by name."""
        ...

    def release(self, experience: str, number: int) -> Release:
        """One release with its files, as they were released. Raises UnknownRelease."""
        ...

    def releases(self, experience: str, *, before: int | None = None, limit: int = 50) -> Sequence[Release]:
        """Those of an experience without their files, newest first."""
        ...

    def changes(self, experience: str, *, limit: int = 50) -> Sequence[Change]:
        """What became of an experience, newest first."""
        ...


class Live:
    """What is live, and its files; asked of the database twice a second at most. Safe for several threads."""

    def __init__(self, releases: Releases, clock: Clock) -> None:
        self._releases = releases
        self._clock = clock
        self._lock = threading.Lock()
        self._looked_at: datetime | None = None
        self._version = -1
        self._live: Mapping[str, Change] = {}
        self._files: OrderedDict[tuple[str, int], Release] = OrderedDict()

    def all(self) -> Mapping[str, Change]:
        """The newest change of each experience that was ever released, by name."""
        with self._lock:
            now = self._clock.now()
            if self._looked_at is None or not timedelta() <= now - self._looked_at < LOOKED_AT_EVERY:
                version = self._releases.version()
                if version != self._version:
                    self._live = {each.experience: each for each in self._releases.live()}
                    self._version = version
                self._looked_at = now
            return self._live

    def release(self, experience: str, number: int) -> Release:
        """One release with its files, which never change. Raises UnknownRelease."""
        key = (experience, number)
        with self._lock:
            if (kept := self._files.get(key)) is not None:
                self._files.move_to_end(key)
                return kept
        release = self._releases.release(experience, number)
        with self._lock:
            self._files[key] = release
            while len(self._files) > _MOST_KEPT:
                self._files.popitem(last=False)
        return release

    def forget(self) -> None:
        """Look again at once: something was changed here."""
        with self._lock:
            self._looked_at = None
