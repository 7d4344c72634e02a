"""How fast a run is: beside other engines on the same script, alone, through host and store, and in parts.

.venv/bin/python benchmarks/sandbox.py [--rounds N] [--runs N] [--alone] [--json]

The peers are installed into environments of their own under the user's cache folder. Every contestant does
equal work: a fresh context, the script's text, its calls read and answered, its outcome read back. Rounds are
interleaved (A B C, A B C, ...), so that a machine whose speed drifts drifts for all of them.
Goals: at least 5 times faster than mini-racer, at most 1.8 times bare quickjs-ng. Read the ratios: what the
machine does beside this changes the times, and far less what they are to each other.
"""

import argparse
import atexit
import hashlib
import importlib.metadata
import json
import math
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import venv
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from experience_runtime.cli.collecting import look_seldom
from experience_runtime.clocks import VirtualClock
from experience_runtime.domain.instants import to_ms
from experience_runtime.domain.visitors import Visitor
from experience_runtime.engine.scheduler import Scheduler
from experience_runtime.plugins.registry import Registry
from experience_runtime.running.boot import Situation, boot
from experience_runtime.running.guest import Limits, LogLine, Request
from experience_runtime.running.opening import open_run
from experience_runtime.sandbox.pool import Pool
from experience_runtime.scripts.bundle import Bundle
from experience_runtime.scripts.loading import load_experience
from experience_runtime.settings.load import Settings
from experience_runtime.store.opening import open_sqlite

HERE = Path(__file__).resolve().parent
NOW = datetime(2026, 3, 6, 16, 30, tzinfo=UTC)
ADA = Visitor(id="ada", timezone="Europe/Paris")
LOCAL_TIME = "new Date(2026, 2, 9, 9).getHours()"
VARIATION = (HERE / "variation.js").read_text(encoding="utf-8")
Batch = Callable[[int], list[float]]
"""Do so many fresh runs; return the seconds each took."""

OURS = "this sandbox"
TIMELESS = "this sandbox, no local time used"
BARE = "quickjs-ng in-process"
NODE = "node vm"


@dataclass
class Contestant:
    """One engine: how it runs a batch, and what it took. Without `batch` it was not measured."""

    name: str
    version: str
    batch: Batch | None = None
    reason: str = ""
    rounds: list[list[float]] = field(default_factory=list)

    def document(self, ours: "Contestant") -> dict[str, Any]:
        if not self.rounds:
            return {"name": self.name, "version": self.version, "not_measured": self.reason}
        return {
            "name": self.name,
            "version": self.version,
            **_quantiles([each for taken in self.rounds for each in taken]),
            "ratio_to_ours": round(ratio(self, ours), 2),
        }


def ratio(one: Contestant, other: Contestant) -> float:
    """The median over the rounds of how many times as long `one` took: drift falls out of each round."""
    pairs = zip(one.rounds, other.rounds, strict=True)
    return statistics.median(statistics.median(a) / statistics.median(b) for a, b in pairs)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=25)
    parser.add_argument("--runs", type=int, default=20, help="runs of each contestant in a round")
    parser.add_argument("--alone", action="store_true", help="without the other engines")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    asked = parser.parse_args()
    look_seldom()  # as every `experience …` does
    with tempfile.TemporaryDirectory() as folder:
        document = measure(Path(folder), asked.rounds, asked.runs, alone=asked.alone)
    print(json.dumps(document, indent=2) if asked.json else as_text(document))


def measure(folder: Path, rounds: int, runs: int, *, alone: bool) -> dict[str, Any]:
    script = _script(folder / "variation.js", VARIATION)
    timeless = _script(folder / "timeless.js", VARIATION.replace(LOCAL_TIME, "9"))
    pools = [Pool(spares=1) for _ in range(2)]
    version = importlib.metadata.version("experience-runtime")
    ours = Contestant(OURS, version, _batch(pools[0], script))
    contestants = [
        ours,
        Contestant(TIMELESS, version, _batch(pools[1], timeless)),
        *([] if alone else peers(folder / "variation.js")),
    ]
    for number in range(rounds):
        _say(f"\rround {number + 1} of {rounds}", end="" if number + 1 < rounds else "\n")
        for contestant in contestants:
            if contestant.batch is not None:
                # the first of a batch finds a worker that is ready, and caches that are cold
                contestant.rounds.append(contestant.batch(runs + 1)[1:])
    for pool in pools:
        pool.close()
    return {
        "machine": {"python": platform.python_version(), "cores": os.cpu_count()},
        "script": {"lines": VARIATION.count("\n"), "calls": 3, "local_time": LOCAL_TIME},
        "rounds": rounds,
        "runs_a_round": runs,
        "contestants": [each.document(ours) for each in contestants],
        "goals": [] if alone else _goals({each.name: each for each in contestants}),
        "parts": _parts(script, rounds * runs),
    }


