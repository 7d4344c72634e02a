"""Kept settings: those of integrations that stand in the database, alike in every process within a second."""

import logging
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from experience_runtime.domain.errors import ExperienceError, InvalidParameter
from experience_runtime.engine.ports import Clock
from experience_runtime.engine.releases import LOOKED_AT_EVERY
from experience_runtime.settings.redaction import Learned
from experience_runtime.settings.stored import Keys, Stored

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """The settings of one integration as they are kept. `version`: how often they were changed."""

    integration: str
    version: int
    changed_at: datetime
    text: str


class SealedSettings(Protocol):
    """The sealed settings of a store. Every method is one transaction."""

    def version(self) -> int:
        """Another number after any of them was changed. Cheap."""
        ...

    def all(self) -> Sequence[Sealed]:
        """Those of every integration that ever had some, by name."""
        ...

    def put(self, sealed: Sealed, *, action: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> int:
        """Keep what was sealed, and what the audit is told; return its version.

        `sealed.version` is the one it was made from, 0 where there was none; Conflict when it is another.
        """
        ...


class KeptSettings:
    """What stands in the database, opened; asked of it twice a second at most. Safe for several threads."""

    def __init__(
        self, sealed: SealedSettings, clock: Clock, *, keys: Sequence[str], learned: Learned
    ) -> None:
        """`learned` hears of every text that is a secret. Without a key none can be opened."""
        self._sealed = sealed
        self._clock = clock
        self._keys = Keys(keys) if keys else None
        self._learned = learned
        self._lock = threading.Lock()
        self._looked_at: datetime | None = None
        self._version = -1
        self._stored: Stored | None = None

    @property
    def keys(self) -> Keys:
        """Raises InvalidParameter where there is none."""
        return self._keys or Keys(())

    def now(self) -> Stored:
        """What is known of them, half a second old at most, or older while the database is not there."""
        with self._lock:
            now = self._clock.now()
            stored = self._stored
            if stored is not None and self._is_fresh(now):
                return stored
            self._looked_at = now
            try:
                return self._looked(stored)
            except InvalidParameter:
                raise
            except ExperienceError as error:
                if stored is None:
                    raise
                _logger.warning("the settings in the database could not be read anew: %s", error.message)
                return stored

    def forget(self) -> None:
        """Look again at once: something was changed here."""
        with self._lock:
            self._looked_at = None

    def _is_fresh(self, now: datetime) -> bool:
        return self._looked_at is not None and timedelta() <= now - self._looked_at < LOOKED_AT_EVERY

    def _looked(self, before: Stored | None) -> Stored:
        version = self._sealed.version()  # before the rows: what changes in between is seen next time
        if before is not None and version == self._version:
            return before
        stored = self._opened(self._sealed.all())
        self._learned.keep(stored.secrets())
        for why in stored.unreadable.values():
            _logger.warning("%s; what is scheduled for it waits", why)
        self._stored, self._version = stored, version
        return stored

    def _opened(self, rows: Sequence[Sealed]) -> Stored:
        tables: dict[str, Mapping[str, Any]] = {}
        unreadable: dict[str, str] = {}
        for each in rows:
            try:
                tables[each.integration] = self.keys.opened(each.integration, each.text)
            except InvalidParameter as problem:
                unreadable[each.integration] = problem.message
        versions = {each.integration: each.version for each in rows}
        return Stored(is_used=True, tables=tables, versions=versions, unreadable=unreadable)
