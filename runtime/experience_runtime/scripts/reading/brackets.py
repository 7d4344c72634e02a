"""Brackets: which of an author's brackets is the one that was forgotten."""

from dataclasses import dataclass

_PAIRS = {")": "(", "]": "[", "}": "{"}
CLOSING = {opening: closing for closing, opening in _PAIRS.items()}


@dataclass(frozen=True, slots=True)
class Unpaired:
    """A bracket without its other half; `open_at` is what stands open where a wrong one closes."""

    at: int
    open_at: int | None = None


def open_before(code: str, end: int) -> list[int]:
    """The offsets of the brackets that stand open at `end`, outermost first. `code` is blanked."""
    opened: list[int] = []
    for at in range(min(end, len(code))):
        if code[at] in CLOSING:
            opened.append(at)
        elif opened and _PAIRS.get(code[at]) == code[opened[-1]]:
            opened.pop()
    return opened


def find_unpaired(code: str) -> Unpaired | None:
    """Find the bracket that is most likely at fault; None when every bracket has its other half.

    Where one is left open, the indentation tells which: the first that is closed by a bracket further to
    the left than its own line, else the innermost.
    """
    opened: list[tuple[int, int]] = []  # offset, indentation of its line
    suspect: int | None = None
    line_start, indent = 0, -1  # -1: only spaces so far
    for at, char in enumerate(code):
        if char == "\n":
            line_start, indent = at + 1, -1
            continue
        is_first = indent < 0 and not char.isspace()
        if is_first:
            indent = at - line_start
        if char in CLOSING:
            opened.append((at, indent))
        elif char in _PAIRS:
            if not opened:
                return Unpaired(at)
            opening, its_indent = opened.pop()
            if code[opening] != _PAIRS[char]:
                return Unpaired(at, opening)
            if suspect is None and is_first and its_indent > indent:
                suspect = opening
    if not opened:
        return None
    return Unpaired(opened[-1][0] if suspect is None else suspect)


def closing(code: str, at: int) -> int | None:
    """The offset behind the bracket that closes the one at `at`; None when nothing does."""
    depth = 0
    for here in range(at, len(code)):
        if code[here] in CLOSING:
            depth += 1
        elif code[here] in _PAIRS:
            depth -= 1
            if depth == 0:
                return here + 1
    return None
