"""Looking: what is looked after on a thread of its own, while a runtime serves or delivers."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from experience_runtime.runtime import Runtime

_END_SECONDS = 5  # a call of its own may hang


@contextmanager
def looking(
    runtime: Runtime, step: Callable[[], bool | None], *, name: str, every: timedelta
) -> Iterator[None]:
    """Take one step after the other meanwhile, which never raise; at once after one that says True."""
    stop = threading.Event()

    def loop() -> None:
        while not stop.is_set():
            if not step():
                runtime.clock.wait(None, stop, at_most=every.total_seconds())

    thread = threading.Thread(target=loop, name=name, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(_END_SECONDS)
