"""A disk that is full, fails to read, write or sync: what was acknowledged stands, and nothing else."""

import contextlib
import threading
from pathlib import Path
from typing import Any

import apsw
import pytest
from experience_runtime.clocks import SystemClock
from experience_runtime.domain.errors import InternalError
from experience_runtime.domain.executions import Filter, IfExists, Status
from experience_runtime.engine.delivery import ThreadDelivery
from experience_runtime.engine.dispatcher import Dispatcher
from experience_runtime.engine.worker import Worker
from experience_runtime.integration import Context
from experience_runtime.store.opening import open_sqlite

from tests.support.executions import an_execution

from . import IS_LONG
from .shadow import ShadowedStore, assert_sound, crash, dump
from .vfs import BreakingDisk, Fault
from .workload import Work, assert_ended_well, until

PLACES = range(1, 151) if IS_LONG else (1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144)
NEVER = 1_000_000_000
CALLERS = 8
HINTS = {
    Fault.DISK_FULL: "the disk is full",
    Fault.WRITE_ERROR: "the disk did not read or write",
    Fault.READ_ERROR: "the disk did not read or write",
    Fault.FAILED_FSYNC: "the disk did not read or write",
}
STEPS_AFTER = 20  # more than one round of the workload: the store goes on
# What SQLite goes on without (a size hint, a checkpoint at the end), apsw tells as unraisable.
SWALLOWED = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@SWALLOWED
@pytest.mark.parametrize("fault", Fault)
@pytest.mark.parametrize("lasting", [1, 7])
def test_what_was_acknowledged_stands_and_what_was_refused_does_not(
    tmp_path: Path, fault: Fault, lasting: int
) -> None:
    refused = 0
    for nth in PLACES:
        folder = tmp_path / str(nth)
        folder.mkdir()
        refused += _break(folder, BreakingDisk(fault, nth, lasting))

    assert refused >= 2, "some places are inside a verb"
    print(f"\n{fault}, {lasting} at a time: {len(PLACES)} places, {refused} verbs refused")


@SWALLOWED
def test_callers_that_share_a_commit_are_refused_or_stored_each(tmp_path: Path) -> None:
    disk = BreakingDisk(Fault.DISK_FULL, nth=NEVER)
    acknowledged: set[int] = set()
    refused: set[int] = set()
    with disk.as_default():
        store = open_sqlite(str(tmp_path / "experience.db"))

        def add(first: int) -> None:
            for number in range(first, 400, CALLERS):
                if number == 200:
                    disk.break_now()
                if number == 300:
                    disk.mend()
                try:
                    store.add(an_execution(number + 1), IfExists.REPLACE)
                    acknowledged.add(number + 1)
                except InternalError:
                    refused.add(number + 1)

        threads = [threading.Thread(target=add, args=(first,)) for first in range(CALLERS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        path = crash(tmp_path, tmp_path / "after")
        store.close()
    rebooted = open_sqlite(path)

    kept = {execution.number for execution in rebooted.find(Filter(), limit=1000).executions}

    assert refused
    assert acknowledged | refused == set(range(1, 401))
    assert kept == acknowledged
    rebooted.close()


@SWALLOWED
@pytest.mark.parametrize("fault", [Fault.DISK_FULL, Fault.WRITE_ERROR, Fault.FAILED_FSYNC])
def test_a_worker_goes_on_by_itself_when_the_disk_is_well_again(tmp_path: Path, fault: Fault) -> None:
    disk = BreakingDisk(fault, nth=NEVER)
    with disk.as_default():
        store = open_sqlite(str(tmp_path / "experience.db"))
        store.database.connection.execute("PRAGMA wal_autocheckpoint = 0")
        work = Work(store)
        world, stop, calling = work.world, threading.Event(), threading.Semaphore(0)

        def call(payload: Any, context: Context[Any]) -> None:
            work.calls[context.execution_id] += 1
            calling.release()
            if payload == "breaks":
                disk.break_now()  # the answer came and cannot be written down

        world.integrations.put("slack-update", call)
        world.clock = SystemClock()  # type: ignore[assignment]
        dispatcher = Dispatcher(
            store=store,
            clock=world.clock,
            integrations=world.integrations,
            http=world.http,
            delivery=ThreadDelivery(concurrency=2),
        )
        worker = Worker(dispatcher, store, world.clock, poll_seconds=0.01)
        for number in range(20):
            world.schedule(payload="breaks" if number == 5 else "works")
        thread = threading.Thread(target=worker.run, args=(stop,))

        thread.start()
        until(lambda: disk.raised >= 3)
        disk.mend()
        until(lambda: store.next_wake(now=world.clock.now()) is None)
        stop.set()
        thread.join()

        assert disk.raised >= 3
        assert store.count(Filter(statuses=[Status.SUCCEEDED])) == 20
        assert_ended_well(store, work.calls)
        assert max(work.calls.values()) == 1
        store.close()


def _break(folder: Path, disk: BreakingDisk) -> int:
    """Work until the disk broke and a while longer, crash, and look at what is left; count the refusals."""
    after = folder / "after"
    with disk.as_default():
        try:
            store = ShadowedStore(str(folder / "experience.db"))
        except InternalError as error:
            said = error.message
            path = crash(folder, after)
            work = None
        else:
            work = _work(store, disk)
            path = crash(folder, after)
            disk.mend()
            store.close()
    rebooted = open_sqlite(path)
    if work is None:
        assert HINTS[disk.fault] in said
        assert_sound(rebooted.database.connection)
        rebooted.close()
        return 1
    assert store.disagreements == []
    assert [each for each in store.refused if HINTS[disk.fault] not in each.message] == []
    possible = store.possible()
    if disk.fault is not Fault.FAILED_FSYNC:
        del possible[1:]  # only a commit that was written whole and not synced can come back
    assert dump(rebooted.database.connection) in possible
    assert_sound(rebooted.database.connection)
    again = Work(rebooted, work.calls)
    again.world.clock.advance_to(work.world.clock.now())
    again.end()
    assert_ended_well(rebooted, again.calls)
    assert_sound(rebooted.database.connection)
    rebooted.close()
    return len(store.refused)


def _work(store: ShadowedStore, disk: BreakingDisk) -> Work:
    connection = store.file.database.connection
    # A small cache reads more. SQLite swallows what fails in its own checkpoints, which apsw would raise.
    connection.execute("PRAGMA cache_size = 10; PRAGMA wal_autocheckpoint = 0").fetchall()
    work = Work(store)
    left = STEPS_AFTER
    for number, act in enumerate(work.steps()):
        work.step(act)
        if number % 10 == 9:
            with contextlib.suppress(apsw.Error):
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        left -= disk.raised > 0
        if left == 0:
            break
    return work
