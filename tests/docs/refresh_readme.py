"""Write real output into the documents, where what stands there is not what the commands say any more.

python -m tests.docs.refresh_readme      from the root of the checkout, with the environment's Python
"""

import re
import sys

from . import command_tables
from .documents import Command, documents, play
from .stage import ROOT
from .wildcard import ANYTHING, agrees

LONGEST_LINE = 170
_ID = re.compile(r"\bex_[0-9a-z]{13}\b")
_INSTANT = re.compile(r"\b20\d\d-\d\d-\d\d[T ]\d\d:\d\d[\d:.,]*(?:Z|[+-]\d\d:\d\d)?")
_LOCAL = re.compile(r"\b(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day (?:20\d\d-\d\d-\d\d )?\d\d:\d\d")
_DATED = ("--at", "simulate", "dev.py demo", "check")


def refreshed(text: str, outputs: list[tuple[Command, list[str]]]) -> str:
    """The document with the output of every command that has some and does not agree replaced."""
    lines = text.splitlines()
    for command, actual in reversed(outputs):
        if command.output and not agrees(command.output, actual):
            lines[command.output_from : command.output_to] = [_trimmed(command, line) for line in actual]
    return "".join(f"{line}\n" for line in lines)


def _trimmed(command: Command, line: str) -> str:
    """What differs from one time to the next, and the end of a long line, become the wildcard."""
    line = _ID.sub(f"ex_{ANYTHING}", line.rstrip())
    if not any(word in command.text for word in _DATED):
        line = _LOCAL.sub(ANYTHING, _INSTANT.sub(ANYTHING, line))
    return line if len(line) <= LONGEST_LINE else line[: LONGEST_LINE - 1].rstrip() + ANYTHING


def main() -> int:
    """Rewrite every document that needs it; what new output cannot mend is printed, with exit code 1."""
    left: list[str] = []
    for path in documents():
        text = path.read_text(encoding="utf-8")
        name = path.relative_to(ROOT).as_posix()
        written = refreshed(text, play(text, name).outputs)
        written = command_tables.refreshed(written) if path in command_tables.PAGES else written
        if written != text:
            path.write_text(written, encoding="utf-8")
            print(f"{name}: rewritten; read the difference before you keep it")
        left.extend(play(written, name).problems)
    print(*left, sep="\n", end="\n" if left else "", file=sys.stderr)
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(main())
