"""Progress of long work, on a terminal only."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def counted(text: str, total: int) -> Iterator[Callable[[int], None]]:
    """Show how many of `total` are done, on stderr; silent when stderr is no terminal."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    # here: it takes 40 ms to import, and most commands show no progress
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(text, total=total)
        yield lambda done: progress.update(task, completed=done)
