"""Print how long an author waits: from a save to what `experience dev` tells, and for `experience test`.

Goals: 300 ms from a save to the terminal and to the page; 200 stories in less than 5 s.

.venv/bin/python -m benchmarks.authors [--saves N] [--stories N]
"""

import argparse
import os
import queue
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterable
from pathlib import Path

SAMPLE = Path(__file__).resolve().parent.parent / "sample_experiences" / "basket-reminder"
COMMAND = [
    sys.executable,
    "-u",
    "-c",
    "from experience_runtime.cli import main; main(prog_name='experience')",
]
SECONDS = 60  # for what never comes


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--saves", type=int, default=20)
    parser.add_argument("--stories", type=int, default=200)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        saves(Path(made), asked.saves)
    with tempfile.TemporaryDirectory() as made:
        stories(Path(made), asked.stories)


def saves(folder: Path, count: int) -> None:
    """Save the sample's variation so many times, each time when what the one before came to was told."""
    shutil.copytree(SAMPLE, folder / "mine")
    file = folder / "mine" / "variation.js"
    text = file.read_text(encoding="utf-8")
    words = [*COMMAND, "dev", "mine", "--port", "0"]
    with subprocess.Popen(words, cwd=folder, stdout=subprocess.PIPE, text=True) as started:
        assert started.stdout is not None
        told = _heard(started.stdout)
        _, first = told.get(timeout=SECONDS)
        address = first.partition(": ")[2].strip().partition("/playground")[0]
        _until(told, "passed")
        events = urllib.request.urlopen(f"{address}/playground/saved")  # closed with the program
        pushed = _heard(line.decode() for line in events)
        _until(pushed, "data:")
        terminal, page = [], []
        for number in range(count):
            saved_at = time.perf_counter()
            file.write_text(f"{text}\n// {number}\n", encoding="utf-8")
            terminal.append(1000 * (_until(told, "passed") - saved_at))
            page.append(1000 * (_until(pushed, "data:") - saved_at))
        started.terminate()
    for name, spans in (("terminal", terminal), ("page", page)):
        print(f"save to {name}: median {statistics.median(spans):.0f} ms, most {max(spans):.0f} ms")


def _heard(lines: Iterable[str]) -> queue.Queue[tuple[float, str]]:
    """Each line with when it came."""
    told: queue.Queue[tuple[float, str]] = queue.Queue()

    def hear() -> None:
        for line in lines:
            told.put((time.perf_counter(), line))

    threading.Thread(target=hear, daemon=True).start()
    return told


def _until(told: queue.Queue[tuple[float, str]], part: str) -> float:
    while True:
        at, line = told.get(timeout=SECONDS)
        if part in line:
            return at


def stories(folder: Path, count: int) -> None:
    """Play the sample's story so many times, each beside a copy of the sample."""
    for number in range(count):
        shutil.copytree(SAMPLE, folder / f"copy-{number:03d}")
    began, before = time.perf_counter(), os.times()
    done = subprocess.run(
        [*COMMAND, "test", str(folder)], cwd=folder, capture_output=True, text=True, check=True
    )
    seconds, after = time.perf_counter() - began, os.times()
    processor = sum(after[2:4]) - sum(before[2:4])
    print(
        f"experience test: {seconds:.1f} s from start to end, {processor:.1f} s of processor time in all its "
        f"processes; it says {done.stdout.splitlines()[-1]!r}"
    )


if __name__ == "__main__":
    main()
