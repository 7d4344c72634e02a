"""Places: an offset into an author's text, as a line and a column, and back."""

from dataclasses import dataclass
from functools import cached_property

from experience_runtime.guest import Position, Problem
from experience_runtime.sandbox.repair import blanked


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
