"""The engine with our prelude in it: the images of the scripts it knows, and the one run there is.

A run begins from its script's image: the prelude, and the author's files as functions that have not run
yet. CPU is the thread's: with a timer on the whole process, the kernel's figures for it move in ticks only.
A turn that a limit ends leaves the context untouched from then on; past the hard CPU timer the kernel kills
the process.
"""

import ctypes
import json
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from time import thread_time

from experience_runtime.confined.cpu_timer import CpuTimer
from experience_runtime.sandbox import engine
from experience_runtime.sandbox.engine import Thrown, Value
from experience_runtime.sandbox.heap import Heap, Image
from experience_runtime.sandbox.prelude_files import install_prelude

STACK_BYTES = 1024 * 1024
HARD_CPU_ROOM_SECONDS = 0.09
"""What a turn may use beyond its limit, to be told so softly, before the kernel ends the process."""

CLEAR_CPU_SECONDS = 2.0
"""What putting the heap back may use: hundreds of times what it takes."""

COLLECT_ROOM_BYTES = 32 * 1024 * 1024
"""Heap beyond the limit for telling what a turn asked: a guest that filled its own may still be heard."""

MOST_SCRIPTS = 16
SCRIPTS_BYTES = 24 * 1024 * 1024
"""What the images of scripts may hold together; the one in use stays, whatever its size."""

_FIRST_LINE = -1  # so that an author's first is 1, after two of ours: see `Bundle`
_COLLECTION_BYTES = 8 * 1024 * 1024  # the engine looks for cycles from here on
_ENTRIES = (
    *("start", "deliver", "next", "collect", "globalThrew", "setModule", "loadFailed", "globalFailed"),
    "rejected",
)


_TABLES_GROW = b"(() => { const made = []; for (let n = 0; n < 100; n++) made.push({ ['x' + n]: n }) })()"
"""The engine doubles its tables of names and shapes when they are full: before the image is made, not in each
run anew."""


class SelfTestFailed(OSError):
    """The engine here does not do what this module relies on."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A turn that was taken: the limit that ended it, where it stood then, and what the guest asks."""

    cpu_us: int
    limit: str | None
    stack: str
    asked: bytes


@dataclass(frozen=True, slots=True)
class _Script:
    image: Image
    global_script: Value | None  # compiled


@dataclass(frozen=True, slots=True, kw_only=True)
class RunLimits:
    """What the worker watches over; the rest is the prelude's."""

    turn_seconds: float
    run_seconds: float
    memory_bytes: int


