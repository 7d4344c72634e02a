"""Silence: a session whose other side says nothing for too long is cut, so that its caller hears of it.

The system notices a server that is gone. It does not notice one that stands still, or a proxy between that
has forgotten the connection: a caller would wait for ever.
"""

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Protocol

from experience_runtime.clocks import monotonic


class Session(Protocol):
    def fileno(self) -> int: ...


class Watch:
    """Cuts the sessions whose act has lasted longer than `seconds`; on a thread of its own."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._mutex = threading.Lock()
        self._began: dict[int, tuple[Session, float]] = {}
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="silence", daemon=True)
        self._thread.start()

    def begin(self, session: Session) -> None:
        with self._mutex:
            self._began[id(session)] = session, monotonic()

    def end(self, session: Session) -> None:
        with self._mutex:
            self._began.pop(id(session), None)

    @contextmanager
    def over(self, session: Session) -> Iterator[None]:
        """Watch over what happens inside."""
        self.begin(session)
        try:
            yield
        finally:
            self.end(session)

    def close(self) -> None:
        self._closed.set()

    def _run(self) -> None:
        while not self._closed.wait(min(1.0, self._seconds / 4)):
            with self._mutex:  # held while it cuts: a session that ends meanwhile is nobody else's yet
                for session, began in self._began.values():
                    if monotonic() - began > self._seconds:
                        cut(session)


def cut(session: Session) -> None:
    """End the connection under a session; whoever waits for it hears that it is lost."""
    with suppress(Exception), socket.socket(fileno=os.dup(session.fileno())) as under:
        under.shutdown(socket.SHUT_RDWR)  # or it is closed already
