"""What waits and fires on this machine, beside the peers a user would pick on one machine.

.venv/bin/python benchmarks/waiting.py [--pending N] [--peers] [--json]

Fills a SQLite file with pending executions, then measures with them in it: cancels, conversions, how late
executions fire, 10,000 due at one instant (through an integration that does nothing, and through real HTTP on
loopback), the memory of the worker, and what is lost when it is killed amid a burst. The peers (huey,
APScheduler, DBOS, each on SQLite with durable settings) do the same work with as many pending as they take in
the time given for filling; they are installed into environments of their own under the user's cache folder.

Goals with 1,000,000 pending: fires within 50 ms (p99), 2,000 no-op and 500 HTTP executions a second, 150 MiB
of memory, 450 bytes a row.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.waiting_contest import Amounts, Contestant, Figures, VerbFailed, http_burst, measure
from benchmarks.waiting_environments import PEERS, environment, last_line
from benchmarks.waiting_ours import prepare

HERE = Path(__file__).resolve().parent
OURS = "ours"

ROWS: tuple[tuple[str, str, bool], ...] = (
    # key, label, whether more is better
    ("pending", "pending", True),
    ("inserts_per_second", "inserted a second, 16 callers", True),
    ("bytes_per_row", "bytes a pending row", False),
    ("cancels_per_second", "cancelled by key a second", True),
    ("convert_p50_ms", "conversion of a visitor, p50 ms", False),
    ("convert_p99_ms", "conversion of a visitor, p99 ms", False),
    ("fire_p50_ms", "fires late, p50 ms", False),
    ("fire_p99_ms", "fires late, p99 ms", False),
    ("fires_not_started", "  of these never started", False),
    ("burst_per_second", "due at once: no-op a second", True),
    ("burst_not_started", "  of these never started", False),
    ("http_per_second", "due at once: HTTP a second", True),
    ("rss_mib", "peak memory of the worker, MiB", False),
    ("killed_after", "kill -9 after so many starts", True),
    ("lost", "  acknowledged and never ran", False),
    ("started_twice", "  started twice", False),
)
GOALS: tuple[tuple[str, float, bool], ...] = (
    ("fire_p99_ms", 50, False),
    ("burst_per_second", 2_000, True),
    ("http_per_second", 500, True),
    ("rss_mib", 150, False),
    ("bytes_per_row", 450, False),
)
NO_RATIO = frozenset(
    {"pending", "killed_after", "lost", "started_twice", "burst_not_started", "fires_not_started"}
)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pending", type=int, default=1_000_000)
    parser.add_argument("--burst", type=int, default=10_000, help="how many are due at one instant")
    parser.add_argument("--fires", type=int, default=300, help="how many are due one after the other")
    parser.add_argument("--peers", action="store_true", help="measure the peers too")
    parser.add_argument("--only", help="measure this one alone: ours, huey, apscheduler or dbos")
    parser.add_argument("--peer-seconds", type=float, default=120, help="a peer's time for filling")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    asked = parser.parse_args()
    wanted = [asked.only] if asked.only else [OURS, *(PEERS if asked.peers else ())]

    found: dict[str, Figures] = {}
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCHMARK_DIR")) as name:
        for contestant in wanted:
            folder = Path(name) / contestant
            folder.mkdir()
            is_ours = contestant == OURS
            amounts = Amounts(
                pending=asked.pending,
                fill_seconds=3600 if is_ours else asked.peer_seconds,
                fires=asked.fires,
                burst=asked.burst,
                samples=2_000,
            )
            try:
                found[contestant] = _ours(folder, amounts) if is_ours else _peer(contestant, folder, amounts)
            except (OSError, subprocess.CalledProcessError, VerbFailed) as fault:
                found[contestant] = {"faults": [last_line(fault)]}
    document = {
        "machine": {"python": platform.python_version(), "cores": os.cpu_count()},
        "asked": {"pending": asked.pending, "burst": asked.burst, "fires": asked.fires},
        "contestants": found,
        "ratios_to_ours": _ratios(found),
        "goals": _goals(found.get(OURS, {})),
    }
    print(json.dumps(document, indent=2) if asked.json else as_text(document))


def _ours(folder: Path, amounts: Amounts) -> Figures:
    receiver = subprocess.Popen(
        [sys.executable, str(HERE / "waiting_receiver.py"), str(folder)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert receiver.stdout is not None
        prepare(folder, int(receiver.stdout.readline()))
        words = (sys.executable, str(HERE / "waiting_ours.py"))
        contestant = Contestant(name=OURS, words=words, folder=folder)
        figures = measure(contestant, amounts, _say(OURS))
        _say(OURS)("HTTP burst")
        return figures | http_burst(contestant, amounts.burst)
    finally:
        receiver.terminate()
        receiver.wait()


def _peer(name: str, folder: Path, amounts: Amounts) -> Figures:
    _say(name)(f"install {' '.join(PEERS[name])}")
    words = (environment(*PEERS[name]), str(HERE / "peers" / f"waiting_{name}.py"))
    return measure(Contestant(name=name, words=words, folder=folder), amounts, _say(name))


def _ratios(found: dict[str, Figures]) -> dict[str, dict[str, float]]:
    """How many times as good ours is: above 1, ours is better."""
    ours = found.get(OURS, {})
    return {
        name: {
            key: round(ours[key] / figures[key] if more else figures[key] / ours[key], 2)
            for key, _, more in ROWS
            if key not in NO_RATIO and figures.get(key) and ours.get(key)
        }
        for name, figures in found.items()
        if name != OURS and ours
    }


def _goals(ours: Figures) -> list[dict[str, Any]]:
    return [
        {
            "figure": key,
            "goal": goal,
            "found": ours[key],
            "reached": (ours[key] >= goal) if more else (ours[key] <= goal),
        }
        for key, goal, more in GOALS
        if ours.get(key) is not None
    ]


def as_text(document: dict[str, Any]) -> str:
    found, ratios = document["contestants"], document["ratios_to_ours"]
    machine = document["machine"]
    lines = [
        f"Python {machine['python']}, {machine['cores']} cores; in brackets how many times as good ours is",
        "",
    ]
    heads = [f"{name} {figures.get('version', '')}" for name, figures in found.items()]
    lines.append(f"{'':32}" + "".join(f"{head:>24}" for head in heads))
    for key, label, _ in ROWS:
        cells = [_cell(key, figures, ratios.get(name, {})) for name, figures in found.items()]
        lines.append(f"{label:32}" + "".join(f"{cell:>24}" for cell in cells))
    for name, figures in found.items():
        lines += [f"{name}: {fault}" for fault in figures.get("faults", ())]
    lines.append("")
    lines += _goal_lines(document["goals"])
    return "\n".join(lines)


def _cell(key: str, figures: Figures, ratios: dict[str, float]) -> str:
    value = figures.get(key)
    if value is None:
        return "not supported" if key.startswith(("convert", "http")) else "not measured"
    text = f"{value:,.1f}" if key.endswith("_ms") else f"{value:,.0f}"
    return f"{text} ({ratios[key]:g} x)" if key in ratios else text


def _goal_lines(goals: list[dict[str, Any]]) -> Iterator[str]:
    labels = {key: label for key, label, _ in ROWS}
    for goal in goals:
        reached = "reached" if goal["reached"] else "NOT reached"
        yield f"goal: {labels[goal['figure']]} {goal['goal']:,}: {reached} ({goal['found']:,.1f})"


def _say(name: str) -> Any:
    return lambda text: print(f"{name}: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
