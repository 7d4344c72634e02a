"""A thousand races of a cancel, a conversion, a pause or a replacement against the start of a delivery."""

import multiprocessing
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from experience_runtime.clocks import VirtualClock
from experience_runtime.domain.admission import Policies, Policy
from experience_runtime.domain.errors import Conflict
from experience_runtime.domain.executions import Execution
from experience_runtime.domain.keys import key_digest
from experience_runtime.domain.visitors import Visitor
from experience_runtime.engine.delivery import InlineDelivery
from experience_runtime.engine.dispatcher import Dispatcher
from experience_runtime.engine.operations import Operations
from experience_runtime.engine.prepared import Scheduled
from experience_runtime.engine.scheduler import Scheduler
from experience_runtime.engine.stores import Store
from experience_runtime.integration import Context, IntegrationFailed
from experience_runtime.store.opening import open_postgres, open_sqlite

from tests.engine.conftest import DictIntegrations, ScriptedHttp
from tests.support.postgres import shared

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)  # a Monday
ADA = Visitor(id="ada")
RACES = {"cancel by key": 160, "cancel by id": 160, "convert": 160, "pause": 160, "replace": 160}
RACES_OF_PROCESSES = 200
LEAST_SHARE = 0.05
DEADLINE_SECONDS = 120


def open_store(address: str) -> Store:
    """A store at the path of a file, or at the address of a server."""
    if address.startswith("postgresql://"):
        return open_postgres(address)
    store = open_sqlite(address)
    # Who comes first is decided by the lock on the file; the disk has no part in it.
    store.database.connection.execute("PRAGMA synchronous = OFF")
    return store


