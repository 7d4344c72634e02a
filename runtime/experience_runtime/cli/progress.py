"""Progress of long work, on a terminal only."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

from experience_runtime.domain.instants import iso

_WIDTH = 40
_ERASE = "\r\x1b[2K"


@contextmanager
def counted(text: str, total: int) -> Iterator[Callable[[int], None]]:
    """Show how many of `total` are done, on stderr, and erase it; silent when stderr is no terminal."""
    if not _can_erase():
        yield lambda _: None
        return
    shown = ""

    def show(done: int) -> None:
        nonlocal shown
        share = min(1.0, done / total) if total > 0 else 1.0
        line = f"{text} [{'#' * int(share * _WIDTH):<{_WIDTH}}] {int(share * 100):3d} %"
        if line != shown:  # a terminal is slow, and most steps change nothing that is seen
            sys.stderr.write(_ERASE + line)
            sys.stderr.flush()
            shown = line

    try:
        show(0)
        yield show
    finally:
        sys.stderr.write(_ERASE)
        sys.stderr.flush()


@contextmanager
def reached(text: str) -> Iterator[Callable[[datetime], None]]:
    """Show which instant long work has come to, after this text, on stderr, and erase it; else silent."""
    with virtual_time(text + " ") as show:
        yield show or (lambda _: None)


@contextmanager
def virtual_time(before: str = "") -> Iterator[Callable[[datetime], None] | None]:
    """Show how far a simulation has come, and erase it; None where that cannot be."""
    if not _can_erase():
        yield None
        return

    def show(at: datetime) -> None:
        sys.stderr.write(_ERASE + before + iso(at))
        sys.stderr.flush()

    try:
        yield show
    finally:
        sys.stderr.write(_ERASE)
        sys.stderr.flush()


def _can_erase() -> bool:
    return sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
