"""Receivers: how those that this process calls have answered it lately."""

import logging
from collections import OrderedDict, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from experience_runtime.domain.errors import NotConfigured
from experience_runtime.domain.pace import Receiver
from experience_runtime.engine.ports import Integrations
from experience_runtime.untrusted import foreign, spell

FRESH = 4
"""Calls in flight to a receiver that is not known to answer; each answer allows one more, to QUICKLY."""

QUICKLY = 2 * FRESH
"""From then on each fourth does: as many as are in flight are refused when a receiver has had enough."""

_ANSWERS_FOR_ONE = 4
_MOST_RECEIVERS = 10_000
_MOST_ANSWERS = 512
_MOST_TRUST = 1000  # the share of its integration ends it sooner
_SOON = timedelta(seconds=1)
_KEY_LENGTH = 200

_logger = logging.getLogger(__name__)


class Receivers:
    """What a dispatcher has seen of each receiver; the one heard of longest ago is forgotten first."""

    def __init__(self) -> None:
        self._seen: OrderedDict[Receiver, _Seen] = OrderedDict()
        self._trusted: dict[Receiver, int] = {}

    @property
    def trusted(self) -> Mapping[Receiver, int]:
        """How many calls of each may be in flight."""
        return self._trusted

    def ended(self, receiver: Receiver, *, began_at: datetime, ended_at: datetime, is_answered: bool) -> None:
        """Remember how an attempt ended: answered, or not."""
        seen = self._seen.setdefault(receiver, _Seen())
        self._seen.move_to_end(receiver)
        trust = self._trusted.get(receiver, FRESH)
        if is_answered:
            seen.answered.append(ended_at)
            seen.unspent += 1
            is_slow = ended_at - began_at >= _SOON  # so that few answers come, and each has to count
            if trust < QUICKLY or is_slow or seen.unspent >= _ANSWERS_FOR_ONE:
                seen.unspent = 0
                self._trusted[receiver] = min(trust + 1, _MOST_TRUST)
        elif ended_at - began_at >= _SOON:
            self._trusted[receiver] = max(1, trust // 2)
        while len(self._seen) > _MOST_RECEIVERS:
            oldest, _ = self._seen.popitem(last=False)
            self._trusted.pop(oldest, None)

    def per_second(self, receiver: Receiver, *, now: datetime, seconds: float) -> float:
        """How many of it were answered a second, over so many seconds up to now."""
        seen = self._seen.get(receiver)
        if seen is None:
            return 0.0
        since = now - timedelta(seconds=seconds)
        return sum(since <= at <= now for at in seen.answered) / seconds


@dataclass(slots=True)
class _Seen:
    answered: deque[datetime] = field(default_factory=lambda: deque(maxlen=_MOST_ANSWERS))
    unspent: int = 0  # answers that have allowed none yet


def pace_key(integrations: Integrations, name: str, parsed: Any) -> str:
    """Ask an integration whose pace a payload keeps; "" where it does not say, or cannot."""
    try:
        settings = integrations.settings(name)
    except NotConfigured:
        settings = None
    with foreign() as raised:
        key = integrations.get(name).pace_key(parsed, settings)
        return spell(key)[:_KEY_LENGTH] if isinstance(key, str) else ""
    _logger.warning("%s could not name the receiver of a payload: %s", name, type(raised.error).__name__)
    return ""
