"""kill -9, again and again: nothing acknowledged is lost, nothing but what was in flight comes twice."""

import contextlib
import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from experience_runtime.store.opening import open_sqlite

from . import ROUNDS
from .asking import Told
from .commands import IMPORTED, ROOT, a_project, told
from .judgement import judged, waiting
from .receiver import Receiver
from .shadow import assert_sound
from .workload import until

BURST = 14
COMMANDS = max(3, ROUNDS // 20)


@dataclass
class Nursery:
    """Talks to `nursery.py`; remembers what was acknowledged."""

    process: "subprocess.Popen[str]"
    told: Told = field(default_factory=Told)

    def worker(self) -> int:
        self._say("worker")
        return int(self._line())

    def begin_schedule(self, first: int, count: int) -> None:
        self._say(f"schedule {first} {count}")

    def end_schedule(self) -> None:
        while (line := self._line()) != "done":
            self.told.hear(line)

    def _say(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()

    def _line(self) -> str:
        assert self.process.stdout is not None
        line = self.process.stdout.readline().strip()
        assert line, "the nursery ended"
        return line


@contextlib.contextmanager
def _nursery(path: str, url: str, log: Path) -> Iterator[Nursery]:
    with log.open("wb") as err:
        process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("nursery.py")), path, url],
            env=os.environ | {"PYTHONPATH": os.pathsep.join([IMPORTED, str(ROOT)])},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=err,
            text=True,
            start_new_session=True,  # its workers end with it, whatever the test comes to
        )
        with process:
            try:
                yield Nursery(process)
            finally:
                os.killpg(process.pid, signal.SIGKILL)


def test_killed_workers_lose_nothing_and_repeat_only_what_was_in_flight(
    tmp_path: Path, counting: Receiver
) -> None:
    chance, moment = random.Random(9), threading.Event()
    path = str(tmp_path / "experience.db")
    store = open_sqlite(path)
    with (
        _nursery(path, counting.url, tmp_path / "workers.log") as workers,
        _nursery(path, counting.url, tmp_path / "scheduling.log") as scheduling,
    ):
        for kill in range(ROUNDS):
            worker = workers.worker()
            scheduling.begin_schedule(1 + kill * BURST, BURST)
            # somewhere in the burst; sometimes before it, while the worker starts
            counting.wait_for(counting.total + chance.randrange(BURST - 3), seconds=0.25)
            moment.wait(chance.random() * 0.01)
            os.kill(worker, signal.SIGKILL)
            scheduling.end_schedule()
            if kill % 20 == 19 or kill == ROUNDS - 1:
                last = workers.worker()
                until(lambda: not waiting(store))
                os.kill(last, signal.SIGKILL)

    repeated, figures = judged(store, counting.arrivals, scheduling.told)
    assert_sound(store.database.connection)
    print(f"\n{ROUNDS} kills: {figures}")
    assert repeated, "no kill met a call in flight"
    store.close()


def test_killed_commands_lose_nothing_that_a_run_was_told(tmp_path: Path, counting: Receiver) -> None:
    chance, moment = random.Random(9), threading.Event()
    project = a_project(tmp_path, counting)
    acknowledged = Told()
    for _ in range(COMMANDS):
        worker = project.worker()
        run = project.begin("run", "burst", "--json")
        counting.wait_for(counting.total + 1 + chance.randrange(10), seconds=60)
        moment.wait(chance.random() * 0.01)
        worker.kill()
        acknowledged.scheduled |= told(run)

    last = project.worker()  # what was lost waits some seconds before it is tried again
    store = open_sqlite(str(tmp_path / "experience.db"))
    until(lambda: not waiting(store))
    last.terminate()
    assert last.end() == 0

    _, figures = judged(store, counting.arrivals, acknowledged)
    assert_sound(store.database.connection)
    print(f"\n{COMMANDS} kills of `experience worker`: {figures}")
    assert len(acknowledged.scheduled) == COMMANDS * 10
    store.close()
