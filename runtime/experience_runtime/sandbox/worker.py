"""The worker process: one fresh QuickJS context per run, and nothing else.

Started by the pool as `python -I -S -c "… worker.main(FD)"`, it speaks over one socket in frames (four bytes
of length, then that many): a kind byte and a text. The next context is prepared while the process is idle.

    host -> worker   S cpu_turn_us cpu_run_us memory_bytes \\n boot     begin a run and take its first turn
                     T text                                           take one more turn
                     E                                                end the run
    worker -> host   R in force                                       ready: at the start, after each E
                     O {cpu_us, limit, stack} \\n text                 a turn is over

CPU is the thread's: with a timer on the whole process, the kernel's figures for it move in ticks only. A
turn that a limit ends leaves the context untouched from then on; past the hard CPU timer the kernel kills the
process, and one that cannot clear away a run in time as well.
"""

import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import _quickjs

from experience_runtime.confined.confine import confine
from experience_runtime.confined.cpu_timer import CpuTimer
from experience_runtime.sandbox.heap import Heap
from experience_runtime.sandbox.prelude_files import Prelude

STACK_BYTES = 1024 * 1024
HARD_CPU_ROOM_SECONDS = 0.09
"""What a turn may use beyond its limit, to be told so softly, before the kernel ends the process."""

COLLECT_ROOM_BYTES = 32 * 1024 * 1024
"""Heap beyond the limit for telling what a turn asked: a guest that filled its own may still be heard."""

OUT_OF_MEMORY = 71
"""The process's exit status when Python itself found no more room."""

CLEAR_SECONDS = 0.5
"""CPU for freeing what a run left and making the next context: a guest can make freeing slow."""

_INTERRUPTED = "InternalError: interrupted"
_NO_MEMORY = "InternalError: out of memory"
_UNREADABLE = "(Failed obtaining QuickJS error string"  # what the binding says of a value without a text


class Frames:
    """Length-prefixed frames over one descriptor."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def read(self) -> bytes:
        return self._read_exactly(int.from_bytes(self._read_exactly(4), "big"))

    def write(self, *parts: bytes) -> None:
        # one by one: joining them would hold a long text twice
        for part in (sum(map(len, parts)).to_bytes(4, "big"), *parts):
            rest = memoryview(part)
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]

    def _read_exactly(self, count: int) -> bytes:
        parts = []
        while count:
            part = os.read(self._descriptor, min(count, 1 << 20))
            if not part:
                os._exit(0)  # the host is gone
            parts.append(part)
            count -= len(part)
        return b"".join(parts)


@dataclass(frozen=True, slots=True)
class Taken:
    """A turn that was taken: the limit that ended it, where it stood then, and what the guest asks."""

    cpu_us: int
    limit: str | None
    stack: str
    asked: str


class EngineContext:
    """One context, with the prelude in it."""

    def __init__(self, prelude: Prelude, heap: Heap, timer: CpuTimer) -> None:
        self._heap = heap
        self._timer = timer
        heap.begin()
        self._context = _quickjs.Context()
        self._context.set_max_stack_size(STACK_BYTES)
        entry = prelude.install(self._context)
        names = ("start", "deliver", "next", "collect", "globalThrew")
        self._start, self._deliver, self._next, self._collect, self._global_threw = map(entry, names)
        self._turn_seconds = 0.0
        self._run_until = 0.0  # as this thread counts CPU: what stands between the turns is the run's too
        self._memory_bytes = 0
        self._began = self._budget = 0.0

    def limit(self, turn_seconds: float, run_seconds: float, memory_bytes: int) -> None:
        self._turn_seconds, self._run_until = turn_seconds, time.thread_time() + run_seconds
        self._memory_bytes = memory_bytes
        self._context.set_memory_limit(memory_bytes)

    def turn(self, text: str, *, first: bool) -> Taken:
        """Take one turn: the message, every microtask, and every task that is ready."""
        self._began = time.thread_time()
        self._budget = max(0.0, min(self._turn_seconds, self._run_until - self._began))
        self._timer.arm(self._budget + HARD_CPU_ROOM_SECONDS)
        limit, stack = None, ""
        try:
            if first:
                self._evaluate(self._bounded(self._start, text))
            else:
                self._bounded(self._deliver, text)
            while True:
                while self._bounded(self._context.execute_pending_job):
                    pass
                if not self._bounded(self._next):
                    break
        except _OutOfCpu:
            limit = "limit_cpu"
        except _quickjs.JSException as escaped:
            limit, stack = _limit_of(str(escaped))
        used = time.thread_time() - self._began
        self._context.set_time_limit(HARD_CPU_ROOM_SECONDS / 2)
        self._context.set_memory_limit(self._memory_bytes + COLLECT_ROOM_BYTES)
        try:
            asked = self._collect(self._memory())
        except _quickjs.JSException:
            asked = ""
        self._context.set_memory_limit(self._memory_bytes)
        self._timer.disarm()
        return Taken(int(used * 1e6), limit, stack, asked)

    def _evaluate(self, global_text: str) -> None:
        """Run global.js as a script, not through eval: its top-level `let` and `const` are everyone's."""
        if not global_text:
            return
        try:
            self._bounded(self._context.eval, global_text)
        except _quickjs.JSException as thrown:
            text = str(thrown)
            if text.startswith((_INTERRUPTED, _NO_MEMORY)):
                raise
            head, _, stack = text.partition("\n    at ")
            head = head.removesuffix("\nundefined").strip()
            if head.startswith(_UNREADABLE):
                head = "a value that cannot be read"
            self._bounded(self._global_threw, head, stack and "    at " + stack)
        except (TypeError, ValueError):  # the binding cannot read its last value, which nobody asked for
            pass

    def _memory(self) -> str:
        return "short" if self._heap.grown_bytes() > self._memory_bytes / 2 else "ample"

    def _bounded(self, call: Callable[..., Any], *arguments: str) -> Any:
        left = self._budget - (time.thread_time() - self._began)
        if left <= 0:
            raise _OutOfCpu
        self._context.set_time_limit(left)
        return call(*arguments)


