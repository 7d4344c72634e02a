"""Places: an offset into an author's text, as a line and a column, and back."""

import re
from dataclasses import dataclass
from functools import cached_property

from experience_runtime.running.guest import Position, Problem

_REGEX_MAY_FOLLOW = "(,=:[!&|?{};+-*%~^<>"
_KEYWORD_BEFORE = re.compile(
    r"(?<![\w$.])(?:return|typeof|case|in|of|delete|void|throw|else|do|yield|await)\s*\Z"
)
_NOT_LINE_END = re.compile(r"[^\n]")


@dataclass(frozen=True)
class Text:
    """One of the author's files; `code` is its text with comments, texts and regular expressions blanked."""

    file: str
    text: str

    @cached_property
    def code(self) -> str:
        return blanked(self.text)

    @cached_property
    def lines(self) -> list[str]:
        return self.text.split("\n")

    def position(self, at: int) -> Position:
        """The place of an offset."""
        start = self.text.rfind("\n", 0, at) + 1
        return Position(self.file, self.text.count("\n", 0, at) + 1, at - start + 1)

    def offset(self, position: Position) -> int:
        """The offset of a place; the end of the text for one beyond it."""
        if position.line > len(self.lines):
            return len(self.text)
        before = sum(map(len, self.lines[: position.line - 1])) + position.line - 1
        return min(before + position.column - 1, len(self.text))

    def problem(self, code: str, message: str, at: int) -> Problem:
        """A problem that stands at an offset."""
        place = self.position(at)
        return Problem(code=code, message=message, file=self.file, line=place.line, column=place.column)


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
