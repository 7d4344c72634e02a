"""The pool: worker processes that can be killed, and the guests that run in them.

A worker serves one guest at a time. A guest that ends by a limit it could be told of leaves its worker whole;
one that had to be killed costs a process, and a warm spare takes its place.
"""

import contextlib
import importlib.util
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from experience_runtime.clocks import monotonic
from experience_runtime.domain.errors import InternalError, LimitCpu, LimitMemory, LimitWall
from experience_runtime.running.guest import Guest, Limits, Turn
from experience_runtime.sandbox.turns import read_turn

RUNS_PER_WORKER = 1000
"""A worker is replaced after so many runs, so that nothing a guest leaves behind can add up."""

_OUT_OF_MEMORY = 71  # worker.OUT_OF_MEMORY, which cannot be imported here: that module holds the engine

_ROOM_SECONDS = 0.1
"""How long past a deadline a worker may take to say so itself before it is killed."""


class Pool:
    """Gives out guests; keeps `spares` workers warm, and at most `most_idle` after a burst of runs.

    `most_idle` is by default the number of processors. Where many runs come at once, again and again, it is
    to be as many: a worker that is not there takes tens of milliseconds to start.
    """

    def __init__(self, spares: int = 1, *, most_idle: int | None = None) -> None:
        self._spares = spares
        self._most_idle = max(spares, most_idle or os.cpu_count() or 1)
        self._lock = threading.Lock()
        self._idle: list[_Worker] = []
        self._closed = False
        self._refill()

    def open(self, limits: Limits) -> Guest:
        """Take a worker for one run."""
        return _Guest(self, self._take(), limits)

    def in_force(self) -> list[str]:
        """What confines a worker on this machine, by asking one."""
        worker = self._take()
        in_force = worker.in_force()
        self._give_back(worker)
        return in_force

    def process_ids(self) -> list[int]:
        """The processes that are idle, for whoever watches over them."""
        with self._lock:
            return [worker.process_id for worker in self._idle]

    def close(self) -> None:
        """End every idle worker; a guest still open ends its own."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for worker in idle:
            worker.end()

    def _take(self) -> "_Worker":
        while True:
            with self._lock:
                # the one that has been idle longest: its next context is the likeliest to be ready
                worker = self._idle.pop(0) if self._idle else None
            if worker is None:
                return _Worker()
            if worker.is_whole():
                return worker
            worker.kill()  # the run before this one broke it

    def _give_back(self, worker: "_Worker") -> None:
        with self._lock:
            keep = not self._closed and worker.runs < RUNS_PER_WORKER and len(self._idle) < self._most_idle
            if keep:
                self._idle.append(worker)
        if not keep:
            worker.end()
            self._refill()

    def _refill(self) -> None:
        # no room for another process now: whoever needs one will be told
        with self._lock, contextlib.suppress(OSError):
            while not self._closed and len(self._idle) < self._spares:
                self._idle.append(_Worker())


class _Guest:
    """One run in one worker. Not for more than one thread at a time."""

    def __init__(self, pool: Pool, worker: "_Worker", limits: Limits) -> None:
        self._pool = pool
        self._worker: _Worker | None = worker
        self._limits = limits

    def start(self, message: Mapping[str, Any], *, deadline_seconds: float) -> Turn:
        limits = self._limits
        head = f"{_us(limits.cpu_turn_seconds)} {_us(limits.cpu_run_seconds)} {limits.memory_bytes}\n"
        return self._turn(b"S" + head.encode() + _text(message), deadline_seconds)

    def step(self, message: Mapping[str, Any], *, deadline_seconds: float) -> Turn:
        return self._turn(b"T" + _text(message), deadline_seconds)

    def close(self) -> None:
        worker, self._worker = self._worker, None
        if worker is None:
            return
        worker.runs += 1
        try:
            worker.end_run()
        except OSError:
            worker.kill()
            self._pool._refill()
        else:
            self._pool._give_back(worker)

    def _turn(self, frame: bytes, deadline_seconds: float) -> Turn:
        worker = self._worker
        if worker is None:
            raise InternalError("this guest has ended")
        try:
            worker.send(frame)
            # twice: a text of one byte a character in the guest's heap may take two on the wire
            told = worker.receive(deadline_seconds + _ROOM_SECONDS, 2 * self._limits.memory_bytes)
        except TimeoutError:
            self._lose(worker)
            raise LimitWall(f"the run used all of its {self._limits.wall_seconds:g} s") from None
        except (OSError, EOFError):
            raise self._fault(self._lose(worker)) from None
        except InternalError:
            self._lose(worker)
            raise
        try:
            turn = read_turn(told)
        except ValueError as fault:
            self._lose(worker)
            raise InternalError(f"what the sandbox worker said cannot be read: {fault}") from None
        if turn.limit == "limit_memory":
            worker.runs = RUNS_PER_WORKER  # a heap that was full may not shrink again
        return turn

    def _lose(self, worker: "_Worker") -> int:
        self._worker = None
        status = worker.kill()
        self._pool._refill()
        return status

    def _fault(self, status: int) -> Exception:
        if status == -signal.SIGPROF:
            return LimitCpu(
                f"one turn used more than {self._limits.cpu_turn_seconds * 1000:g} ms of CPU "
                "in a call that cannot be interrupted; give the event loop a turn in between"
            )
        if status in (
            _OUT_OF_MEMORY,
            -signal.SIGABRT,
            -signal.SIGSEGV,
        ):  # no room outside the engine's own heap
            return LimitMemory(f"the run needs more than {self._limits.memory_bytes // 2**20} MiB of memory")
        return InternalError(f"the sandbox worker ended with status {status}")


class _Worker:
    """One process. It starts at once and says when it is ready; nobody waits for that before they must."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        with theirs, contextlib.ExitStack() as on_failure:
            on_failure.callback(ours.close)
            theirs_fd = theirs.fileno()
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", _PROGRAM, *import_folders(), str(theirs_fd)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env={},
                close_fds=True,
                pass_fds=(theirs_fd,),
                start_new_session=True,  # Ctrl-C is for the host, not for its workers
            )
            on_failure.pop_all()
        self._socket = ours
        self._in_force: list[str] | None = None  # None: it has yet to say that it is ready
        self._ready_seconds = _START_SECONDS
        self.runs = 0

    @property
    def process_id(self) -> int:
        return self._process.pid

    def is_whole(self) -> bool:
        """Wait until it is ready; False when it is gone, or was left in a state it cannot clear."""
        if self._process.poll() is not None:
            return False
        try:
            self.in_force()
        except InternalError:
            return False
        return True

    def in_force(self) -> list[str]:
        """Wait until it is ready; return what confines it."""
        if self._in_force is None:
            try:
                ready = self._read(monotonic() + self._ready_seconds, 1000)
            except (OSError, EOFError):
                raise InternalError(
                    f"a sandbox worker did not start (status {self.kill()}); `experience doctor` says more"
                ) from None
            self._in_force = ready[1:].decode().split()
        return self._in_force

    def send(self, frame: bytes) -> None:
        self.in_force()
        self._socket.settimeout(_START_SECONDS)
        self._socket.sendall(len(frame).to_bytes(4, "big") + frame)

    def end_run(self) -> None:
        """Tell it to clear the run away, and wait for nothing."""
        self.send(b"E")
        self._in_force, self._ready_seconds = None, _CLEAR_SECONDS

    def receive(self, seconds: float, most_bytes: int) -> bytes:
        """Read one frame; TimeoutError after `seconds`, EOFError when it is gone or says too much."""
        return self._read(monotonic() + seconds, most_bytes)

    def kill(self) -> int:
        """End the process now; return its status, a negative signal number when one ended it."""
        self._socket.close()
        gone = self._process.poll()
        if gone is None:
            # it may be dying of its own accord: its status is the one that tells why
            try:
                gone = self._process.wait(timeout=0.01)
            except subprocess.TimeoutExpired:
                self._process.kill()
                gone = self._process.wait()
        return gone

    def end(self) -> None:
        """Close the socket: an idle worker leaves by itself."""
        self._socket.close()
        try:
            self._process.wait(timeout=1)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _read(self, deadline: float, most_bytes: int) -> bytes:
        length = int.from_bytes(self._read_exactly(4, deadline), "big")
        if length > most_bytes:
            raise EOFError("a frame that long is not ours")
        return self._read_exactly(length, deadline)

    def _read_exactly(self, count: int, deadline: float) -> bytes:
        parts = []
        while count:
            left = deadline - monotonic()
            if left <= 0:
                raise TimeoutError
            self._socket.settimeout(left)
            part = self._socket.recv(min(count, 1 << 20))
            if not part:
                raise EOFError("the worker is gone")
            parts.append(part)
            count -= len(part)
        return b"".join(parts)


_START_SECONDS = 10.0
_CLEAR_SECONDS = 2.0  # real seconds: past worker.CLEAR_SECONDS of CPU the kernel has ended it
_PROGRAM = (
    "import sys; sys.path[:0] = sys.argv[1:3]; "
    "from experience_runtime.sandbox import worker; worker.main(int(sys.argv[3]))"
)


def import_folders() -> tuple[str, str]:
    """Where our package and the engine's binding stand: all that a worker may import from."""
    ours = str(Path(__file__).resolve().parents[2])
    spec = importlib.util.find_spec("_quickjs")
    if spec is None or spec.origin is None:
        raise InternalError("the package quickjs-ng is not installed; `pip install quickjs-ng`")
    return ours, str(Path(spec.origin).parent)


def _us(seconds: float) -> int:
    return int(seconds * 1_000_000)


def _text(message: Mapping[str, Any]) -> bytes:
    # ASCII: a lone surrogate stays an escape, and the binding takes no NUL
    return json.dumps(message, ensure_ascii=True, allow_nan=False, separators=(",", ":")).encode("ascii")
