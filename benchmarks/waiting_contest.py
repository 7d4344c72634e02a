"""What one contestant of `benchmarks/waiting.py` is put through, and what it took.

Each verb runs in a process of its own (`peers/waiting_verbs.py`), so a contestant knows only what it made
durable. What ran, and when, stands in the file `starts` that the executions themselves write.
"""

import contextlib
import json
import signal
import statistics
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CALLERS = 16
FIRE_FROM, BURST_FROM, KILL_FROM, HTTP_FROM = 20_000_000, 30_000_000, 40_000_000, 50_000_000
START_UP_SECONDS = 6.0
"""How long before the first due instant a worker is started."""

FIRE_SPREAD_SECONDS = 30.0
VERB_SPARE_SECONDS = 120.0
BURST_LIMIT_SECONDS = 120.0
STALL_SECONDS = 20.0
"""A worker that starts nothing for so long will start nothing more."""

Figures = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Amounts:
    pending: int
    fill_seconds: float
    fires: int
    burst: int
    samples: int


class VerbFailed(Exception):
    """A contestant's process ended with an error, or not at all; the message is its last line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contestant:
    name: str
    words: tuple[str, ...]
    folder: Path

    def verb(self, verb: str, *rest: float, limit_seconds: float) -> Figures:
        words = [*self.words, verb, str(self.folder), *map(str, rest)]
        try:
            done = subprocess.run(words, capture_output=True, text=True, timeout=limit_seconds, check=False)
        except subprocess.TimeoutExpired:
            raise VerbFailed(f"{verb} took more than {limit_seconds:.0f} s") from None
        if done.returncode != 0:
            raise VerbFailed(f"{verb}: {(done.stderr.strip().splitlines() or ['?'])[-1][:200]}")
        figures: Figures = json.loads(done.stdout.splitlines()[-1])
        return figures

    def start_worker(self) -> subprocess.Popen[bytes]:
        with (self.folder / "worker.log").open("ab") as log:
            return subprocess.Popen([*self.words, "work", str(self.folder)], stdout=log, stderr=log)

    @contextlib.contextmanager
    def worker(self) -> Iterator[subprocess.Popen[bytes]]:
        process = self.start_worker()
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def starts(self, first: int) -> dict[int, list[float]]:
        """When each execution from this number on, up to the next series, was started."""
        path = self.folder / "starts"
        found: dict[int, list[float]] = {}
        for line in path.read_text().splitlines() if path.exists() else []:
            number, instant = line.split()
            if first <= int(number) < first + FIRE_FROM // 2:
                found.setdefault(int(number), []).append(float(instant))
        return found

    def database_bytes(self) -> int:
        return sum(file.stat().st_size for file in self.folder.glob("*.db*"))


def measure(contestant: Contestant, amounts: Amounts, say: Any) -> Figures:
    """Every figure; a part that fails says why under its own name, and the others go on."""
    limit = amounts.fill_seconds + 2 * VERB_SPARE_SECONDS
    empty = contestant.verb("fill", 0, 2, 60, 1, limit_seconds=VERB_SPARE_SECONDS)
    figures: Figures = {"version": empty["version"]}
    before = contestant.database_bytes()
    say("fill")
    # begins behind the rows that made the tables
    fill = contestant.verb("fill", 2, amounts.pending, amounts.fill_seconds, CALLERS, limit_seconds=limit)
    figures["pending"] = fill["rows"]
    figures["inserts_per_second"] = fill["acknowledged"] / fill["seconds"]
    figures["bytes_per_row"] = (contestant.database_bytes() - before) / max(1, fill["rows"])
    parts: dict[str, Callable[[], Figures]] = {
        "cancels": lambda: _cancels(contestant, fill["acknowledged"], amounts.samples),
        "conversions": lambda: _conversions(contestant, fill["acknowledged"], amounts.samples),
        "fires": lambda: _fires(contestant, amounts.fires),
        "burst": lambda: _burst(contestant, BURST_FROM, amounts.burst),
        "killed": lambda: _killed(contestant, amounts.burst),
    }
    for name, part in parts.items():
        say(name)
        try:
            figures |= part()
        except VerbFailed as fault:
            figures.setdefault("faults", []).append(str(fault))
    figures["rss_mib"] = max(
        (figures.pop(key) for key in ("fires_rss", "burst_rss") if key in figures), default=None
    )
    return figures


def http_burst(contestant: Contestant, count: int) -> Figures:
    """The same burst through real HTTP: the receiver notes what it got."""
    figures = _burst(contestant, HTTP_FROM, count)
    return {"http_per_second": figures["burst_per_second"], "http_not_started": figures["burst_not_started"]}


def _cancels(contestant: Contestant, rows: int, samples: int) -> Figures:
    # from the middle: at the end of a fill that time cut short, some numbers are missing
    count = min(samples, rows // 8)
    found = contestant.verb("cancel", rows // 2, count, 30, CALLERS, limit_seconds=VERB_SPARE_SECONDS)
    return {"cancels_per_second": found["count"] / found["seconds"]}


def _conversions(contestant: Contestant, rows: int, samples: int) -> Figures:
    # visitors of the first quarter: the cancelled executions are in the middle
    count = min(samples, rows // 8)
    found = contestant.verb("convert", 1, count, limit_seconds=VERB_SPARE_SECONDS)
    return {} if "not_supported" in found else _quantiles("convert", found["milliseconds"])


def _fires(contestant: Contestant, count: int) -> Figures:
    due_at = _planned(contestant, FIRE_FROM, count, FIRE_SPREAD_SECONDS)
    with contestant.worker() as worker:
        starts = _until_done(contestant, FIRE_FROM, due_at, time.monotonic() + FIRE_SPREAD_SECONDS + 60)
        memory = _peak_memory_mib(worker.pid)
    late = [1000 * (starts[number][0] - due_at[number]) for number in starts]
    return {
        **_quantiles("fire", late),
        "fires_not_started": len(due_at) - len(starts),
        "fires_rss": memory,
    }


def _burst(contestant: Contestant, first: int, count: int) -> Figures:
    due_at = _planned(contestant, first, count, 0)
    with contestant.worker() as worker:
        starts = _until_done(contestant, first, due_at, time.monotonic() + BURST_LIMIT_SECONDS)
        memory = _peak_memory_mib(worker.pid)
    took = max(times[0] for times in starts.values()) - min(due_at.values()) if starts else float("inf")
    return {
        "burst_per_second": len(starts) / took,
        "burst_not_started": len(due_at) - len(starts),
        "burst_rss": memory,
    }


def _killed(contestant: Contestant, count: int) -> Figures:
    """Kill the worker amid a burst, start another: what was acknowledged and never ran is lost."""
    due_at = _planned(contestant, KILL_FROM, count, 0)
    process = contestant.start_worker()
    ends = time.monotonic() + BURST_LIMIT_SECONDS
    while len(contestant.starts(KILL_FROM)) < count // 3 and time.monotonic() < ends:
        time.sleep(0.02)
    process.kill()
    process.wait()
    before = len(contestant.starts(KILL_FROM))
    with contestant.worker():
        starts = _until_done(contestant, KILL_FROM, due_at, time.monotonic() + BURST_LIMIT_SECONDS)
    counts = Counter(len(times) for times in starts.values())
    return {
        "killed_after": before,
        "lost": len(due_at) - len(starts),
        "started_twice": sum(counts[times] for times in counts if times > 1),
    }


def _planned(contestant: Contestant, first: int, count: int, spread: float) -> dict[int, float]:
    """Put executions in the near future, and return when each is due, as soon as a worker should start."""
    trial = contestant.verb("plan", first + count, 50, 0, 0, limit_seconds=VERB_SPARE_SECONDS)
    # so far ahead that all are stored, and the worker is up, before the first is due
    after = START_UP_SECONDS + 4.0 + 1.5 * count * (-trial["spare_seconds"]) / 50
    planned = contestant.verb("plan", first, count, after, spread, limit_seconds=after + VERB_SPARE_SECONDS)
    due_at = {int(number): instant for number, instant in planned["due_at"].items()}
    time.sleep(max(0.0, min(due_at.values()) - time.time() - START_UP_SECONDS))
    return due_at


def _until_done(
    contestant: Contestant, first: int, due_at: dict[int, float], ends: float
) -> dict[int, list[float]]:
    """The starts, when all have started, nothing has for a while, or time is up."""
    started, changed = 0, time.monotonic()
    last_due = max(due_at.values())
    while True:
        starts = {number: times for number, times in contestant.starts(first).items() if number in due_at}
        if len(starts) != started or time.time() < last_due:
            started, changed = len(starts), time.monotonic()
        if len(starts) == len(due_at) or time.monotonic() > min(ends, changed + STALL_SECONDS):
            return starts
        time.sleep(0.25)  # seldom: reading takes of the same two cores


def _peak_memory_mib(pid: int) -> float | None:
    """The most that the process ever held in memory; None where the system does not tell it this way."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    return None


def _quantiles(name: str, milliseconds: list[float]) -> Figures:
    if len(milliseconds) < 2:
        return {}
    cuts = statistics.quantiles(milliseconds, n=100)
    return {f"{name}_p50_ms": cuts[49], f"{name}_p99_ms": cuts[98]}
