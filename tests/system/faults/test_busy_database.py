"""A busy database: many processes on one file, one that holds it. Nothing is lost, a refusal says why."""

import contextlib
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from experience_runtime.clocks import SystemClock
from experience_runtime.domain.errors import InternalError
from experience_runtime.domain.executions import Filter, IfExists, Status
from experience_runtime.engine.delivery import ThreadDelivery
from experience_runtime.engine.worker import Worker
from experience_runtime.store.opening import open_sqlite

from tests.support.executions import an_execution

from .asking import Told
from .commands import a_project, told
from .judgement import judged
from .receiver import Receiver
from .shadow import assert_sound
from .workload import Work, assert_ended_well, until

CALLERS = 6
EACH = 20
HELD_SECONDS = 1.5

_HOLD = """
import sys, apsw
connection = apsw.Connection(sys.argv[1])
connection.set_busy_timeout(10_000)
connection.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.readline()
connection.execute("COMMIT")
print("free", flush=True)
"""


@contextlib.contextmanager
def held(path: str) -> Iterator[None]:
    """Let another process hold the database's write lock."""
    words = [sys.executable, "-c", _HOLD, path]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdin is not None
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        yield
        holder.stdin.write("\n")
        holder.stdin.flush()
        assert holder.stdout.readline() == "free\n"


def test_many_open_a_new_file_at_once(tmp_path: Path) -> None:
    together = threading.Barrier(CALLERS)
    faults: list[BaseException] = []

    def open_and_add(path: str, number: int) -> None:
        together.wait()
        try:
            store = open_sqlite(path)
            store.add(an_execution(number + 1), IfExists.REPLACE)
            store.close()
        except BaseException as fault:  # noqa: BLE001 - shown by the assertion
            faults.append(fault)

    for turn in range(10):
        path = str(tmp_path / f"{turn}.db")
        _all(threading.Thread(target=open_and_add, args=(path, number)) for number in range(CALLERS))

        assert faults == []
        store = open_sqlite(path)
        assert store.count(Filter()) == CALLERS
        store.close()


def test_commands_threads_and_a_worker_share_a_file_that_is_held_for_a_while(
    tmp_path: Path, counting: Receiver
) -> None:
    project = a_project(tmp_path, counting)
    path = str(tmp_path / "experience.db")
    store = open_sqlite(path)
    worker = project.worker()
    acknowledged: set[str] = set()
    faults: list[BaseException] = []

    def schedule() -> None:
        own = open_sqlite(path)
        try:
            work = Work(own)
            work.world.integrations.put("webhook", lambda *_: None)
            for number in range(EACH):
                scheduled = work.world.schedule(integration="webhook", payload=number, visitor=None)
                acknowledged.add(scheduled.execution.id)
        except BaseException as fault:  # noqa: BLE001 - shown by the assertion
            faults.append(fault)
        finally:
            own.close()

    threads = [threading.Thread(target=schedule) for _ in range(CALLERS)]
    commands = [project.begin("run", "burst", "--json") for _ in range(2)]
    with held(path):
        for thread in threads:
            thread.start()
        threading.Event().wait(HELD_SECONDS)
    for thread in threads:
        thread.join()
    for command in commands:
        acknowledged |= told(command)
    until(lambda: not store.count(Filter(statuses=[Status.PENDING, Status.RUNNING])))
    worker.kill()

    assert faults == []
    assert len(acknowledged) == CALLERS * EACH + 20
    assert {counting.counts[each] for each in acknowledged} == {1}
    judged(store, counting.arrivals, Told(scheduled=acknowledged))
    assert_sound(store.database.connection)
    store.close()


def test_a_file_held_too_long_refuses_by_name_and_stores_nothing(tmp_path: Path) -> None:
    path = str(tmp_path / "experience.db")
    store = open_sqlite(path)
    store.database.connection.set_busy_timeout(50)

    with held(path), pytest.raises(InternalError, match=r"another process held it.*try again"):
        store.add(an_execution(1), IfExists.REPLACE)
    store.add(an_execution(2), IfExists.REPLACE)

    assert [each.number for each in store.find(Filter()).executions] == [2]
    store.close()


def test_a_worker_goes_on_when_the_file_is_free_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = str(tmp_path / "experience.db")
    store = open_sqlite(path)
    store.database.connection.set_busy_timeout(20)
    calls: Counter[str] = Counter()
    work = Work(store, calls)
    work.world.clock = SystemClock()  # type: ignore[assignment]
    dispatcher = work.world.dispatcher_on(ThreadDelivery(concurrency=2))
    stop = threading.Event()
    worker = Worker(dispatcher, store, work.world.clock, poll_seconds=0.01)
    scheduled = [work.world.schedule(payload="succeeds") for _ in range(10)]
    thread = threading.Thread(target=worker.run, args=(stop,))

    with held(path):
        thread.start()
        until(lambda: "another process held it" in caplog.text)
        nothing_called = not calls
    until(lambda: store.count(Filter(statuses=[Status.SUCCEEDED])) == len(scheduled))
    stop.set()
    thread.join()

    assert nothing_called
    assert set(calls.values()) == {1}
    assert_ended_well(store, calls)
    store.close()


def _all(threads: Iterator[threading.Thread]) -> None:
    started = list(threads)
    for thread in started:
        thread.start()
    for thread in started:
        thread.join()
