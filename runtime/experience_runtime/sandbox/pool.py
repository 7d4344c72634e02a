"""The pool: worker processes that can be killed, and the guests that run in them.

A worker serves one guest at a time. A guest that ends by a limit it could be told of leaves its worker whole;
one that had to be killed costs a process, and a warm spare takes its place.
"""

import contextlib
import json
import os
import signal
import threading
from collections import deque
from collections.abc import Mapping
from typing import Any

from experience_runtime.confined.frames import OUT_OF_MEMORY
from experience_runtime.confined.process import ConfinedProcess, FrameTooLong, import_folders
from experience_runtime.domain.errors import InternalError, LimitCpu, LimitEvents, LimitMemory, LimitWall
from experience_runtime.measured import hearer
from experience_runtime.running.guest import Boot, Guest, Limits, Turn
from experience_runtime.sandbox.turns import Allowance, read_turn

ENGINE = "0.17.0.2"
"""The one distribution of quickjs-ng that the worker knows the inside of."""

RUNS_PER_WORKER = 1000
"""A worker is replaced after so many runs, so that nothing a guest leaves behind can add up."""

_MODULE = "experience_runtime.sandbox.worker"
_CLEAR_SECONDS = 10.0
"""Real seconds for clearing a run away, as many as for a start: on a busy machine a worker may wait long for
its turn. One that works too long ends by its own CPU timer."""

_START_AGAIN_SECONDS = 0.1
"""How often those who wait look whether one more worker is to be started."""

_ROOM_SECONDS = 0.1
"""How long past a deadline a worker may take to say so itself before it is killed."""


