"""The published sample's mistake: a top-level `let` or `const` that declares a parameter again.

    module.exports = function variation (options) {
      const options = { … }        // no JavaScript engine accepts this

`--repair` rewrites exactly that, so that both meanings work: `options = Object.setPrototypeOf({ … },
options)`. The calls read own properties only, and `options.log` is found through the prototype. Source:
contract 1.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from experience_runtime.sandbox.brackets import closing

_DECLARATION = re.compile(
    r"(?P<kind>let|const)(?P<gap>\s+)(?P<name>[A-Za-z_$][\w$]*)(?P<equals>\s*=\s*)(?=\{)"
)
_FUNCTION = re.compile(r"\bfunction\b[\s\w$*]{0,300}\((?P<parameters>[^()]{0,2000})\)\s*\{")
_ENDS_A_STATEMENT = re.compile(r"[ \t]*(?:[;}]|\Z|\n\s*(?:[\w$}/'\"]|\Z))")
_REGEX_MAY_FOLLOW = "(,=:[!&|?{};+-*%~^<>"
_KEYWORD_BEFORE = re.compile(
    r"(?<![\w$.])(?:return|typeof|case|in|of|delete|void|throw|else|do|yield|await)\s*\Z"
)
_NOT_LINE_END = re.compile(r"[^\n]")


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

    Functions inside others are left alone, and so are arrow functions. Source: contract 1.
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


def blanked(text: str) -> str:
    """The text with strings, comments and regular expressions blanked out, every offset kept."""
    out: list[str] = []
    at = 0
    before = ""  # the last character of code; "x" for a literal
    while at < len(text):
        end = _comment_end(text, at)
        if end is None and (text[at] in "'\"`" or (text[at] == "/" and _regex_may_stand(text, at, before))):
            end, before = _literal_end(text, at), "x"
        if end is None:
            out.append(text[at])
            before = before if text[at].isspace() else text[at]
            at += 1
        else:
            out.append(_NOT_LINE_END.sub(" ", text[at:end]))
            at = end
    return "".join(out)


def _comment_end(text: str, at: int) -> int | None:
    for opening, ending in (("//", "\n"), ("/*", "*/")):
        if text.startswith(opening, at):
            end = text.find(ending, at + 2)
            return len(text) if end < 0 else end + (2 if ending == "*/" else 0)
    return None


def _regex_may_stand(text: str, at: int, before: str) -> bool:
    """Tell a regular expression from a division by what stands before it."""
    if before == "" or before in _REGEX_MAY_FOLLOW:
        return True
    return before.isalpha() and _KEYWORD_BEFORE.search(text, max(0, at - 20), at) is not None


def _literal_end(text: str, start: int) -> int:
    if text[start] == "`":
        return _template_end(text, start)
    mark, in_class = text[start], False
    at = start + 1
    while at < len(text):
        char = text[at]
        if char == "\\":
            at += 1
        elif char == "\n":
            return at
        elif mark == "/" and char in "[]":
            in_class = char == "["
        elif char == mark and not in_class:
            return at + 1
        at += 1
    return len(text)


def _template_end(text: str, start: int) -> int:
    """The offset behind a template, with the templates in its expressions; no recursion, for a file may nest
    them as deep as it likes."""
    depths = [0]  # of each open template: 0 in its text, else the brackets open in its expression
    at = start + 1
    while at < len(text):
        char = text[at]
        if depths[-1] == 0:
            if char == "\\":
                at += 1
            elif char == "`":
                depths.pop()
                if not depths:
                    return at + 1
            elif text.startswith("${", at):
                depths[-1], at = 1, at + 1
        elif char == "`":
            depths.append(0)
        elif char in "'\"":
            at = _literal_end(text, at) - 1
        elif char in "([{":
            depths[-1] += 1
        elif char in ")]}":
            depths[-1] -= 1
        at += 1
    return len(text)
