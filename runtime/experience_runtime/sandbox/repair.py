"""The published sample's mistake: a top-level `let` or `const` that declares a parameter again.

    module.exports = function variation (options) {
      const options = { … }        // no JavaScript engine accepts this

`--repair` rewrites exactly that, so that both meanings work: `options = Object.setPrototypeOf({ … }, options)`.
The calls read own properties only, and `options.log` is found through the prototype. Source: contract 1.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_DECLARATION = re.compile(r"(?P<kind>let|const)(?P<gap>\s+)(?P<name>[A-Za-z_$][\w$]*)(?P<equals>\s*=\s*)(?=\{)")
_FUNCTION = re.compile(r"\bfunction\b[\s\w$*]*\((?P<parameters>[^()]*)\)\s*\{")
_REGEX_MAY_FOLLOW = "(,=:[!&|?{};+-*%~^<>"


@dataclass(frozen=True, slots=True)
class Redeclaration:
    """Where a parameter is declared again: offsets into the text, and the name; `line` counts from 1."""

    name: str
    kind: str
    line: int
    start: int
    literal_start: int
    literal_end: int

    @property
    def correction(self) -> str:
        """The author's line as it should stand."""
        new_name = "schedule" + self.name[0].upper() + self.name[1:]
        return f"const {new_name} = {{"


def find_redeclaration(text: str) -> Redeclaration | None:
    """Find the first object literal that redeclares a parameter at the top level of its function."""
    code = _blanked(text)
    for function in _FUNCTION.finditer(code):
        names = {name.strip().split("=")[0].strip() for name in function["parameters"].split(",")}
        for at in _top_level(code, function.end()):
            found = _DECLARATION.match(code, at)
            if found and found["name"] in names and not _word_before(code, at):
                end = _closing(code, found.end())
                if end is None or code[end:].lstrip(" \t").startswith(","):
                    continue  # a list of declarations is not the pattern
                return Redeclaration(
                    name=found["name"],
                    kind=found["kind"],
                    line=text[:at].count("\n") + 1,
                    start=at,
                    literal_start=found.end(),
                    literal_end=end,
                )
    return None


def repaired(text: str, found: Redeclaration) -> str:
    """Rewrite one redeclaration; every line stays where it is."""
    literal = text[found.literal_start : found.literal_end]
    between = text[found.start : found.literal_start].partition("=")[2]
    return (
        f"{text[: found.start]}{found.name} = Object.setPrototypeOf({between.lstrip(' ')}{literal}, {found.name})"
        f"{text[found.literal_end :]}"
    )


def _top_level(code: str, start: int) -> Iterator[int]:
    """Every offset of a function's body that is not inside a further bracket."""
    depth = 0
    for at in range(start, len(code)):
        if code[at] in "([{":
            depth += 1
        elif code[at] in ")]}":
            depth -= 1
            if depth < 0:
                return
        elif depth == 0:
            yield at


def _closing(code: str, start: int) -> int | None:
    depth = 0
    for at in range(start, len(code)):
        if code[at] in "([{":
            depth += 1
        elif code[at] in ")]}":
            depth -= 1
            if depth == 0:
                return at + 1
    return None


def _word_before(code: str, at: int) -> bool:
    return at > 0 and (code[at - 1].isalnum() or code[at - 1] in "_$.")


def _blanked(text: str) -> str:
    """The text with strings, comments and regular expressions blanked out, every offset kept."""
    out = list(text)
    at, last = 0, ""
    while at < len(text):
        char = text[at]
        end = at + 1
        if text.startswith("//", at):
            end = text.find("\n", at)
            end = len(text) if end < 0 else end
        elif text.startswith("/*", at):
            end = text.find("*/", at + 2)
            end = len(text) if end < 0 else end + 2
        elif char in "'\"`" or (char == "/" and (last == "" or last in _REGEX_MAY_FOLLOW)):
            end = _literal_end(text, at)
            last = "x"
        elif not char.isspace():
            last = char
        if end > at + 1:
            for index in range(at, end):
                out[index] = "\n" if text[index] == "\n" else " "
        at = end
    return "".join(out)


def _literal_end(text: str, start: int) -> int:
    mark, in_class = text[start], False
    at = start + 1
    while at < len(text):
        char = text[at]
        if char == "\\":
            at += 1
        elif char == "\n" and mark != "`":
            return at
        elif mark == "/" and char in "[]":
            in_class = char == "["
        elif char == mark and not in_class:
            return at + 1
        at += 1
    return len(text)
