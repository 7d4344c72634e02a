"""Backtest: what recorded visitors did, played through a version of an experience, by many processes at once.

Nothing is sent and nothing is stored: the database is only read, and each visitor is a story of their own.
"""

import gc
import hashlib
import multiprocessing
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from experience_runtime.domain.errors import ExperienceError
from experience_runtime.domain.recorded import RecordedVisitor
from experience_runtime.domain.releases import Release
from experience_runtime.proving.tally import Compared, Tally
from experience_runtime.runtime import Runtime
from experience_runtime.scripts.bundle import Bundle
from experience_runtime.scripts.loading import prepare, prepare_release
from experience_runtime.settings.load import Settings
from experience_runtime.simulation.play import PlayRequest
from experience_runtime.simulation.recorded import recorded_story
from experience_runtime.simulation.story import parse_story
from experience_runtime.store.recorded import Person, Recorded

TOGETHER = 50
"""Visitors that a process plays before it tells."""

_WAITING = 2  # lots of visitors that wait for each process
_FEW = 100  # for so many visitors one process is quicker than starting others


@dataclass(frozen=True, slots=True, kw_only=True)
class Backtest:
    """What is played: the pages opened from `since` to `until`, with `path`, and if it is there `against`.

    `experience`: what `path` is a new version of.
    """

    experience: str
    path: Path
    since: datetime
    until: datetime
    variation: str | None = None
    against: Path | Release | None = None


@dataclass(slots=True, kw_only=True)
class Backtested:
    """What came of it. `left_out`: visitors who opened no page; `unplayable`: by the code of why not."""

    new: Tally = field(default_factory=Tally)
    old: Tally = field(default_factory=Tally)
    compared: Compared = field(default_factory=Compared)
    events: int = 0
    left_out: int = 0
    unplayable: dict[str, int] = field(default_factory=dict)

    def merge(self, other: "Backtested") -> None:
        """Add what another process has played."""
        self.new.merge(other.new)
        self.old.merge(other.old)
        self.compared.merge(other.compared)
        self.events += other.events
        self.left_out += other.left_out
        for code, count in other.unplayable.items():
            self.unplayable[code] = self.unplayable.get(code, 0) + count


def sampled(persons: Sequence[Person], most: int | None) -> list[Person]:
    """At most so many of them, the same ones each time, whoever came since."""
    if most is None or len(persons) <= most:
        return list(persons)
    return sorted(persons, key=lambda ids: hashlib.sha256(ids[0].encode()).digest())[:most]


def play_lot(runtime: Runtime, backtest: Backtest, visitors: Iterable[RecordedVisitor]) -> Backtested:
    """Play some visitors, one after the other."""
    played = Backtested()
    for visitor in visitors:
        try:
            _play(runtime, backtest, visitor, played)
        except ExperienceError as error:
            played.unplayable[error.code] = played.unplayable.get(error.code, 0) + 1
    return played


def _play(runtime: Runtime, backtest: Backtest, visitor: RecordedVisitor, played: Backtested) -> None:
    content = recorded_story(
        visitor, since=backtest.since, until=backtest.until, conversions=runtime.settings.conversions
    )
    if content is None:
        played.left_out += 1
        return
    request = PlayRequest(now=backtest.until, story=parse_story(content, where=f"visitor {visitor.id}"))
    new = runtime.play(request, prepare(backtest.path, variation=backtest.variation))
    old = None if backtest.against is None else runtime.play(request, prepared(backtest.against))
    played.events += sum(each.at >= backtest.since for each in visitor.events)
    played.new.add(visitor.id, new)
    if old is not None:
        played.old.add(visitor.id, old)
        played.compared.add(visitor.id, new.executions, old.executions, content)


def prepared(version: Path | Release) -> Bundle:
    """Read a version to be played. Raises ScriptFault."""
    return prepare_release(version) if isinstance(version, Release) else prepare(version)


def play_all(
    settings: Settings,
    backtest: Backtest,
    recorded: Recorded,
    persons: Sequence[Person],
    *,
    progress: Callable[[int], None],
) -> Backtested:
    """Play everybody, on every processor; `progress` hears how many are done."""
    whole = Backtested()
    done = 0

    def take(one: Backtested, count: int) -> None:
        nonlocal done
        whole.merge(one)
        done += count
        progress(done)

    lots = [persons[at : at + TOGETHER] for at in range(0, len(persons), TOGETHER)]
    if len(persons) <= _FEW:
        with Runtime(settings) as runtime:
            for lot in lots:
                take(play_lot(runtime, backtest, recorded.of(lot)), len(lot))
        return whole
    for one, count in _by_processes(settings, backtest, recorded, lots):
        take(one, count)
    return whole


def _by_processes(
    settings: Settings, backtest: Backtest, recorded: Recorded, lots: Sequence[Sequence[Person]]
) -> Iterator[tuple[Backtested, int]]:
    processes = min(len(lots), 1 + (os.cpu_count() or 1))  # one more: each waits for its sandbox now and then
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, spawn, initializer=_begin, initargs=(settings, backtest)) as executor:
        under_way: dict[Future[Backtested], int] = {}
        try:
            for lot in lots:
                if len(under_way) >= processes * _WAITING:
                    yield from _ended(under_way)
                under_way[executor.submit(_play_here, recorded.of(lot))] = len(lot)
            while under_way:
                yield from _ended(under_way)
        finally:
            executor.shutdown(wait=True, cancel_futures=True)


def _ended(under_way: dict[Future[Backtested], int]) -> Iterator[tuple[Backtested, int]]:
    for future in wait(under_way, return_when=FIRST_COMPLETED).done:
        yield future.result(), under_way.pop(future)


_here: tuple[Runtime, Backtest] | None = None
"""What a process plays with, from its beginning."""


def _begin(settings: Settings, backtest: Backtest) -> None:
    global _here
    _here = (Runtime(settings), backtest)
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)  # a visitor leaves little behind that refers to itself


def _play_here(visitors: Sequence[RecordedVisitor]) -> Backtested:
    assert _here is not None
    return play_lot(*_here, visitors)
