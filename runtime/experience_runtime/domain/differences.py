"""Differences: what differs between two sets of files, as unified diffs, in bounded time."""

import difflib
import re
from collections.abc import Mapping, Sequence
from itertools import takewhile

_MOST_PAIRS = 1_000_000
_CONTEXT = 3
_HEAD = re.compile(r"([-+])(\d+)")

_Both = tuple[Sequence[str], Sequence[str]]


def differences(
    before: Mapping[str, str], after: Mapping[str, str], *, old: str, new: str
) -> Mapping[str, Sequence[str]]:
    """The lines of a unified diff by the names of the files that differ, sorted; `old` and `new` head them.

    Comparing takes time by the square of the lines: only those between what both begin and end with are
    compared, and past a million pairs of them in all files together, those of a file are told as one block.
    """
    left, found = _MOST_PAIRS, {}
    for name in sorted({*before, *after}):
        a, b = before.get(name), after.get(name)
        if a == b:
            continue
        ours, theirs = _lines(a), _lines(b)
        start = _alike(ours, theirs)
        end = _alike(ours[start:][::-1], theirs[start:][::-1])
        middle = ours[start : len(ours) - end], theirs[start : len(theirs) - end]
        left -= len(middle[0]) * len(middle[1])
        first = max(0, start - _CONTEXT)
        around = ours[first:start], ours[len(ours) - end :][:_CONTEXT]
        told = _compared(middle, around, first) if left >= 0 else _block(middle, around, first)
        found[name] = [f"--- {old}/{name}", f"+++ {new}/{name}", *told]
    return found


def _lines(text: str | None) -> list[str]:
    return [] if text is None else text.split("\n")


def _alike(a: Sequence[str], b: Sequence[str]) -> int:
    """How many lines both begin with."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(a, b, strict=False)))


def _compared(middle: _Both, around: _Both, first: int) -> Sequence[str]:
    lead, tail = around
    gone, come = ([*lead, *lines, *tail] for lines in middle)
    _, _, *lines = difflib.unified_diff(gone, come, n=_CONTEXT, lineterm="")
    return [
        _HEAD.sub(lambda number: f"{number[1]}{int(number[2]) + first}", line, count=2)
        if line.startswith("@@")
        else line
        for line in lines
    ]


def _block(middle: _Both, around: _Both, first: int) -> Sequence[str]:
    (gone, come), (lead, tail) = middle, around
    count = len(lead) + len(tail)
    head = f"@@ -{first + 1},{len(gone) + count} +{first + 1},{len(come) + count} @@"
    kept, after = [f" {each}" for each in lead], [f" {each}" for each in tail]
    return [head, *kept, *(f"-{each}" for each in gone), *(f"+{each}" for each in come), *after]
