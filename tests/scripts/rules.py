"""Experiences that `check` reads: how a case is written, and what is found in it.

The mark » stands where the problem does.
"""

from collections.abc import Mapping

from experience_runtime.scripts.rules import find_all

from tests.conftest import NOW, Lab

HEAD = "module.exports = function variation (options) {\n"
ECHO = HEAD + "  const echo = options.integration('echo')\n  "
ON = "options.integration('echo')."


def found(
    lab: Lab, files: str | Mapping[str, str]
) -> list[tuple[str, str | None, int | None, int | None, str]]:
    problems, _ = find_all(lab.bundle(files), lab.registry, NOW)
    return [(each.code, each.file, each.line, each.column, each.message) for each in problems]


def check_place(lab: Lab, text: str, code: str, part: str) -> None:
    """Assert that one problem of this code is found, at the mark, and its message has this part."""
    before = text.partition("»")[0]
    line, column = before.count("\n") + 1, len(before.rpartition("\n")[2]) + 1

    problems = found(lab, text.replace("»", "") + "\n}\n")

    assert [each[:4] for each in problems] == [(code, "variation.js", line, column)], problems
    assert part in problems[0][4]
