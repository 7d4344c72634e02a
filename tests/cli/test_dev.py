"""experience dev: each save is checked and played at once, and the playground plays what is on disk."""

import json
import os
import signal
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from experience_runtime.proving.watching import Watched

from .conftest import CommandLine, variation, write

COMMAND = [
    sys.executable,
    "-u",
    "-c",
    "from experience_runtime.cli import main; main(prog_name='experience')",
]
STORY = {
    "at": "2026-03-06T16:30:00Z",
    "steps": [{"do": "run", "visitor": "ada"}],
    "expect": [{"status": "succeeded", "due_at": "2026-03-06T17:30:00Z"}],
}
GOOD = variation("return slack.schedule('hi', {key: 'k', delay: '1 hour'})")


@pytest.fixture
def running() -> Iterator[subprocess.Popen[str]]:
    write(Path("mine/variation.js"), GOOD)
    write(Path("mine/story.json"), json.dumps(STORY))
    started = subprocess.Popen(
        [*COMMAND, "dev", "mine", "--port", "0"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    watchdog = threading.Timer(60, started.kill)  # a line that never comes would be waited for
    watchdog.start()
    try:
        yield started
    finally:
        watchdog.cancel()
        started.kill()
        started.communicate()


def _until(running: subprocess.Popen[str], part: str) -> list[str]:
    assert running.stdout is not None
    lines = []
    for line in running.stdout:
        lines.append(line.rstrip("\n"))
        if part in line:
            return lines
    raise AssertionError(f"{part!r} was not said: {lines}")


def test_each_save_is_checked_and_played(running: subprocess.Popen[str]) -> None:
    lines = _until(running, "passed  mine/story.json")
    address = lines[0].partition(": ")[2]
    with urllib.request.urlopen(address) as page:
        assert "mine" in page.read().decode()

    write(Path("mine/variation.js"), GOOD.replace("1 hour", "2 hours"))
    assert "variation.js changed" in _until(running, "FAILED  mine/story.json")[0]
    assert any("2026-03-06T18:30" in line for line in _until(running, "+ due_at"))

    write(Path("mine/variation.js"), GOOD.replace("schedule", "schedul"))
    assert any("variation.js:3:" in line for line in _until(running, "FAILED  mine/story.json"))

    write(Path("mine/variation.js"), GOOD)
    _until(running, "passed  mine/story.json")
    running.send_signal(signal.SIGINT)
    assert running.wait(30) == 0
    assert not Path("experience.db").exists()


def test_what_changed_is_found_once(tmp_path: Path) -> None:
    file = write(tmp_path / "a" / "variation.js", "1")
    write(tmp_path / "node_modules" / "b.js", "1")
    watched = Watched(tmp_path)

    assert watched.changed() == []
    write(file, "22")
    write(tmp_path / "node_modules" / "b.js", "22")
    write(tmp_path / "a" / "notes.md", "x")
    new = write(tmp_path / "a" / "story.json", "{}")
    assert watched.changed() == [new, file]
    os.remove(file)
    assert watched.changed() == [file]
    assert watched.changed() == []


def test_json_is_refused(cli: CommandLine) -> None:
    assert "experience test --json" in cli("dev", "--json").refusal["message"]
