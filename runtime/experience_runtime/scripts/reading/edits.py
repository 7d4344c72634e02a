"""Edits: what of an author's text is written otherwise before the engine takes it. No line ever moves."""

from collections.abc import Iterable
from dataclasses import dataclass

from experience_runtime.scripts.reading.source import Source, decoded

Moved = tuple[int, int, int, int, int]
"""On a line: the column that the engine sees and its length, and the author's column and its length."""


@dataclass(frozen=True, slots=True, order=True)
class Edit:
    """The bytes from `start` to `end` give way to `text`, which has as many line ends as they."""

    start: int
    end: int
    text: str


def replaced(source: Source, start: int, end: int, text: str) -> Edit:
    """Put a text of one line where there may have been several; the line ends stay."""
    return Edit(start, end, text + "\n" * source.data.count(b"\n", start, end))


def blanked(source: Source, start: int, end: int, *, first: str = "") -> Edit:
    """Put spaces in the place of a text, so that what stands beside it keeps its column.

    `first` stands at its beginning.
    """
    text = decoded(source.data[start:end])
    spaces = "".join("\n" if char == "\n" else " " for char in text)
    return Edit(start, end, first + spaces[len(first) :])


def carried_out(source: Source, edits: Iterable[Edit]) -> tuple[str, list[Moved]]:
    """The text that the engine takes, and where its columns are not the author's own."""
    parts: list[bytes] = []
    moved: list[Moved] = []
    done = 0
    places = _Places(source.data)
    shift_line, shift = 0, 0
    for edit in sorted(edits):
        if edit.start < done:
            continue  # within one that is larger
        before = decoded(source.data[edit.start : edit.end])
        parts += [source.data[done : edit.start], edit.text.encode()]
        done = edit.end
        if _same_lines(before, edit.text):
            continue
        line, column = places.of(edit.start)
        first_before, first_after = before.partition("\n")[0], edit.text.partition("\n")[0]
        shift = shift if line == shift_line else 0
        moved.append((line, column + shift, len(first_after), column, len(first_before)))
        if "\n" in edit.text:  # what follows stands on a later line
            last_before, last_after = before.rpartition("\n")[2], edit.text.rpartition("\n")[2]
            line, shift = line + before.count("\n"), len(last_after) - len(last_before)
            moved.append((line, 1, len(last_after), 1, len(last_before)))
        else:
            shift += len(first_after) - len(first_before)
        shift_line = line
    parts.append(source.data[done:])
    return b"".join(parts).decode("utf-8", "surrogatepass"), moved


def _same_lines(before: str, after: str) -> bool:
    return [len(line) for line in before.split("\n")] == [len(line) for line in after.split("\n")]


class _Places:
    """Places of offsets that only grow: each byte is looked at once."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at, self._line, self._column = 0, 1, 1

    def of(self, at: int) -> tuple[int, int]:
        passed = self._data[self._at : at]
        lines = passed.count(b"\n")
        if lines:
            self._line += lines
            self._column = 1
            passed = passed[passed.rfind(b"\n") + 1 :]
        self._column += len(decoded(passed))
        self._at = at
        return self._line, self._column
