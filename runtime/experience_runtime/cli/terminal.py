"""What a terminal is given: strangers' texts made visible, broken at its width, and coloured."""

import json
import shutil
import sys
import textwrap
from typing import Any

import click

_NARROWEST = 40


def visible(text: str) -> str:
    """Escape what a terminal would act on, and line breaks; our own colours are added after this.

    A stranger's text keeps to its line: what began a new one could pass for a line of ours.
    """
    if text.isprintable():  # as nearly every line is
        return text
    return "".join(
        char if char.isprintable() or char == "\t" else json.dumps(char)[1:-1].replace("\x7f", "\\u007f")
        for char in text
    )


def indented(text: str) -> str:
    """Make a text of several lines visible, each of them indented, so that none passes for a line of ours."""
    lines = (visible(line) for line in text.split("\n"))
    return "\n".join(line if line.startswith("    ") else f"    {line}" for line in lines)


def wrapped(text: str, *, indent: str, used: int = 0, err: bool = False) -> list[str]:
    """Break a text at the terminal's width; what goes to no terminal is one line.

    `used`: cells of the first line that are taken; the others begin with `indent`.
    """
    stream = sys.stderr if err else sys.stdout
    if not stream.isatty():
        return [text]
    width = max(_NARROWEST, shutil.get_terminal_size().columns)
    lines = textwrap.wrap(
        text,
        width,
        initial_indent=" " * used,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [lines[0][used:], *lines[1:]] if lines else [text]


def styled(text: str, **style: Any) -> str:
    """Colour a text that `visible` has seen; click leaves the colour out when stdout is no terminal."""
    return click.style(visible(text), **style)


def styled_lines(text: str, **style: Any) -> str:
    """Colour a text that may have several lines, such as an error with its stack; the later are indented."""
    first, _, rest = text.partition("\n")
    return click.style("\n".join([visible(first), *([indented(rest)] if rest else [])]), **style)
