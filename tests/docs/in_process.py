"""Commands of the documents that this very process can run: `experience …` alone, without a shell's help."""

import contextlib
import logging
import os
import re
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path

from click.testing import CliRunner
from experience_runtime.cli import main

_EXIT_CODE = re.compile(r"(.+?)(?: \|\|\s+|; )echo \"exit code \$\?\"", re.DOTALL)
_SHELL = re.compile(r"[|&;<>$`*()]")
_QUOTED = re.compile(r"'[^']*'|\"[^\"$`]*\"")


def words_of(command: str) -> tuple[list[str], bool] | None:
    """The words after `experience`, and whether the exit code is printed; None when it takes a shell.

    `serve` takes a process of its own: it goes on while the commands after it run.
    """
    told = _EXIT_CODE.fullmatch(command)
    alone = told[1] if told else command
    if _SHELL.search(_QUOTED.sub("", alone)):
        return None
    first, *words = shlex.split(alone.replace("\\\n", " "))
    return (words, told is not None) if first == "experience" and words[:1] != ["serve"] else None


def run(
    words: list[str], *, folder: Path, environment: Mapping[str, str], tells_code: bool
) -> tuple[int, list[str]]:
    """Run one command; return its exit code, and the lines a terminal would show.

    With `tells_code` the exit code is a line of its own, as `|| echo "exit code $?"` has it.
    """
    with _quiet_logging(), contextlib.chdir(folder):
        absent = dict.fromkeys((name for name in os.environ if name.startswith("EXPERIENCE_")), None)
        result = CliRunner().invoke(main, words, env={**absent, **environment}, prog_name="experience")
    lines = result.output.splitlines()
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        lines.append(f"{type(result.exception).__name__}: {result.exception}")
    if not tells_code:
        return result.exit_code, lines
    return 0, [*lines, *([f"exit code {result.exit_code}"] if result.exit_code else [])]


@contextlib.contextmanager
def _quiet_logging() -> Iterator[None]:
    """Leave the log as it was: a command sets it up for a process that is its own."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    try:
        yield
    finally:
        root.handlers[:], root.level = handlers, level
