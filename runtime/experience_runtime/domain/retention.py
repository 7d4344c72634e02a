"""Retention: how long what is over is kept."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Literal, get_args

Kind = Literal["succeeded", "failed", "cancelled", "runs", "events", "answers", "audit", "releases"]
"""Executions by how they ended, runs, what visitors did, answers under Idempotency-Keys, who changed what,
and releases that nothing runs any more."""

KINDS: tuple[Kind, ...] = get_args(Kind)

DEFAULTS: Mapping[Kind, timedelta | None] = MappingProxyType(
    {
        "succeeded": timedelta(days=30),
        "failed": timedelta(days=180),
        "cancelled": timedelta(days=30),
        "runs": timedelta(days=14),
        "events": timedelta(days=90),
        "answers": timedelta(days=7),
        "audit": timedelta(days=730),
        "releases": timedelta(days=365),
    }
)

RELEASES_KEPT = 20
"""The newest of an experience, however old."""

SHORTEST = timedelta(hours=1)
SHORTEST_OF_ANSWERS = timedelta(hours=24)
"""Whoever sends a request again under its key relies on a day."""


@dataclass(frozen=True, slots=True)
class Retention:
    """How long each kind is kept; None: for ever."""

    kept: Mapping[Kind, timedelta | None] = field(default_factory=lambda: dict(DEFAULTS))  # can be pickled

    def before(self, kind: Kind, now: datetime) -> datetime | None:
        """What was over earlier than this goes; None where nothing does."""
        kept = self.kept[kind]
        return None if kept is None else now - kept


@dataclass(frozen=True, slots=True, kw_only=True)
class Pruned:
    """What a batch removed, and whether there is nothing more to look at."""

    removed: int
    is_over: bool
