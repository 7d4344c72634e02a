"""Stopping: the signals that ask a process to finish what it does and end."""

import signal
from collections.abc import Callable
from types import FrameType


def on_stop(act: Callable[[], None]) -> None:
    """Call `act` at the first of SIGTERM, Ctrl-C and SIGHUP; a second one ends the process at once.

    A SIGHUP that whoever started the process has it ignore, as `nohup` does, stays ignored.
    """

    def end(number: int, _: FrameType | None) -> None:
        signal.signal(number, signal.SIG_DFL)  # the second time is meant at once
        act()

    for name in ("SIGTERM", "SIGINT", "SIGHUP"):
        number = getattr(signal, name, None)  # Windows has no SIGHUP
        if number is not None and (name != "SIGHUP" or signal.getsignal(number) is not signal.SIG_IGN):
            signal.signal(number, end)
