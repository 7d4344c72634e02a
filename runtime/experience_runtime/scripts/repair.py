"""The published sample's mistake: a top-level `let` or `const` that declares a parameter again.

    module.exports = function variation (options) {
      const options = { … }        // no JavaScript engine accepts this

`--repair` rewrites exactly that, so that both meanings work: `options = Object.setPrototypeOf({ … },
options)`. The calls read own properties only, and `options.log` is found through the prototype. Source:
reference/experiences#a-published-mistake.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from experience_runtime.scripts.reading.brackets import closing
from experience_runtime.scripts.source import blanked

_DECLARATION = re.compile(
    r"(?P<kind>let|const)(?P<gap>\s+)(?P<name>[A-Za-z_$][\w$]*)(?P<equals>\s*=\s*)(?=\{)"
)
_FUNCTION = re.compile(r"\bfunction\b[\s\w$*]{0,300}\((?P<parameters>[^()]{0,2000})\)\s*\{")
_ENDS_A_STATEMENT = re.compile(r"[ \t]*(?:[;}]|\Z|\n\s*(?:[\w$}/'\"]|\Z))")


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
    """Find the first object literal that redeclares a parameter at the top level of one of the file's
    functions.

    Functions inside others are left alone, and so are arrow functions.
    Source: reference/experiences#a-published-mistake.
    """
    code = blanked(text)
    outside = set(_top_level(code, 0))
    for function in _FUNCTION.finditer(code):
        if function.start() not in outside:
            continue
        names = {name.strip().split("=")[0].strip() for name in function["parameters"].split(",")}
        for at in _top_level(code, function.end()):
            found = _DECLARATION.match(code, at)
            if found and found["name"] in names and not _word_before(code, at):
                end = closing(code, found.end())
                if end is None or not _ENDS_A_STATEMENT.match(code, end):
                    continue  # a list of declarations, or a longer expression, is not the pattern
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
    name_and_equals = text[found.start + len(found.kind) : found.literal_start]
    literal = text[found.literal_start : found.literal_end]
    assignment = f"{name_and_equals}Object.setPrototypeOf({literal}, {found.name})"
    return text[: found.start] + " " * len(found.kind) + assignment + text[found.literal_end :]


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


def _word_before(code: str, at: int) -> bool:
    return at > 0 and (code[at - 1].isalnum() or code[at - 1] in "_$.")