class Handicap:
    """Which side dawdles, and how long: whoever wins gets more of it, so that the two meet on any machine.

    The change grows while one side goes on winning, and shrinks when the other wins: races become close.
    """

    def __init__(self) -> None:
        self._start_dawdles = 0  # turns of a loop; below zero it is the other side that dawdles
        self._change = 1000
        self._last = ""
        self.won = {"start": 0, "act": 0}

    def of(self, side: str) -> int:
        return max(0, self._start_dawdles if side == "start" else -self._start_dawdles)

    def count(self, winner: str) -> None:
        self.won[winner] += 1
        self._change = min(2 * self._change, 20_000) if winner == self._last else max(self._change // 2, 50)
        self._start_dawdles += self._change if winner == "start" else -self._change
        self._last = winner

    def assert_both_won(self) -> None:
        """A race that one side always wins proves nothing."""
        assert min(self.won.values()) >= LEAST_SHARE * sum(self.won.values()), self.won


def dawdle(turns: int) -> None:
    for _ in range(turns):
        pass


class Track:
    """A store, one delivering thread, and a receiver that keeps what it saw."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.store = open_store(address)
        self.clock = VirtualClock(NOW)
        self.received: list[str] = []
        self.acted = threading.Event()
        self.fails = False
        self.integrations = DictIntegrations()
        self.integrations.put("receiver", self.receive)
        self.scheduler = Scheduler(
            store=self.store, clock=self.clock, integrations=self.integrations, conversions=["bought"]
        )
        self.operations = Operations(
            store=self.store, clock=self.clock, integrations=self.integrations, redact=str
        )
        self.done = threading.Event()
        self.runner = ThreadPoolExecutor(1)
        self.dispatcher = Dispatcher(
            store=self.store,
            clock=self.clock,
            integrations=self.integrations,
            http=ScriptedHttp(),
            delivery=InlineDelivery(),
            policies=Policies(default=Policy(breaker_failures=0)),  # hundreds of failures in a row are meant
        )

    def receive(self, _: Any, context: Context[Any]) -> str:
        self.received.append(context.execution_id)
        # The other side has then acted before this ends: it raced against the start, not against the end.
        assert self.acted.wait(DEADLINE_SECONDS)
        if self.fails:
            raise IntegrationFailed("busy", may_pass=True)
        return "done"

    def schedule(self, race: int, *, delay: str | int = 0) -> Scheduled:
        options = {"key": {"race": race}, "delay": delay, "cancelOnConversion": True}
        return self.scheduler.schedule("receiver", "hello", options, visitor=ADA)

    def begin_race(self, race: int, ready: Callable[[], None]) -> Execution:
        """Schedule one, and bring its delivery to the line."""
        self.acted.clear()
        self.done.clear()
        execution = self.schedule(race).execution
        self.runner.submit(self._run, ready)
        return execution

    def _run(self, ready: Callable[[], None]) -> None:
        try:
            ready()
            self.dispatcher.run_due()
        finally:
            self.done.set()

    def end_race(self) -> None:
        self.acted.set()
        assert self.done.wait(DEADLINE_SECONDS)

    def walk(self, execution: Execution) -> list[tuple[str, str | None]]:
        return [(str(change.to_status), change.reason) for change in self.store.history(execution.number)]


@pytest.fixture(params=["sqlite", "postgresql"])
def track(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Track]:
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)  # threads that take turns of 5 ms never meet
    made = Track(str(tmp_path / "experience.db") if request.param == "sqlite" else shared().database())
    yield made
    made.runner.shutdown()
    made.store.close()
    sys.setswitchinterval(interval)


PENDING, RUNNING, SUCCEEDED = ("pending", None), ("running", None), ("succeeded", None)


def _cancel_by_key(track: Track, race: int, _: Execution) -> bool:
    return bool(track.scheduler.cancel("receiver", {"key": {"race": race}}, visitor=ADA).ids)


def _cancel_by_id(track: Track, _: int, execution: Execution) -> bool:
    try:
        track.scheduler.cancel_execution(execution.id, reason=None)
    except Conflict:
        return False
    return True


def _convert(track: Track, _: int, execution: Execution) -> bool:
    return execution.id in track.scheduler.convert("ada", event="bought")


def _replace(track: Track, race: int, execution: Execution) -> bool:
    replaced = track.schedule(race, delay="1 hour").replaced
    assert replaced in (None, execution.id)
    return replaced is not None


@pytest.mark.parametrize(
    ("what", "act", "fails", "acted_first", "started_first"),
    [
        ("cancel by key", _cancel_by_key, False, [("cancelled", None)], [RUNNING, SUCCEEDED]),
        ("cancel by id", _cancel_by_id, False, [("cancelled", None)], [RUNNING, SUCCEEDED]),
        ("replace", _replace, False, [("cancelled", "replaced")], [RUNNING, SUCCEEDED]),
        (
            "convert",
            _convert,
            True,
            [("cancelled", "conversion")],
            [RUNNING, ("pending", "integration_failed"), ("cancelled", "conversion")],
        ),
    ],
)
def test_of_an_act_and_a_start_one_wins_and_the_receiver_saw_what_the_store_says(
    track: Track,
    what: str,
    act: Callable[[Track, int, Execution], bool],
    fails: bool,
    acted_first: list[tuple[str, str | None]],
    started_first: list[tuple[str, str | None]],
) -> None:
    handicap, line = Handicap(), threading.Barrier(2)
    track.fails = fails

    def ready() -> None:
        turns = handicap.of("start")
        line.wait(DEADLINE_SECONDS)
        dawdle(turns)

    for race in range(RACES[what]):
        execution = track.begin_race(race, ready)
        turns = handicap.of("act")
        line.wait(DEADLINE_SECONDS)
        dawdle(turns)
        act_won = act(track, race, execution)
        track.end_race()

        assert track.received.count(execution.id) == (not act_won)
        assert track.walk(execution) == [PENDING, *(acted_first if act_won else started_first)]
        assert len(track.store.attempts(execution.number)) == (not act_won)
        handicap.count("act" if act_won else "start")

    track.clock.advance_to(NOW.replace(hour=12, minute=30))
    assert track.dispatcher.run_due() == 0  # a retry that a conversion took away does not come back
    print(f"\n{what}: {handicap.won}")
    handicap.assert_both_won()


def test_of_a_pause_and_a_start_one_wins_and_nothing_starts_while_paused(track: Track) -> None:
    handicap, line = Handicap(), threading.Barrier(2)
    paused = threading.Event()
    too_late: list[bool] = []

    def ready() -> None:
        turns = handicap.of("start")
        line.wait(DEADLINE_SECONDS)
        dawdle(turns)
        too_late.append(paused.is_set())

    for race in range(RACES["pause"]):
        paused.clear()
        execution = track.begin_race(race, ready)
        turns = handicap.of("act")
        line.wait(DEADLINE_SECONDS)
        dawdle(turns)
        track.operations.pause("receiver")
        paused.set()
        track.end_race()

        seen = execution.id in track.received
        assert not (seen and too_late[-1])
        assert track.walk(execution) == ([PENDING, RUNNING, SUCCEEDED] if seen else [PENDING])
        assert track.dispatcher.run_due() == 0
        track.operations.resume("receiver")
        if not seen:
            assert track.dispatcher.run_due() == 1
            track.end_race()
        assert track.received.count(execution.id) == 1
        assert track.walk(execution) == [PENDING, RUNNING, SUCCEEDED]
        handicap.count("start" if seen else "act")

    print(f"\npause: {handicap.won}")
    handicap.assert_both_won()


def _cancel_elsewhere(address: str, line: Any, pipe: Any) -> None:
    """Another process: cancel by its own store what it is told to, until it is told None."""
    store = open_store(address)
    pipe.send("ready")
    while (told := pipe.recv()) is not None:
        race, turns = told
        digest = key_digest("receiver", f'{{"race":{race}}}')
        line.wait(DEADLINE_SECONDS)
        dawdle(turns)
        pipe.send(store.cancel_key(key_digest=digest, key_owner="ada", reason="elsewhere", now=NOW))
    store.close()


def test_of_a_cancel_in_one_process_and_a_start_in_another_one_wins(track: Track) -> None:
    context = multiprocessing.get_context("spawn")
    line, (pipe, theirs) = context.Barrier(2), context.Pipe()
    other = context.Process(target=_cancel_elsewhere, args=(track.address, line, theirs), daemon=True)
    other.start()
    handicap = Handicap()

    def ready() -> None:
        turns = handicap.of("start")
        line.wait(DEADLINE_SECONDS)
        dawdle(turns)

    assert pipe.poll(DEADLINE_SECONDS)
    assert pipe.recv() == "ready"
    for race in range(RACES_OF_PROCESSES):
        pipe.send((race, handicap.of("act")))
        execution = track.begin_race(race, ready)
        assert pipe.poll(DEADLINE_SECONDS)
        cancelled = pipe.recv()
        track.end_race()

        assert cancelled in ([], [execution.id])
        assert track.received.count(execution.id) == (not cancelled)
        ended = [("cancelled", "elsewhere")] if cancelled else [RUNNING, SUCCEEDED]
        assert track.walk(execution) == [PENDING, *ended]
        handicap.count("act" if cancelled else "start")
    pipe.send(None)
    other.join(DEADLINE_SECONDS)

    assert other.exitcode == 0
    print(f"\ncancel in another process: {handicap.won}")
    handicap.assert_both_won()
