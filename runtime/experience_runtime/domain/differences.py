"""Differences: what differs between two sets of files, as unified diffs, in bounded time."""

import difflib
from collections.abc import Mapping, Sequence
from itertools import takewhile

_MOST_PAIRS = 1_000_000
_CONTEXT = 3


def differences(
    before: Mapping[str, str], after: Mapping[str, str], *, old: str, new: str
) -> Mapping[str, Sequence[str]]:
    """The lines of a unified diff by the names of the files that differ, sorted; `old` and `new` head them.

    Comparing takes time by the square of the lines: past a million pairs of lines in all files together, what
    differs of a file is told as one block.
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
        heads = f"--- {old}/{name}", f"+++ {new}/{name}"
        if left > 0:
            lines = difflib.unified_diff(ours, theirs, f"{old}/{name}", f"{new}/{name}", lineterm="")
            found[name] = list(lines) or [*heads]
        else:
            found[name] = [*heads, *_block(ours, middle, start)]
    return found


def _lines(text: str | None) -> list[str]:
    return [] if text is None else text.split("\n")


def _alike(a: Sequence[str], b: Sequence[str]) -> int:
    """How many lines both begin with."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(a, b, strict=False)))


def _block(ours: Sequence[str], middle: tuple[Sequence[str], Sequence[str]], start: int) -> Sequence[str]:
    gone, come = middle
    first = max(0, start - _CONTEXT)
    lead, tail = ours[first:start], ours[start + len(gone) :][:_CONTEXT]
    around = len(lead) + len(tail)
    head = f"@@ -{first + 1},{len(gone) + around} +{first + 1},{len(come) + around} @@"
    kept, after = [f" {each}" for each in lead], [f" {each}" for each in tail]
    return [head, *kept, *(f"-{each}" for each in gone), *(f"+{each}" for each in come), *after]
