"""Processes: one for each isolated call at a time, kept for the next, and ended with all it has started."""

import contextlib
import json
import logging
import os
import pickle
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from typing import Any

from experience_runtime.clocks import monotonic
from experience_runtime.domain.errors import CallFailed, IntegrationTimeout, Refusal
from experience_runtime.domain.executions import Execution
from experience_runtime.engine.attempt import DEFECTS, Outcome
from experience_runtime.isolation.frames import receive, send
from experience_runtime.log_context import attempting
from experience_runtime.settings.load import Settings

START_SECONDS = 30.0
"""How long a process may take to be ready, which is not of the call's time."""

_MOST_IDLE = 4  # of one integration
_MOST_TEXT = 64 * 1024
_BEGIN = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]);"
    "from experience_runtime.isolation.child import main; main(int(sys.argv[2]), int(sys.argv[3]))"
)

_logger = logging.getLogger(__name__)


class Isolation:
    """Calls integrations in processes of their own; any thread may ask."""

    def __init__(self, settings: Callable[[], Settings]) -> None:
        """`settings` gives those of now: after they have changed, no process with older ones is called."""
        self._settings = settings
        self._lock = threading.Lock()
        self._idle: dict[str, list[_Process]] = {}
        self._all: set[_Process] = set()
        self._closed = False

    def call(self, execution: Execution, *, seconds: float) -> Outcome:
        """Call once; past `seconds` the process is ended, and with it whatever it still would have done."""
        process: _Process | None = None
        try:
            process = self._take(execution.integration)
            outcome = process.call(execution, seconds=seconds)
        except TimeoutError:
            self._end(process)
            said = f"{execution.integration} did not end within {seconds:g} s, its timeout, and was ended"
            return Outcome(code=IntegrationTimeout.code, error=said, may_pass=True)
        except (EOFError, OSError, ValueError, TypeError, KeyError) as error:
            status = self._end(process)
            said = f"the process of {execution.integration} ended with status {status} before it had answered"
            if not isinstance(error, EOFError):
                said = f"the process of {execution.integration} could not be used: {type(error).__name__}"
            return Outcome(
                code=CallFailed.code,
                error=said,
                may_pass=execution.begun < DEFECTS,
                is_defect=True,
            )
        self._give_back(execution.integration, process)
        return outcome

    def process_ids(self) -> list[int]:
        """The processes there are."""
        with self._lock:
            return [each.process_id for each in self._all]

    def close(self) -> None:
        """End every process, also one that is in a call."""
        with self._lock:
            self._closed = True
            everything, self._all, self._idle = self._all, set(), {}
        for process in everything:
            process.end()

    def _take(self, integration: str) -> "_Process":
        settings = self._settings()
        while True:
            with self._lock:
                if self._closed:
                    raise EOFError
                idle = self._idle.get(integration)
                process = idle.pop() if idle else None
            if process is None:
                break
            if process.is_alive() and process.settings is settings:
                return process
            self._end(process)
        process = _Process(settings)
        with self._lock:
            self._all.add(process)
        try:
            process.begin()
        except TimeoutError:
            self._end(process)
            raise OSError("it was not ready in time") from None
        except BaseException:
            self._end(process)
            raise
        return process

    def _give_back(self, integration: str, process: "_Process") -> None:
        with self._lock:
            idle = self._idle.setdefault(integration, [])
            is_kept = not self._closed and len(idle) < _MOST_IDLE
            if is_kept:
                idle.append(process)
        if not is_kept:
            self._end(process)

    def _end(self, process: "_Process | None") -> int | None:
        if process is None:
            return None
        with self._lock:
            self._all.discard(process)
        return process.end()


class _Process:
    """One process, a group of its own."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._redact = settings.redact
        self._connection, theirs = socket.socketpair()
        their_life, self._life = os.pipe()
        words = [json.dumps(sys.path), str(theirs.fileno()), str(their_life)]
        try:
            self._popen = subprocess.Popen(
                [sys.executable, "-c", _BEGIN, *words],
                stdin=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(), their_life),
                start_new_session=True,  # Ctrl-C is for the worker, which lets its calls end
            )
        except BaseException:
            self._connection.close()
            os.close(self._life)
            raise
        finally:
            theirs.close()
            os.close(their_life)

    @property
    def process_id(self) -> int:
        return self._popen.pid

    def begin(self) -> None:
        level = logging.getLogger().getEffectiveLevel()
        send(self._connection, pickle.dumps((self.settings, level)))
        self._hear("ready", monotonic() + START_SECONDS)

    def call(self, execution: Execution, *, seconds: float) -> Outcome:
        send(self._connection, pickle.dumps(execution))
        with attempting(execution.id, execution.integration, execution.attempt):
            return self._outcome(self._hear("outcome", monotonic() + seconds))

    def is_alive(self) -> bool:
        return self._popen.poll() is None

    def end(self) -> int:
        """Kill it and what it has started; return its exit status."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._popen.pid, signal.SIGKILL)
        status = self._popen.wait()
        self._connection.close()
        with contextlib.suppress(OSError):
            os.close(self._life)
        return status

    def _hear(self, what: str, ends_at: float) -> Any:
        """The next thing of this kind that it says; what it logs on the way is logged."""
        while True:
            said = json.loads(receive(self._connection, ends_at=ends_at))
            if what in said:
                return said[what]
            level, name, text = said["log"]
            if isinstance(level, int) and isinstance(name, str) and isinstance(text, str):
                logging.getLogger(name[:200]).log(level, "%s", text[:_MOST_TEXT])

    def _outcome(self, said: Mapping[str, Any]) -> Outcome:
        """What it says, believed in its kind only: an integration's code may have written it."""
        status, wait, refusal = said["http_status"], said["retry_after"], said["refusal"]
        return Outcome(
            code=_text(said["code"]),
            error=self._shown(said["error"]),
            answer=said["answer"],
            excerpt=self._shown(said["excerpt"]),
            http_status=status if isinstance(status, int) and 100 <= status <= 599 else None,
            may_pass=said["may_pass"] is True,
            retry_after=float(wait) if isinstance(wait, int | float) and wait >= 0 else None,
            refusal=None if refusal is None else _refusal(refusal, self._redact),
            is_defect=said["is_defect"] is True,
        )

    def _shown(self, value: Any) -> str | None:
        text = _text(value)
        return None if text is None else self._redact(text)[:_MOST_TEXT]


def _text(value: Any) -> str | None:
    if value is not None and not isinstance(value, str):
        raise ValueError("not a text")
    return value


def _refusal(said: Mapping[str, str], redact: Any) -> Refusal:
    for kind in Refusal.__subclasses__():
        if kind.code == said["code"]:
            return kind(redact(str(said["message"])))
    raise ValueError("no refusal has this code")