def _goals(found: dict[str, Contestant]) -> list[dict[str, Any]]:
    ours, bare = found[OURS], found[BARE]
    goals = [
        _goal(f"at least {least} x faster than {peer}", found[peer], ours, at_least=least)
        for peer, least in (("mini-racer", 5), ("jsrun", 4))
    ]
    return [*goals, _goal("at most 1.8 x bare quickjs-ng", ours, bare, at_most=1.8)]


def _goal(
    text: str, one: Contestant, other: Contestant, *, at_least: float = 0.0, at_most: float = math.inf
) -> dict[str, Any]:
    """Whether the first takes as many times as long as the other as is wanted."""
    if not (one.rounds and other.rounds):
        return {"goal": text, "reached": None, "says": "not measured"}
    times = ratio(one, other)
    says = f"{one.name} takes {times:.2f} x as long as {other.name}"
    return {"goal": text, "reached": at_least <= times <= at_most, "says": says}


def peers(variation: Path) -> list[Contestant]:
    """Every peer, installed and started where that works."""
    engine = importlib.metadata.version("quickjs-ng")
    wanted = [
        (BARE, "quickjs-ng", engine),
        ("mini-racer", "mini-racer", "0.14.1"),
        ("jsrun", "jsrun", "0.3.0"),
    ]
    started = []
    for name, package, version in wanted:
        _say(f"peer {package} {version}")
        try:
            python = _environment(f"{package}=={version}")
            started.append(_started(name, [python, str(HERE / "peers" / "run.py"), package, str(variation)]))
        except (OSError, subprocess.CalledProcessError, ValueError) as fault:
            started.append(Contestant(name, version, reason=_reason(fault)))
    node = shutil.which("node")
    if node is None:
        started.append(Contestant(NODE, "", reason="node is not on PATH"))
    else:
        started.append(_started(NODE, [node, str(HERE / "peers" / "run.js"), str(variation)]))
    return started


