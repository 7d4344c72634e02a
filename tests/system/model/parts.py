"""The parts of the machine: a process that can die, its delivery, and options and instants spelled out."""

import random
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from experience_runtime.clocks import VirtualClock
from experience_runtime.domain.admission import Policies, Policy
from experience_runtime.domain.executions import TRANSITIONS, Execution
from experience_runtime.domain.instants import to_ms
from experience_runtime.domain.windows import DAYS
from experience_runtime.engine.delivery import InlineDelivery
from experience_runtime.engine.dispatcher import Dispatcher
from experience_runtime.engine.operations import Operations
from experience_runtime.engine.ports import Integrations
from experience_runtime.engine.scheduler import Scheduler
from experience_runtime.engine.stores import Store
from experience_runtime.store.opening import open_sqlite

from tests.engine.conftest import ScriptedHttp
from tests.support.postgres import databases

from .model import LEASE, SECOND, Key, Row, Window

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)

OpenStore = Callable[[Path], Store]


def _sqlite(folder: Path) -> Store:
    store = open_sqlite(str(folder / "experience.db"))
    # Only processes die here, never the machine: what is written need not reach the disk to be found again.
    store.database.connection.execute("PRAGMA synchronous = OFF")
    return store


STORES: dict[str, OpenStore] = {"sqlite": _sqlite, "postgresql": lambda folder: databases().open(folder)}
"""Each opens the store of a folder, and opens it again after a crash."""


class Died(KeyboardInterrupt):
    """The process is gone: nothing of what it was about to write is written."""


class Jitter(random.Random):
    """A source of randomness that says how it will decide."""

    next_one = 0.5

    def random(self) -> float:
        return self.next_one


class Process:
    """One process over a store; another one takes up what it left when it dies."""

    def __init__(self, store: Store, clock: VirtualClock, integrations: Integrations, jitter: Jitter) -> None:
        self.store = store
        self._clock, self._integrations, self._jitter = clock, integrations, jitter
        self._policies = Policies(
            default=Policy(breaker_failures=0)
        )  # the breaker's rules are tested by themselves
        # The same seed in each: two processes give out the same numbers, and the store resolves it.
        self.scheduler = Scheduler(
            store=store,
            clock=clock,
            integrations=integrations,
            conversions=["bought"],
            policies=self._policies,
            source=random.Random(1),
        )
        self.operations = Operations(
            redact=str, store=store, clock=clock, integrations=integrations, policies=self._policies
        )
        self.left_alone: list[Execution] = []
        self.waiting: list[Execution] = []
        self.start_dispatcher()

    def start_dispatcher(self) -> None:
        """Begin anew; what was claimed for the dispatcher before is not forgotten by it."""
        self.left_alone += self.waiting
        self.waiting = []
        self.dispatcher = Dispatcher(
            store=self.store,
            clock=self._clock,
            integrations=self._integrations,
            http=ScriptedHttp(),
            delivery=InlineDelivery(),
            random=self._jitter,
            policies=self._policies,
            lease_seconds=LEASE // SECOND,
        )

    def claim(self, room: int) -> list[Execution]:
        """Claim as a worker does, and leave time for something to happen before it starts."""
        now, wake = self._clock.now(), self.dispatcher.next_wake()
        if wake is None or wake > now:
            return []
        self.store.give_back(now=now)
        lease_until = now + timedelta(milliseconds=LEASE)
        claimed = self.store.claim_due(now=now, lease_until=lease_until, limit=room, policies=self._policies)
        self.waiting += claimed
        return claimed


def since_monday(instant: datetime | None) -> int | None:
    return None if instant is None else to_ms(instant) - to_ms(MONDAY)


def seen(execution: Execution) -> tuple[object, ...]:
    due, lease = since_monday(execution.due_at), since_monday(execution.lease_until)
    return execution.status.value, execution.reason, due, execution.begun, execution.attempt, lease


def whole_key(integration: str, key: str | None, visitor: str | None, scope: str) -> Key | None:
    return None if key is None else (integration, key, visitor or "" if scope == "visitor" else "")


def window_option(window: Window | None) -> dict[str, object] | None:
    if window is None:
        return None
    days, first, last, offset = window
    return {
        "day": ",".join(DAYS[day] for day in days),
        "time": "{:02}:{:02}-{:02}:{:02}".format(*divmod(first, 60), *divmod(last, 60)),
        "timezoneOffset": -offset,
    }


def assert_same_past(store: Store, number: int, row: Row, received: Sequence[tuple[str, int, int]]) -> None:
    """Compare history and attempts with the model's, and the attempts with what the receiver saw."""
    history, attempts = store.history(number), store.attempts(number)

    assert [(change.to_status.value, change.reason) for change in history] == row.walk
    assert all(change.to_status in TRANSITIONS[change.from_status] for change in history)
    assert [change.from_status for change in history[1:]] == [change.to_status for change in history[:-1]]
    assert [change.at for change in history] == sorted(change.at for change in history)
    assert [(each.attempt, since_monday(each.started_at), each.outcome) for each in attempts] == row.calls
    assert [(row.id, token, at) for token, at, _ in row.calls] == [
        each for each in received if each[0] == row.id
    ]
