"""What a terminal sees: colours only there, and nobody's control characters."""

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from experience_runtime.cli.terminal import styled, visible

from .conftest import CommandLine, variation, write

COMMAND = [sys.executable, "-c", "from experience_runtime.cli import main; main()"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain é 日本 🌊\tx\ny", "plain é 日本 🌊\tx\\ny"),
        ("\x1b[31m", "\\u001b[31m"),
        ("\x9b31m", "\\u009b31m"),
        ("a\rb\bc\x07d\x00", "a\\rb\\bc\\u0007d\\u0000"),
        ("\x7f", "\\u007f"),
        ("\u202egnp.exe", "\\u202egnp.exe"),
        ("\udcff", "\\udcff"),
        ("\u2028", "\\u2028"),
    ],
)
def test_control_characters_are_made_visible(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_styled_texts_keep_their_colour_and_escape_the_rest() -> None:
    assert styled("a\x1b[0m", fg="red") == "\x1b[31ma\\u001b[0m\x1b[0m"


@pytest.mark.parametrize("verb", ["run", "simulate", "check"])
def test_hostile_names_and_messages_cannot_act_on_the_terminal(cli: CommandLine, verb: str) -> None:
    folder = Path("evil\x1b]0;owned\x07")
    write(
        folder / "variation.js",
        variation("options.log.error('\\x1b[2J \\u202e \\x9b')\n  throw new Error('\\x1b[31m')"),
    )

    said = cli(verb, str(folder), "--visitor", "v") if verb != "check" else cli(verb, str(folder))

    for char in ("\x1b", "\x07", "\x9b", "\u202e"):
        assert char not in said.out + said.err
    assert "\\u001b" in said.out + said.err


def test_check_prints_no_visible_escapes(cli: CommandLine) -> None:
    write(Path("my/variation.js"), variation(""))

    assert cli("check", "my").out == "my: no problem found\n"


def test_strangers_texts_in_the_history_are_escaped(cli: CommandLine) -> None:
    made = cli.schedule("k\\x1b[31m")
    cli.json("executions", "cancel", made["id"], "--reason", "\x1b]0;owned\x07")

    said = cli("executions", "show", made["id"])

    assert said.code == 0
    assert "\x1b" not in said.out
    assert "\\u001b]0;owned" in said.out


def test_colours_are_for_terminals() -> None:
    write(Path("my/variation.js"), variation(""))
    words = [*COMMAND, "check", "my"]

    assert b"\x1b[32m" in _on_a_terminal(words)
    piped = subprocess.run(words, capture_output=True, check=True)
    assert piped.stdout == b"my: no problem found\n"


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_a_narrow_terminal_encoding_is_no_error(encoding: str) -> None:
    write(Path("日本/variation.js"), variation("options.log.info('日本 🌊')"))
    environ = {**os.environ, "PYTHONIOENCODING": encoding}

    for words in (("check", "日本"), ("run", "日本", "--json"), ("run", "日本")):
        done = subprocess.run([*COMMAND, *words], env=environ, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr
        assert b"Traceback" not in done.stderr


def _on_a_terminal(words: list[str]) -> bytes:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs)
    os.close(theirs)
    seen = b""
    while True:
        try:
            more = os.read(ours, 4096)
        except OSError:  # Linux says EIO when the other side is closed
            break
        if not more:
            break
        seen += more
    os.close(ours)
    assert process.wait(120) == 0
    return seen


def test_the_log_on_stderr_holds_no_secret_and_no_control_character(cli: CommandLine) -> None:
    code = """
from experience_runtime.integration import Integration, SecretUrl
from pydantic import BaseModel

class Settings(BaseModel):
    url: SecretUrl

class Chatty(Integration):
    name = "chatty"
    settings = Settings
    def call(self, payload, context):
        context.logger.warning("posting to %s \\x1b[31m", context.settings.url.get_secret_value())
        raise ValueError(f"bad {context.settings.url.get_secret_value()}")
"""
    write(Path("mine/chatty.py"), code)
    env = {"EXPERIENCE_INTEGRATION__CHATTY__URL": "https://example.com/T0SECRETPATH0000"}

    said = cli("integrations", "call", "chatty", "1", "--integrations", "mine", env=env, may_trace=True)

    assert said.code == 2
    assert "posting to [redacted] \\u001b[31m" in said.err
    assert "T0SECRETPATH0000" not in said.out + said.err
