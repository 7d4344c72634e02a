"""The cache of an integration: texts that its next calls can do with, for some time, in this process."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Protocol

from experience_runtime.clocks import monotonic
from experience_runtime.domain.errors import InvalidParameter

MOST_TEXTS = 1_000
MOST_CHARS = 65_536


class Cache(Protocol):
    """Keeps texts for some seconds; each is shown nowhere, as if it were a secret setting."""

    def get(self, key: str) -> str | None:
        """The text of this key; None when there is none, or no more."""
        ...

    def set(self, key: str, text: str, *, seconds: float) -> None:
        """Keep a text for so long; of more than 1,000 the one that was used longest ago is dropped."""
        ...

    def drop(self, key: str) -> None:
        """Forget the text of this key, if there is one."""
        ...


class MemoryCache:
    """A Cache of this process; any thread may use it. `learn` is told every text that is kept."""

    def __init__(
        self, *, learn: Callable[[str], None] = lambda _: None, now: Callable[[], float] = monotonic
    ) -> None:
        self._learn = learn
        self._now = now
        self._lock = threading.Lock()
        self._texts: OrderedDict[str, tuple[str, float]] = OrderedDict()

    def get(self, key: str) -> str | None:
        with self._lock:
            text, ends_at = self._texts.get(key, (None, 0.0))
            if text is None:
                return None
            if ends_at <= self._now():
                del self._texts[key]
                return None
            self._texts.move_to_end(key)
            return text

    def set(self, key: str, text: str, *, seconds: float) -> None:
        if not isinstance(text, str) or len(text) > MOST_CHARS:
            raise InvalidParameter(
                f"the cache keeps texts of up to {MOST_CHARS} characters; {key!r} has none"
            )
        self._learn(text)
        with self._lock:
            self._texts[key] = text, self._now() + seconds
            self._texts.move_to_end(key)
            if len(self._texts) > MOST_TEXTS:
                self._texts.popitem(last=False)

    def drop(self, key: str) -> None:
        with self._lock:
            self._texts.pop(key, None)
