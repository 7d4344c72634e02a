"""The child: a process that calls integrations one at a time, and says how each call ended."""

import json
import logging
import os
import pickle
import socket
import threading
from contextlib import suppress
from dataclasses import asdict

from experience_runtime.clocks import SystemClock
from experience_runtime.domain.errors import NotConfigured, UnknownIntegration
from experience_runtime.engine.attempt import Outcome, call
from experience_runtime.isolation.frames import receive, send
from experience_runtime.log_context import HIDDEN, hiding
from experience_runtime.plugins.http import Outbound
from experience_runtime.plugins.registry import Registry
from experience_runtime.untrusted import Redact, spell


def main(connection_fd: int, life_fd: int) -> None:
    """Serve the parent until it is gone. `life_fd`: a pipe that ends with it."""
    threading.Thread(target=_end_with, args=(life_fd,), daemon=True).start()
    link = _Link(socket.socket(fileno=connection_fd))
    settings, level = pickle.loads(receive(link.connection))
    logging.basicConfig(
        level=level, format="%(message)s", handlers=[_ToParent(link, settings.redact)], force=True
    )
    clock, registry = SystemClock(), Registry(settings)
    outbound = Outbound(now=clock.now, allow_private=settings.allow_private)
    link.say({"ready": True})
    while True:
        try:
            execution = pickle.loads(receive(link.connection))
        except EOFError:
            return
        broken = _broken(registry, execution.integration)
        outcome = broken or call(
            execution, clock=clock, integrations=registry, http=outbound, redact=settings.redact
        )
        link.say({"outcome": _plain(outcome)})
        if broken is not None:
            return  # the next process reads the file anew


def _broken(registry: Registry, name: str) -> Outcome | None:
    """What it comes to that the code was changed since the parent read it, and is broken now: it is kept."""
    with suppress(UnknownIntegration):
        registry.get(name)
    why = registry.broken(name)
    if why is None:
        return None
    return Outcome(code=NotConfigured.code, error=f"{name}: {why}", may_pass=True, is_defect=True)


def _plain(outcome: Outcome) -> dict[str, object]:
    refusal = outcome.refusal
    told = None if refusal is None else {"code": refusal.code, "message": refusal.message}
    return asdict(outcome) | {"refusal": told}


def _end_with(life_fd: int) -> None:
    """Nobody waits for a call whose parent is gone, and nobody else would end it."""
    os.read(life_fd, 1)
    os._exit(1)


class _Link:
    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self._one_speaks = threading.Lock()

    def say(self, said: dict[str, object]) -> None:
        with self._one_speaks:
            send(self.connection, json.dumps(said).encode("ascii"))


class _ToParent(logging.Handler):
    """The parent writes the log, which knows where to."""

    def __init__(self, link: _Link, redact: Redact) -> None:
        super().__init__()
        self._link = link
        self._redact = redact  # the parent does not know what came up here, such as access tokens

    def emit(self, record: logging.LogRecord) -> None:
        try:
            text = hiding(self._redact(self.format(record)), getattr(record, HIDDEN, ()))
        except Exception as error:  # noqa: BLE001 - an integration's own arguments
            text = f"a line that cannot be spelled: {spell(error)}"
        self._link.say({"log": [record.levelno, record.name, text]})
