"""The parts of a store: each holds one kind of thing, under a contract of its own."""

from typing import Protocol

from experience_runtime.engine.auditing import Audit
from experience_runtime.engine.events import Events
from experience_runtime.engine.exposures import Exposures
from experience_runtime.engine.feed import Feed
from experience_runtime.engine.keeping import (
    Alerts,
    Erasing,
    Pruning,
    Replies,
    Runs,
    Schedules,
    Tokens,
    Workers,
)
from experience_runtime.engine.kept_settings import SealedSettings
from experience_runtime.engine.releases import Releases
from experience_runtime.engine.visitor_list import VisitorList


class StoreParts(Protocol):
    """What a store keeps beside executions and visitors."""

    @property
    def schedules(self) -> Schedules: ...

    @property
    def workers(self) -> Workers: ...

    @property
    def tokens(self) -> Tokens: ...

    @property
    def replies(self) -> Replies: ...

    @property
    def events(self) -> Events: ...

    @property
    def runs(self) -> Runs: ...

    @property
    def releases(self) -> Releases: ...

    @property
    def exposures(self) -> Exposures: ...

    @property
    def audit(self) -> Audit: ...

    @property
    def erasing(self) -> Erasing: ...

    @property
    def pruning(self) -> Pruning: ...

    @property
    def visitor_list(self) -> VisitorList: ...

    @property
    def alerts(self) -> Alerts: ...

    @property
    def feed(self) -> Feed: ...

    @property
    def integration_settings(self) -> SealedSettings: ...
