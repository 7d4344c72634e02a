"""Positions: a line and a column as the engine counts them -> the author's. Linear in the text, once."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from experience_runtime.domain.experience import SourceText
from experience_runtime.running.guest import Position

Moved = tuple[int, int, int, int]
"""Part of a line: the column that the engine sees and its length, and the author's column and its length."""

_STEP = 1024
_WITHIN_A_CHARACTER = bytes(range(0x80, 0xC0))


@dataclass(frozen=True, slots=True)
class PlacedFile:
    """A file as the engine took it. `moved` is by the file's own lines, in their order."""

    source: SourceText
    name: str
    columns: "Columns"
    moved: Mapping[int, Sequence[Moved]] = field(default_factory=dict)

    def locate(self, line: int, column: int) -> Position:
        """The author's place for an engine's."""
        file, last = self.source.file, self.columns.own_lines
        if line > last:  # the closing line of our wrapper: the file ended too early
            return Position(file, last, self.columns.last_column)
        if line < 1:
            return Position(file, 1, 1)
        seen = self.columns.characters(line, column)
        return Position(file, line, _own_column(self.moved.get(line, ()), seen))


class Columns:
    """The engine counts the bytes of UTF-8; people count characters. `text` is what the engine took."""

    def __init__(self, text: str, own: str) -> None:
        self._text = text
        self.own_lines = own.count("\n") + 1
        self.last_column = len(own) - (own.rfind("\n") + 1) + 1
        self._marked: dict[int, tuple[bytes, list[int]]] = {}

    @cached_property
    def _lines(self) -> list[str]:
        return self._text.split("\n")

    def characters(self, line: int, column: int) -> int:
        """The column in characters of a column in bytes."""
        text = self._lines[line - 1] if line <= len(self._lines) else ""
        if column < 1 or text.isascii():
            return max(1, column)
        if line not in self._marked:
            self._marked[line] = _marks(text.encode("utf-8", "surrogatepass"))
        data, marks = self._marked[line]
        at = min(column - 1, len(data))
        mark = at // _STEP
        return marks[mark] + _characters(data[mark * _STEP : at]) + 1


def _marks(data: bytes) -> tuple[bytes, list[int]]:
    """The characters before every so many bytes: no look-up reads a long line from its start."""
    marks = [0]
    for start in range(0, len(data), _STEP):
        marks.append(marks[-1] + _characters(data[start : start + _STEP]))
    return data, marks


def _characters(data: bytes) -> int:
    return len(data.translate(None, _WITHIN_A_CHARACTER))


def _own_column(moved: Sequence[Moved], column: int) -> int:
    """Where a column stood before the line was written otherwise; of a part that is new, its beginning."""
    part = bisect_right(moved, column, key=lambda each: each[0]) - 1
    if part < 0:
        return column
    seen_at, seen_length, own_at, own_length = moved[part]
    if column < seen_at + seen_length:
        return own_at
    return column - seen_at - seen_length + own_at + own_length