class Pool:
    """Gives out guests; keeps `spares` workers warm, and at most `most_idle` after a burst of runs.

    `most_idle` is by default the number of processors. Where many runs come at once, again and again, it is
    to be as many: a worker that is not there takes tens of milliseconds of a processor to start. So where
    others will be done sooner, a run waits for theirs: `patience_seconds`, before another one is started.
    """

    def __init__(
        self, spares: int = 1, *, most_idle: int | None = None, patience_seconds: float = 0.02
    ) -> None:
        self._spares = spares
        self._most_idle = max(spares, most_idle or os.cpu_count() or 1)
        self._most_starting = os.cpu_count() or 1
        self._patience_seconds = patience_seconds
        self._lock = threading.Lock()
        self._idle: deque[_Worker] = deque()
        self._waiting: deque[_Place] = deque()  # in their order; nobody waits while one is idle
        self._starting = 0
        self._busy = 0
        self._closed = False
        self._refill()

    def open(self, limits: Limits) -> Guest:
        """Take a worker for one run."""
        worker = self._take()
        self._lent(1)
        return _Guest(self, worker, limits)

    def in_force(self) -> list[str]:
        """What confines a worker on this machine, by asking one."""
        worker = self._take()
        in_force = worker.process.in_force()
        self._give_back(worker)
        return in_force

    def process_ids(self) -> list[int]:
        """The processes that are idle, for whoever watches over them."""
        with self._lock:
            return [worker.process.process_id for worker in self._idle]

    def sizes(self) -> tuple[int, int]:
        """How many processes are idle, and how many run something."""
        with self._lock:
            return len(self._idle), self._busy

    def _lent(self, more: int) -> None:
        with self._lock:
            self._busy += more

    def close(self) -> None:
        """End every idle worker; a guest still open ends its own."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, deque()
        for worker in idle:
            worker.process.end()

    def _take(self) -> "_Worker":
        while True:
            worker = self._first_idle()
            if worker.process.is_alive():
                return worker
            worker.process.kill()

    def _first_idle(self) -> "_Worker":
        """The worker that has been idle longest: its next context is the likeliest to be ready. Where there
        is none, the first that comes, be it given back or started."""
        with self._lock:
            if self._idle:
                return self._idle.popleft()
            self._waiting.append(own := _Place())
            patience = self._patience_seconds if self._busy else 0.0
        try:
            while not own.came.wait(patience):
                self._start_one_more()
                patience = _START_AGAIN_SECONDS
        except BaseException:  # Ctrl-C
            with self._lock:
                if own in self._waiting:
                    self._waiting.remove(own)
            if own.worker is not None:
                self._give_back(own.worker)
            raise
        if own.worker is None:
            raise own.fault
        return own.worker

    def _start_one_more(self) -> None:
        with self._lock:
            if self._starting >= min(len(self._waiting), self._most_starting):
                return
            self._starting += 1
        threading.Thread(target=self._start, name="sandbox start", daemon=True).start()

    def _start(self) -> None:
        """Start one worker for whoever waits, and wait until it is ready."""
        worker, fault = None, None
        try:
            worker = _Worker()
            worker.require_ready()
        except Exception as error:  # noqa: BLE001 - raised where one waits for it
            worker, fault = None, error
        with self._lock:
            self._starting -= 1
            is_kept = worker is not None and self._keep(worker)
            if fault is not None and self._waiting:
                self._waiting.popleft().fails(fault)
        if worker is not None and not is_kept:
            worker.process.end()

    def _give_back(self, worker: "_Worker") -> None:
        with self._lock:
            is_kept = worker.runs < RUNS_PER_WORKER and self._keep(worker)
        if not is_kept:
            worker.process.end()
            self._refill()

    def _keep(self, worker: "_Worker") -> bool:
        """Hand a worker to who has waited longest, or keep it idle; False where there are enough. Under the
        lock."""
        if self._waiting:
            self._waiting.popleft().gets(worker)
            return True
        if self._closed or len(self._idle) >= self._most_idle:
            return False
        self._idle.append(worker)
        return True

    def _refill(self) -> None:
        # no room for another process now: whoever needs one will be told
        with self._lock, contextlib.suppress(OSError):
            # those who wait have theirs started
            while not (self._closed or self._waiting) and len(self._idle) < self._spares:
                self._idle.append(_Worker())


class _Place:
    """One who waits for a worker."""

    def __init__(self) -> None:
        self.came = threading.Event()
        self.worker: _Worker | None = None
        self.fault: Exception = InternalError("no worker came")

    def gets(self, worker: "_Worker") -> None:
        self.worker = worker
        self.came.set()

    def fails(self, fault: Exception) -> None:
        self.fault = fault
        self.came.set()


class _Guest:
    """One run in one worker. Not for more than one thread at a time."""

    def __init__(self, pool: Pool, worker: "_Worker", limits: Limits) -> None:
        self._pool = pool
        self._worker: _Worker | None = worker
        self._limits = limits
        self._allowance = Allowance(limits)

    def start(self, boot: Boot, *, deadline_seconds: float) -> Turn:
        """Start the run; a worker that is found dead, or stuck, has run nothing of it: another one is
        taken."""
        limits = self._limits
        turn_us, run_us = _us(limits.cpu_turn_seconds), _us(limits.cpu_run_seconds)
        begin = b"S%b %d %d %d\n%b" % (boot.script, turn_us, run_us, limits.memory_bytes, boot.text)
        teach = b"L%b %d %d\n%b" % (boot.script, turn_us, limits.memory_bytes, boot.files)
        while True:
            worker = self._whole_worker()
            frames = (begin,) if boot.script in worker.taught else (teach, begin)
            worker.taught.add(boot.script)
            worker.process.send(*frames)
            try:
                worker.require_ready()
            except InternalError:
                self._lose(worker)
                if worker.runs == 0:
                    raise
                self._worker = self._pool._take()
                self._pool._lent(1)
                continue
            told = self._told(worker, deadline_seconds)
            if told == b"N":  # it has forgotten the script since
                told = self._told(worker, deadline_seconds, teach, begin)
            return self._read(worker, told)

    def step(self, message: Mapping[str, Any], *, deadline_seconds: float) -> Turn:
        worker = self._whole_worker()
        return self._read(worker, self._told(worker, deadline_seconds, b"T\n" + _text(message)))

    def close(self) -> None:
        worker, self._worker = self._worker, None
        if worker is None:
            return
        self._pool._lent(-1)
        worker.runs += 1
        worker.process.send(b"E")
        worker.process.expect_ready(_CLEAR_SECONDS)
        self._pool._give_back(worker)

    def _whole_worker(self) -> "_Worker":
        if self._worker is None:
            raise InternalError("this guest has ended")
        return self._worker

    def _told(self, worker: "_Worker", deadline_seconds: float, *frames: bytes) -> bytes:
        """Send these, and read what the worker answers."""
        if frames:
            worker.process.send(*frames)
        try:
            return worker.process.receive(deadline_seconds + _ROOM_SECONDS, self._allowance.most_bytes)
        except TimeoutError:
            self._lose(worker)
            raise LimitWall(f"the run used all of its {self._limits.wall_seconds:g} s") from None
        except FrameTooLong:
            self._lose(worker)
            raise LimitEvents("one turn handed out more than a whole run may; emit less") from None
        except (OSError, EOFError):
            raise self._fault(self._lose(worker)) from None

    def _read(self, worker: "_Worker", told: bytes) -> Turn:
        try:
            turn = read_turn(told, self._allowance)
        except ValueError as fault:
            self._lose(worker)
            raise InternalError(f"what the sandbox worker said cannot be read: {fault}") from None
        if turn.limit == "limit_memory":
            worker.runs = (
                RUNS_PER_WORKER  # an engine that was refused memory may have broken its own structures
            )
        return turn

    def _lose(self, worker: "_Worker") -> int:
        self._worker = None
        hearer().killed_sandbox()
        self._pool._lent(-1)
        status = worker.process.kill()
        self._pool._refill()
        return status

    def _fault(self, status: int) -> Exception:
        if status == -signal.SIGPROF:
            return LimitCpu(
                f"one turn used more than {self._limits.cpu_turn_seconds * 1000:g} ms of CPU "
                "in a call that cannot be interrupted; give the event loop a turn in between"
            )
        # no room outside the engine's own heap; or none in it, and the engine did not take it well
        if status in (OUT_OF_MEMORY, -signal.SIGABRT, -signal.SIGSEGV, -signal.SIGBUS):
            return LimitMemory(f"the run needs more than {self._limits.memory_bytes // 2**20} MiB of memory")
        return InternalError(f"the sandbox worker ended with status {status}")


class _Worker:
    """A process, what it was told, and how much it has run."""

    def __init__(self) -> None:
        self.process = ConfinedProcess(_MODULE, _import_folders())
        self.taught: set[bytes] = set()
        """The scripts it was told; it may have forgotten some."""
        self.runs = 0

    def require_ready(self) -> None:
        """Wait until it is ready; InternalError, with what to do about it, when it does not start."""
        try:
            self.process.in_force()
        except InternalError as fault:
            raise InternalError(f"{fault.message}; {mend_engine()}") from None


def _import_folders() -> tuple[str, ...]:
    try:
        return import_folders("_quickjs")
    except InternalError:
        raise InternalError(f"the package quickjs-ng is not installed; {mend_engine()}") from None


def mend_engine() -> str:
    """What to do about an engine that is missing or another one."""
    return f"`pip install --force-reinstall quickjs-ng=={ENGINE}` puts the right one in place"


def _us(seconds: float) -> int:
    return int(seconds * 1_000_000)


def _text(message: Mapping[str, Any]) -> bytes:
    return _ENCODE(message).encode("ascii")


# ASCII: a lone surrogate stays an escape
_ENCODE = json.JSONEncoder(ensure_ascii=True, allow_nan=False, separators=(",", ":")).encode
