"""A yard: worker processes on one database, what they have called, and the judgement over both."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import experience_runtime
from experience_runtime.clocks import SystemClock, monotonic
from experience_runtime.domain.executions import Execution, Filter, IfExists, Status, execution_id
from experience_runtime.domain.instants import from_ms, to_ms
from experience_runtime.engine.stores import Store

from tests.system.faults.asking import Told
from tests.system.faults.judgement import Arrival, judged

LEASE = 3
DEADLINE_SECONDS = 180
OPEN = Filter(statuses=[Status.PENDING, Status.RUNNING])


@dataclass
class Yard:
    """`address` is what workers are told, it may lead through a relay; `store` is at the server itself."""

    address: str
    store: Store
    received_path: Path
    process: "subprocess.Popen[str]"
    pids: list[int] = field(default_factory=list)
    made: list[int] = field(default_factory=list)

    def worker(self, *, concurrency: int = 8, lease: int = LEASE, only: str = "-", address: str = "") -> int:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{address or self.address} {concurrency} {lease} {only}\n")
        self.process.stdin.flush()
        self.pids.append(int(self.process.stdout.readline()))
        return self.pids[-1]

    def schedule(self, count: int, *, seconds: float = 0, integration: str = "noted") -> list[str]:
        """Store executions that are due now, whose calls last so long; return their ids."""
        now = SystemClock().now()
        first = to_ms(now) << 21 | len(self.made)
        ids = []
        for number in range(first, first + count):
            execution = an_execution(number, now, seconds, integration)
            ids.append(self.store.add(execution, IfExists.REPLACE).execution.id)
            self.made.append(number)
        return ids

    def received(self) -> list[tuple[str, int, int]]:
        """Every call there was: (id, attempt, process)."""
        if not self.received_path.exists():
            return []
        lines = [line.split() for line in self.received_path.read_text().splitlines()]
        return [(id, int(attempt), int(pid)) for id, attempt, pid, _ in lines]

    def arrivals(self) -> list[Arrival]:
        """When each call had begun, by execution."""
        lines = [line.split() for line in self.received_path.read_text().splitlines()]
        return [(id, from_ms(int(float(at) * 1000))) for id, _, _, at in lines]

    def wait_for(self, count: int) -> None:
        """Wait until there were so many calls."""
        until(lambda: len(self.received()) >= count, lambda: f"{len(self.received())} of {count} calls")

    def wait_until_done(self) -> None:
        """Wait until everything has ended; what was lost waits for minutes before it is tried again."""
        until(lambda: self.store.count(OPEN) == 0, lambda: f"{self.store.count(OPEN)} are left", seconds=400)

    def wait_for_worker(self, pid: int, *, since: int) -> None:
        """Give the workers something to do until this one has taken part, after so many calls."""

        def takes_part() -> bool:
            if pid in {each for _, _, each in self.received()[since:]}:
                return True
            if self.store.next_wake(now=SystemClock().now()) is None:
                self.schedule(24, seconds=0.5)  # more than the others have room for
            return False

        until(takes_part, lambda: f"the worker {pid} does not come back")

    def judge(self) -> int:
        """Assert that nothing was lost or repeated but what was in flight; return how many were repeated."""
        judged(self.store, self.arrivals(), Told(scheduled={execution_id(each) for each in self.made}))
        calls = Counter(id for id, _, _ in self.received())
        found = list(self.store.find(Filter(), limit=1_000_000).executions)
        assert {each.number for each in found} == set(self.made)
        repeated = 0
        for each in found:
            attempts = self.store.attempts(each.number)
            lost = sum(attempt.outcome == "lost" for attempt in attempts)
            assert each.status is Status.SUCCEEDED, each
            assert len(attempts) - lost == 1, (each, attempts)
            assert 1 <= calls[each.id] <= len(attempts), (each, attempts, calls[each.id])
            repeated += calls[each.id] > 1
        return repeated


@contextlib.contextmanager
def a_yard(address: str, store: Store, folder: Path, *, network: str | None = None) -> Iterator[Yard]:
    """`network`: the network namespace its workers live in."""
    imported = os.pathsep.join([str(Path(experience_runtime.__file__).parents[2]), *sys.path])
    received = folder / "received"
    inside = [] if network is None else ["ip", "netns", "exec", network]
    with (folder / "workers.log").open("ab") as log:
        process = subprocess.Popen(
            [*inside, sys.executable, str(Path(__file__).with_name("nursery.py")), str(received)],
            env=os.environ | {"PYTHONPATH": imported},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            start_new_session=True,  # its workers end with it, whatever the test comes to
        )
        with process:
            try:
                yield Yard(address, store, received, process)
            finally:
                os.killpg(process.pid, signal.SIGKILL)


def an_execution(number: int, now: datetime, seconds: float = 0, integration: str = "noted") -> Execution:
    return Execution(
        number=number,
        integration=integration,
        payload=str(seconds),
        created_at=now,
        requested_at=now,
        due_at=now,
        zone="UTC",
        zone_from="default",
    )


def until(is_so: Callable[[], bool], what: Callable[[], Any], *, seconds: float = DEADLINE_SECONDS) -> None:
    """Look again and again; fail with `what` when it does not become so."""
    gives_up_at = monotonic() + seconds
    moment = threading.Event()
    while not is_so():
        assert monotonic() < gives_up_at, what()
        moment.wait(0.02)