class _OutOfCpu(Exception):
    pass


def _limit_of(escaped: str) -> tuple[str, str]:
    """The limit that an exception out of the prelude means, and where the author's code stood."""
    text, _, stack = escaped.partition("\n")
    # null: there was not even room for the Error
    limit = "limit_memory" if text in (_NO_MEMORY, "null") else "limit_cpu"
    return limit, stack if text == _INTERRUPTED else ""


def main(descriptor: int) -> None:
    """Serve runs until the host closes the socket."""
    try:
        _serve(Frames(descriptor))
    except MemoryError:
        os._exit(OUT_OF_MEMORY)


def _serve(frames: Frames) -> None:
    prelude = Prelude(os.path.join(os.path.dirname(__file__), "prelude"))
    heap = Heap()
    timer = CpuTimer()
    # before confinement: the engine's one-time set-up takes a lock of the system's
    run = EngineContext(prelude, heap, timer)
    in_force = confine()
    ready = ("R" + " ".join(in_force)).encode()
    frames.write(ready)
    while True:
        kind, body = _told(frames)
        if kind == b"E":
            timer.arm(CLEAR_SECONDS)
            del run  # first, so that two contexts are never held at once
            run = EngineContext(prelude, heap, timer)
            timer.disarm()
            if heap.stays_grown():
                os._exit(0)  # the pool takes another
            frames.write(ready)
            continue
        _take_turn(run, frames, kind, body)


def _told(frames: Frames) -> tuple[bytes, str]:
    frame = frames.read()
    return frame[:1], frame[1:].decode()


def _take_turn(run: EngineContext, frames: Frames, kind: bytes, body: str) -> None:
    # A function of its own, so that none of its texts is held when the run is cleared away: one at the top of
    # the heap keeps all that is below it from being given back.
    if kind == b"S":
        head, body = body.split("\n", 1)
        turn_us, run_us, memory_bytes = map(int, head.split())
        run.limit(turn_us / 1e6, run_us / 1e6, memory_bytes)
    taken = run.turn(body, first=kind == b"S")
    told = json.dumps({"cpu_us": taken.cpu_us, "limit": taken.limit, "stack": taken.stack})
    frames.write(b"O", told.encode(), b"\n", taken.asked.encode())