class EngineContext:
    """One runtime and its one context. `prelude` is `compile_prelude`'s."""

    def __init__(self, prelude: bytes, timer: CpuTimer) -> None:
        self._timer = timer
        self._heap = Heap()
        self._runtime = engine.new_runtime(self._heap.functions)
        engine.set_max_stack_size(self._runtime, STACK_BYTES)
        engine.set_gc_threshold(self._runtime, _COLLECTION_BYTES)
        self._context = engine.new_context(self._runtime)
        if not self._context:
            raise MemoryError
        entries = install_prelude(self._context, prelude)
        found = [engine.get_property(self._context, entries, name.encode()) for name in _ENTRIES]
        self._start, self._deliver, self._next, self._collect, self._global_threw, self._set_module = found[
            :6
        ]
        self._load_failed, self._global_failed, self._rejected = found[6:]
        self._kept = (
            engine.set_interrupt_handler(self._runtime, self._should_stop),
            engine.set_rejection_tracker(self._runtime, self._track),
        )
        self._job_context = ctypes.byref(ctypes.c_void_p())
        self._free(engine.evaluate(self._context, _TABLES_GROW, b"native"))
        self._heap.stock(self._runtime)
        self._base = self._heap.seal()
        self._in_place: Image | None = self._base  # what the heap is now, when nothing ran since
        self._script = _Script(self._base, None)
        self._scripts: OrderedDict[str, _Script] = OrderedDict()
        self._unfit: dict[str, str] = {}
        self._limits = RunLimits(turn_seconds=0, run_seconds=0, memory_bytes=0)
        self._run_until = 0.0  # as this thread counts CPU: what stands between the turns is the run's too
        self._deadline = float("inf")
        self._stopped: str | None = None
        self._self_test()

    # --- scripts

    def load(self, key: str, files: bytes, limits: RunLimits) -> None:
        """Compile a script's files into an image that runs of this key begin from.

        `files` is JSON: {"modules": [[name, kind, file, text], …], "global": [file, text] or
        null}. A limit that it runs into is the next run's.
        """
        self._restore(self._base)
        self._script, self._in_place = _Script(self._base, None), None
        self._unfit.pop(key, None)
        self._begin_turn(limits.turn_seconds)
        self._heap.limit(limits.memory_bytes)
        try:
            global_script = self._compile(json.loads(files))
        except Thrown:
            global_script = None  # a limit
        limit = self._limit_now()
        self._timer.disarm()
        if limit is not None:
            self._unfit[key] = limit
            return
        self._scripts[key] = _Script(self._heap.image(), global_script)
        self._in_place = self._scripts[key].image
        self._drop_scripts()

    def knows(self, key: str) -> bool:
        """Whether a run of this key may begin."""
        return key in self._scripts or key in self._unfit

    def _compile(self, files: dict[str, list[list[str]]]) -> Value | None:
        for name, kind, file, text in files["modules"]:
            if kind != "code":
                self._call(self._set_module, name.encode(), kind.encode(), _utf8(text))
                continue
            value = engine.try_evaluate(self._context, _utf8(text), _utf8(file), first_line=_FIRST_LINE)
            if value.tag == engine.EXCEPTION:
                self._tell(self._load_failed, engine.get_exception(self._context))
                break
            self._tell(self._set_module, self._string(name.encode()), self._string(b"code"), value)
        if not files["global"]:
            return None
        file, text = map(str, files["global"])
        script = engine.try_evaluate(
            self._context, _utf8(text), _utf8(file), first_line=_FIRST_LINE, compile_only=True
        )
        if script.tag != engine.EXCEPTION:
            return script
        self._tell(self._global_failed, engine.get_exception(self._context))
        return None

    def _drop_scripts(self) -> None:
        held = sum(each.image.held_bytes for each in self._scripts.values())
        while len(self._scripts) > 1 and (held > SCRIPTS_BYTES or len(self._scripts) > MOST_SCRIPTS):
            _, dropped = self._scripts.popitem(last=False)
            held -= dropped.image.held_bytes
            self._heap.forget(dropped.image)

    # --- one run

    def begin(self, key: str, limits: RunLimits) -> None:
        """Put the heap in place for a run of a script that is known."""
        self._limits, self._run_until = limits, thread_time() + limits.run_seconds
        self._script = self._scripts.get(key) or _Script(self._base, None)
        if key in self._scripts:
            self._scripts.move_to_end(key)
        self._restore(self._script.image)
        self._in_place = None
        self._heap.limit(limits.memory_bytes)

    def first_turn(self, key: str, text: bytes) -> Taken:
        """Start the run that was begun, and take its first turn."""
        unfit = self._unfit.pop(key, None)
        if unfit is not None:
            return Taken(0, unfit, "", b"")
        return self._turn(lambda: self._start_run(text))

    def turn(self, text: bytes) -> Taken:
        """Take one more turn: the message, every microtask, and every task that is ready."""
        return self._turn(lambda: self._free(self._call(self._deliver, text)))

    def clear(self) -> None:
        """Put the heap back, as the next run of the same script will want it; the process ends when that
        takes CLEAR_CPU_SECONDS."""
        self._timer.arm(CLEAR_CPU_SECONDS)
        self._restore(self._script.image)
        self._timer.disarm()
        self._in_place = self._script.image

    def _turn(self, begin: Callable[[], None]) -> Taken:
        began = thread_time()
        self._begin_turn(max(0.0, min(self._limits.turn_seconds, self._run_until - began)))
        stack = ""
        try:
            begin()
            self._work_off()
        except Thrown as escaped:
            if self._limit_now() is None:
                raise
            stack = escaped.stack
        limit = self._limit_now()
        used = thread_time() - began
        asked = self._asked()
        self._timer.disarm()
        return Taken(int(used * 1e6), limit, stack if limit == "limit_cpu" else "", asked)

    def _start_run(self, text: bytes) -> None:
        begins = self._call(self._start, text)
        if not begins.word & 0xFFFFFFFF or self._script.global_script is None:
            return
        # as a script, not through eval: its top-level `let` and `const` are everyone's
        script = engine.dup_value(self._context, self._script.global_script)
        value = engine.eval_function(self._context, script)
        if value.tag != engine.EXCEPTION:
            self._free(value)
            return
        thrown = engine.get_exception(self._context)
        if self._limit_now() is not None:
            stack = engine.stack_of(self._context, thrown)
            raise Thrown("", stack.decode("utf-8", "replace"))
        self._tell(self._global_threw, thrown)

    def _work_off(self) -> None:
        pending, runtime, where = engine.execute_pending_job, self._runtime, self._job_context
        while self._limit_now() is None:
            done = 1
            while done > 0 and self._stopped is None:
                done = pending(runtime, where)
            if done < 0:
                engine.checked(self._context, Value(0, engine.EXCEPTION))
            told = engine.checked(
                self._context, engine.js_call(self._context, self._next, engine.UNDEFINED, 0, None)
            )
            if not told.word & 0xFFFFFFFF:
                return

    def _asked(self) -> bytes:
        """What the run asks for, and its state; empty when a limit left no room to say it."""
        self._stopped = None
        self._deadline = thread_time() + HARD_CPU_ROOM_SECONDS / 2
        self._heap.limit(self._limits.memory_bytes + COLLECT_ROOM_BYTES)
        try:
            told = self._call(self._collect)
            asked = engine.text_of(self._context, told) or b""
            self._free(told)
        except Thrown:
            asked = b""
        self._heap.limit(self._limits.memory_bytes)
        return asked

    # --- limits

    def _begin_turn(self, seconds: float) -> None:
        self._timer.arm(seconds + HARD_CPU_ROOM_SECONDS)
        self._stopped = None
        self._deadline = thread_time() + seconds
        engine.update_stack_top(self._runtime)

    def _limit_now(self) -> str | None:
        """The limit that ends this turn: memory's by what was asked for, whoever caught what."""
        return "limit_memory" if self._heap.is_over else self._stopped

    def _should_stop(self) -> bool:
        if self._stopped is None and (self._heap.is_over or thread_time() >= self._deadline):
            self._stopped = "limit_memory" if self._heap.is_over else "limit_cpu"
        return self._stopped is not None

    # --- the engine's values

    def _track(self, promise: Value, reason: Value, is_handled: bool) -> None:
        arguments = (Value * 3)(promise, reason, engine.TRUE if is_handled else engine.FALSE)
        told = engine.js_call(self._context, self._rejected, engine.UNDEFINED, 3, ctypes.addressof(arguments))
        # a limit, which is noted already; nothing may stay thrown here
        self._free(engine.get_exception(self._context) if told.tag == engine.EXCEPTION else told)

    def _call(self, function: Value, *texts: bytes) -> Value:
        return self._with(function, *(self._string(text) for text in texts))

    def _tell(self, function: Value, *given: Value) -> None:
        self._free(self._with(function, *given))

    def _with(self, function: Value, *given: Value) -> Value:
        """Call a function of the prelude with values, which are used up."""
        arguments = (Value * len(given))(*given)
        told = engine.js_call(
            self._context, function, engine.UNDEFINED, len(given), ctypes.addressof(arguments)
        )
        for each in arguments:
            self._free(each)
        return engine.checked(self._context, told)

    def _string(self, text: bytes) -> Value:
        made: Value = engine.new_string(self._context, text, len(text))
        return made

    def _free(self, value: Value) -> None:
        engine.free_value(self._context, value)

    def _restore(self, image: Image) -> None:
        if self._in_place is not image:
            self._heap.restore(image)
            self._in_place = image

    # --- self-test

    def _self_test(self) -> None:
        """Try what this module relies on; SelfTestFailed names the first thing that is otherwise."""
        self._heap.limit(8 << 20)
        said = "é\0漢😀".encode()
        trials: tuple[tuple[str, Callable[[], bool]], ...] = (
            ("an integer", lambda: self._value_of(b"20 + 22") == 42),
            ("a text", lambda: engine.text_of(self._context, self._string(said)) == said),
            ("a thrown error", self._throws),
            ("a restore", self._restores),
            ("a second restore", self._restores),
        )
        for what, holds in trials:
            if not holds():
                raise SelfTestFailed(f"the engine failed its self-test: {what}")
        self._in_place = None
        self._restore(self._base)

    def _value_of(self, text: bytes) -> int:
        return engine.evaluate(self._context, text, b"test").word & 0xFFFFFFFF

    def _throws(self) -> bool:
        try:
            self._value_of(b"\nthrow new Error('x')")
        except Thrown as thrown:
            return thrown.text == "Error: x" and "test:2" in thrown.stack
        return False

    def _restores(self) -> bool:
        self._value_of(
            b"spoilt = 1; for (let i = 0; i < 1e3; i++) globalThis['x' + i] = [i]; delete globalThis.Map"
        )
        self._heap.restore(self._base)
        return (
            not self._heap.differences(self._base)
            and self._value_of(b"typeof spoilt + typeof x999 + typeof Map === 'undefinedundefinedfunction'")
            == 1
        )


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
