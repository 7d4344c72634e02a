"""Power loss: whatever the disk held back, what was acknowledged is there after it."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import apsw
import pytest
from experience_runtime.domain.errors import ExperienceError
from experience_runtime.store.opening import open_sqlite

from . import ROUNDS
from .power import Platter
from .shadow import Dump, ShadowedStore, assert_sound, dump
from .vfs import DiskEvent, RecordingDisk
from .workload import Work, random_of

STEPS = 100 if ROUNDS < 500 else 400


@dataclass(frozen=True)
class Recording:
    """What reached the disk, and after how many of its events each state was acknowledged."""

    events: Sequence[DiskEvent]
    acknowledged: Sequence[tuple[int, Dump]]

    def possible(self, length: int) -> list[Dump]:
        """What may be found after so many events: the last acknowledged state, or the one in the making."""
        before = sum(at <= length for at, _ in self.acknowledged)
        return [state for _, state in self.acknowledged[max(0, before - 1) : before + 1]]


def _record(folder: Path, synchronous: str | None = None) -> Recording:
    """Run the workload, with checkpoints now and then and a restart in the middle.

    `synchronous` takes the place of the store's own setting.
    """
    disk = RecordingDisk()
    acknowledged: list[tuple[int, Dump]] = []
    with disk.as_default():
        store = ShadowedStore(str(folder / "experience.db"))

        def keep() -> None:
            acknowledged.append((len(disk.events), dump(store.shadow.database.connection)))

        keep()
        store.acknowledged = keep
        work = Work(store)
        setting = "PRAGMA wal_autocheckpoint = 40"
        if synchronous is not None:
            setting += f"; PRAGMA synchronous = {synchronous}"
        store.file.database.connection.execute(setting).fetchall()  # every statement of it
        for number, act in enumerate(itertools.islice(work.steps(), STEPS)):
            work.step(act)
            if number == STEPS // 2:
                store.file.close()
                store.file = open_sqlite(store.file.database.path)
                store.file.database.connection.execute(setting).fetchall()  # every statement of it
        store.close()
    assert store.refused == []
    assert store.disagreements == []
    return Recording(disk.events, acknowledged)


def _lose_power(recording: Recording, folder: Path, losses: int) -> int:
    """Lose power at that many moments; count the databases that are damaged or in an impossible state."""
    platter = Platter()
    moments = random_of("moments").sample(range(len(recording.events)), min(losses, len(recording.events)))
    bad = 0
    for length, event in enumerate(recording.events, 1):
        platter.follow(event)
        if length in moments:
            path = platter.lose_power(folder / str(length), random_of("power", length))
            bad += not _is_possible(path, recording.possible(length))
    return bad


def _is_possible(path: str, possible: list[Dump]) -> bool:
    try:
        store = open_sqlite(path)
    except ExperienceError:
        return False
    try:
        assert_sound(store.database.connection)
        return dump(store.database.connection) in possible
    except (AssertionError, apsw.Error):
        return False
    finally:
        store.close()


def test_what_was_acknowledged_survives_power_loss(tmp_path: Path) -> None:
    recording = _record(tmp_path)

    bad = _lose_power(recording, tmp_path, ROUNDS * 2)

    print(f"\npower lost {ROUNDS * 2} times in {len(recording.events)} events: {bad} databases damaged")
    assert bad == 0


@pytest.mark.parametrize("synchronous", ["NORMAL", "OFF"])
def test_with_less_synchronous_the_same_losses_are_seen(tmp_path: Path, synchronous: str) -> None:
    recording = _record(tmp_path, synchronous)

    bad = _lose_power(recording, tmp_path, ROUNDS * 2)

    print(f"\nwith synchronous = {synchronous}, of {ROUNDS * 2}: {bad} databases damaged")
    assert bad > ROUNDS // 2
