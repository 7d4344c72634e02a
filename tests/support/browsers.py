"""Patience with a browser: a call that it never answers fails, and says where, also without a time limit."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Playwright

LONGEST_SECONDS = 300.0


@contextmanager
def patience(playwright: Playwright, seconds: float = LONGEST_SECONDS) -> Iterator[None]:
    """Give up, after so long, the call of the browser that is under way: it raises CancelledError."""
    loop = playwright._loop

    def give_up() -> None:
        for task in asyncio.all_tasks(loop):
            if hasattr(task, "__pw_caller_frame__"):  # a call of a test, and none of the driver's own
                task.cancel(f"the browser has not answered for {seconds:g} s")

    timer = threading.Timer(seconds, loop.call_soon_threadsafe, [give_up])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
