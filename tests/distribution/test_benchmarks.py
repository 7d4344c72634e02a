"""The benchmarks: each says what it measures, and those that need no server do a little of it."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "benchmarks"
PROGRAMS = sorted(
    path.stem
    for path in FOLDER.glob("*.py")
    if 'if __name__ == "__main__":' in path.read_text() and "ArgumentParser" in path.read_text()
)
PARTS = {"waiting_ours", "waiting_receiver"}  # processes of `waiting`

LITTLE = {
    "authors": ["--saves", "1", "--stories", "2"],
    "backtest": ["--visitors", "3"],
    "commands": ["--rounds", "1"],
    "overload": ["--rate", "20", "--seconds", "1"],
    "questions": ["--rows", "2000", "--times", "1"],
    "sandbox": ["--alone", "--rounds", "1", "--runs", "5"],
    "serve": ["--seconds", "0.2"],
    "soak": ["--minutes", "0.05", "--rate", "5"],
    "simulate": ["--executions", "20", "--rounds", "1"],
    "store": ["--count", "200"],
}


def run(name: str, *arguments: str) -> str:
    words = [sys.executable, "-m", f"benchmarks.{name}", *arguments]
    environ = {**os.environ, "BENCHMARK_DIR": tempfile.gettempdir()}
    done = subprocess.run(
        words, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_program_takes_arguments() -> None:
    with_main = {path.stem for path in FOLDER.glob("*.py") if "__main__" in path.read_text()}

    assert with_main - PARTS == set(PROGRAMS)


@pytest.mark.parametrize("name", PROGRAMS)
def test_it_starts_and_says_what_it_measures(name: str) -> None:
    said = run(name, "--help")

    assert said.startswith("usage:")
    assert f"benchmarks/{name}.py" in said or f"benchmarks.{name}" in said


@pytest.mark.parametrize("name", LITTLE)
def test_a_little_of_it_runs_to_its_end(name: str) -> None:
    assert any(character.isdigit() for character in run(name, *LITTLE[name]))