def _environment(requirement: str) -> str:
    """The Python of an environment that has this package only, made on first use."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "experience-runtime" / "peers"
    digest = hashlib.sha256(f"{requirement} {sys.version} {sys.base_prefix}".encode()).hexdigest()[:16]
    folder = cache / digest
    python = folder / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    if not (folder / "ready").exists():
        venv.create(folder, with_pip=True, clear=True)
        words = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", requirement]
        subprocess.run(words, check=True, capture_output=True, text=True)
        (folder / "ready").touch()
    return str(python)


def _started(name: str, words: Sequence[str]) -> Contestant:
    # a peer's local time is its process's; ours is the visitor's
    environ = {**os.environ, "TZ": str(ADA.timezone)}
    process = subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environ
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    write, read = process.stdin, process.stdout
    first = read.readline()
    if not first:
        return Contestant(name, "", reason=process.stderr.read().strip().splitlines()[-1])

    def batch(runs: int) -> list[float]:
        write.write(f"{runs}\n")
        write.flush()
        seconds: list[float] = json.loads(read.readline())
        return seconds

    return Contestant(name, json.loads(first)["version"], batch)


def _reason(fault: Exception) -> str:
    said = fault.stderr if isinstance(fault, subprocess.CalledProcessError) else str(fault)
    return (str(said).strip().splitlines() or [type(fault).__name__])[-1]


def _script(path: Path, text: str) -> Bundle:
    path.write_text(text, encoding="utf-8")
    return Bundle(load_experience(path))


def _batch(pool: Pool, script: Bundle) -> Batch:
    run_once = _sandbox_run(pool, script)

    def batch(runs: int) -> list[float]:
        return _times(run_once, runs)

    return batch


def _parts(script: Bundle, runs: int) -> list[dict[str, Any]]:
    """Runs on one and two workers, in the sandbox alone and with host and a store in a file."""
    found = []
    for name, act in (("sandbox alone", _sandbox_run), ("host and file store", _host_run)):
        for threads in (1, 2):
            _say(f"{name}, {threads} worker(s)")
            pool = Pool(spares=threads)
            taken, per_second = _spread(act(pool, script), threads, 2 * runs)
            pool.close()
            part = f"{name}, {threads} worker(s)"
            found.append({"name": part, **_quantiles(taken), "runs_per_second": round(per_second)})
    return found


def _sandbox_run(pool: Pool, script: Bundle) -> Callable[[], None]:
    limits = Limits()
    answer = json.dumps({"id": "exe_1", "replaced": None})

    def run_once() -> None:
        guest = pool.open(limits)
        begin = boot(script, Situation(visitor=ADA, seed=1), ("slack-update",), NOW, limits)
        turn = guest.start(begin, deadline_seconds=5)
        ids = [item.id for item in turn.outbox if isinstance(item, Request)]
        inbox = [{"kind": "answer", "id": each, "ok": True, "text": answer} for each in ids]
        turn = guest.step({"now": to_ms(NOW), "inbox": inbox}, deadline_seconds=5)
        guest.close()
        metadata = [item.metadata for item in turn.outbox if isinstance(item, LogLine)]
        if len(ids) != 3 or turn.variation != "done" or metadata != [{"count": 3, "hour": 9}]:
            raise SystemExit(f"the variation did not do its work: {turn}")

    return run_once


def _host_run(pool: Pool, script: Bundle) -> Callable[[], None]:
    registry = Registry(Settings())
    clock = VirtualClock(NOW)
    folder = tempfile.mkdtemp(prefix="experience-benchmark-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    store = open_sqlite(f"{folder}/experience.db")
    scheduler = Scheduler(store=store, clock=clock, integrations=registry, conversions=("ecView",))

    def run_once() -> None:
        run = open_run(
            script,
            Situation(visitor=ADA, seed=1),
            sandbox=pool,
            scheduler=scheduler,
            events=store.events,
            integrations=registry,
            clock=clock,
            call_now=lambda _execution, _seconds: None,
        )
        run.start()
        while not run.is_over:
            run.advance()
        report = run.finish()
        if report.outcome != "ran" or len(report.created) != 3:
            raise SystemExit(f"the variation did not do its work: {report}")

    return run_once


def _times(act: Callable[[], object], count: int) -> list[float]:
    taken = []
    for _ in range(count):
        began = time.perf_counter()
        act()
        taken.append(time.perf_counter() - began)
    return taken


def _spread(act: Callable[[], object], threads: int, runs: int) -> tuple[list[float], float]:
    """The times of all runs, and the runs per second of all threads together."""
    for _ in range(10 * threads):
        act()
    taken: list[float] = []

    def work() -> None:
        taken.extend(_times(act, runs // threads))

    began = time.perf_counter()
    workers = [threading.Thread(target=work) for _ in range(threads)]
    for member in workers:
        member.start()
    for member in workers:
        member.join()
    return taken, len(taken) / (time.perf_counter() - began)


def _quantiles(taken: Sequence[float]) -> dict[str, float]:
    cuts = statistics.quantiles(taken, n=100)
    return {"p50_ms": round(cuts[49] * 1000, 3), "p99_ms": round(cuts[98] * 1000, 3)}


def as_text(document: dict[str, Any]) -> str:
    script, machine = document["script"], document["machine"]
    lines = [
        f"{script['lines']} lines, {script['calls']} schedule calls, {script['local_time']}",
        f"{document['rounds']} interleaved rounds of {document['runs_a_round']} runs; "
        f"Python {machine['python']}, {machine['cores']} cores",
        "",
    ]
    for each in document["contestants"]:
        name = f"{each['name']:34}{each['version']:>10}"
        if "not_measured" in each:
            lines.append(f"{name}  not measured: {each['not_measured']}")
        else:
            lines.append(f"{name}  {_figures(each)}  {each['ratio_to_ours']:6.2f} x ours")
    lines.append("")
    for goal in document["goals"]:
        reached = {None: "", True: "reached, ", False: "NOT reached, "}[goal["reached"]]
        lines.append(f"goal: {goal['goal']}: {reached}{goal['says']}")
    lines.append("")
    for part in document["parts"]:
        rate = f"  {part['runs_per_second']:7.0f} runs/s" if "runs_per_second" in part else ""
        lines.append(f"{part['name']:44}  {_figures(part)}{rate}")
    return "\n".join(lines)


def _figures(found: dict[str, Any]) -> str:
    return f"p50 {found['p50_ms']:7.2f} ms  p99 {found['p99_ms']:7.2f} ms"


def _say(text: str, end: str = "\n") -> None:
    print(text, end=end, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
