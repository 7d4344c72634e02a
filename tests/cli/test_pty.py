"""Simulate in a real terminal, of 80 and of 120 columns: width, colour, progress and the order of lines."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path

import pytest

from .conftest import CommandLine, write

COMMAND = [sys.executable, "-c", "from experience_runtime.cli import main; main(prog_name='experience')"]
VARIATION = """\
module.exports = async options => {
  options.log.info('before', { answer: 'x'.repeat(150) })
  await options.integration('slack-update').schedule('hi', {
    key: 'k', delay: '2 hours', window: { day: 'monday-friday', time: '09:00-17:00' }
  })
  options.log.info('after')
}
"""
WORDS = ("simulate", "my", "--visitor", "ada", "--timezone", "Europe/Paris", "--at", "2026-03-06T15:30:00Z")
_COLOUR = re.compile(r"\x1b\[[\d;]*m")


def _shown(*words: str, columns: int = 80, env: dict[str, str] | None = None) -> str:
    """Everything that a terminal of so many columns is sent."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    own = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "NO_COLOR")}
    with subprocess.Popen(
        [*COMMAND, *words],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env={**own, "TERM": "xterm-256color", **(env or {})},
    ):
        os.close(slave)
        sent = b""
        try:
            while more := os.read(master, 65536):
                sent += more
        except OSError:  # the other end was closed
            pass
        os.close(master)
    return sent.decode()


@pytest.fixture(autouse=True)
def experience() -> None:
    write(Path("my/variation.js"), VARIATION)


@pytest.mark.parametrize("columns", [80, 120])
def test_no_line_is_wider_than_the_terminal_and_the_rest_is_indented(columns: int) -> None:
    text = _COLOUR.sub("", _shown(*WORDS, columns=columns)).split("\x1b[2K")[-1]

    lines = text.replace("\r\n", "\n").rstrip("\n").split("\n")
    wide = [line for line in lines if len(line) > columns and "xxxx" not in line]
    asked = next(index for index, line in enumerate(lines) if line.lstrip().startswith("asked for delay"))
    assert wide == []
    assert any(line.startswith(" " * 10) for line in lines[asked + 1 : asked + 3])
    assert lines[0] == "Friday 2026-03-06 (UTC)"


def test_the_progress_line_leaves_nothing_behind() -> None:
    sent = _shown(*WORDS)

    progress, _, rest = sent.rpartition("\x1b[2K")
    assert "2026-03-06T15:30:00.000Z" in progress
    assert _COLOUR.sub("", rest).startswith("Friday 2026-03-06 (UTC)\r\n")


@pytest.mark.parametrize("env", [{"NO_COLOR": "1"}, {"TERM": "dumb"}], ids=["NO_COLOR", "dumb"])
def test_who_wants_no_colour_gets_none(env: dict[str, str]) -> None:
    sent = _shown(*WORDS, env=env)

    assert not _COLOUR.search(sent)
    assert "TERM" not in env or "\x1b" not in sent
    assert _COLOUR.search(_shown(*WORDS))


def test_lines_of_one_instant_are_in_the_order_of_causes(cli: CommandLine) -> None:
    out = cli(*WORDS).out

    assert out.index("before") < out.index("scheduled") < out.index("after")


def test_metadata_is_whole_when_all_is_wanted(cli: CommandLine) -> None:
    for verb in (WORDS, ("run", "my", "--visitor", "ada", "--timezone", "UTC")):
        assert "x" * 150 in cli(*verb, "-v").out
        assert "x" * 20 in cli(*verb).out
        assert "x" * 150 not in cli(*verb).out


def test_a_no_of_the_triggers_leaves_a_line(cli: CommandLine) -> None:
    write(Path("my/triggers.js"), "module.exports = (options, cb) => cb(false)")
    assert "ada: not triggered: its triggers said no" in cli(*WORDS).out

    write(Path("my/triggers.js"), "module.exports = (options, cb) => {}")
    assert "ada: pending: its triggers never called back" in cli(*WORDS).out


def test_json_keeps_stderr_quiet(cli: CommandLine) -> None:
    for words in (WORDS, ("run", "my", "--visitor", "ada", "--timezone", "UTC"), ("check", "my")):
        assert cli(*words, "--json").err == ""


def test_lists_of_commands_are_whole(cli: CommandLine) -> None:
    for group in ("executions", "schedules", "integrations", "visitors", "tokens"):
        assert "..." not in cli(group, "--help").out.partition("Commands:")[2]
