"""The engine's C API, as far as the worker needs it: ctypes over the symbols that the wheel's library
exports.

quickjs.h is the contract: a JSValue is sixteen bytes, a word and a tag. `PyDLL`: one thread, which keeps the
interpreter lock, so that the engine's callbacks need not take it. Importing this module raises ImportError
where the library is not the one it was written for.
"""

import ctypes
import importlib.util
import os
from collections.abc import Callable
from typing import Any, NoReturn, Protocol, TypeAlias

from experience_runtime.confined.frames import OUT_OF_MEMORY

VERSION = "0.17.0"
"""What the library says of itself; `pool.ENGINE` is the distribution that has it."""

Address: TypeAlias = int
_P = ctypes.c_void_p
_SIZE = ctypes.c_size_t


class Value(ctypes.Structure):
    """A JSValue, which whoever holds it must free once."""

    _fields_ = (("word", ctypes.c_uint64), ("tag", ctypes.c_int64))
    word: int
    tag: int


class MallocFunctions(ctypes.Structure):
    """JSMallocFunctions; `heap.Heap` fills it in."""

    _fields_ = tuple((name, _P) for name in ("calloc", "malloc", "free", "realloc", "usable_size"))


class _EvalOptions(ctypes.Structure):
    _fields_ = (
        ("version", ctypes.c_int),
        ("flags", ctypes.c_int),
        ("file", ctypes.c_char_p),
        ("line", ctypes.c_int),
    )


class Thrown(Exception):
    """What escaped from the engine: its text, and its stack, "" for a value that has none."""

    def __init__(self, text: str, stack: str) -> None:
        super().__init__(text)
        self.text = text
        self.stack = stack


UNDEFINED, TRUE, FALSE = Value(0, 3), Value(1, 1), Value(0, 1)
EXCEPTION, NULL, STRING, OBJECT = 6, 2, -7, -1  # tags
_EVAL_OPTIONS_VERSION, _COMPILE_ONLY = 1, 1 << 5
_BYTECODE, _STRIP_SOURCE, _STRIP_DEBUG = 1, 1 << 4, 1 << 5
_LONGEST_STACK = 8192


def library_path() -> str:
    """Where the library stands; ImportError when it is not installed."""
    spec = importlib.util.find_spec("_quickjs")
    if spec is None or spec.origin is None:
        raise ImportError("the package quickjs-ng is not installed")
    return spec.origin


def _load() -> ctypes.PyDLL:
    path = library_path()
    try:
        return ctypes.PyDLL(path)
    except OSError as error:
        raise ImportError(f"the engine's library {path} cannot be loaded: {error}") from None


_LIBRARY = _load()


def _function(name: str, result: Any, *arguments: Any) -> Callable[..., Any]:
    try:
        function = getattr(_LIBRARY, name)
    except AttributeError:
        raise ImportError(f"the engine's library has no {name}") from None
    function.restype, function.argtypes = result, arguments
    return function  # type: ignore[no-any-return]  # ctypes types none of its functions


_version = _function("JS_GetVersion", ctypes.c_char_p)
_new_runtime2 = _function("JS_NewRuntime2", _P, ctypes.POINTER(MallocFunctions), _P)
_new_runtime = _function("JS_NewRuntime", _P)
_free_runtime = _function("JS_FreeRuntime", None, _P)
new_context = _function("JS_NewContext", _P, _P)
_free_context = _function("JS_FreeContext", None, _P)
set_max_stack_size = _function("JS_SetMaxStackSize", None, _P, _SIZE)
set_gc_threshold = _function("JS_SetGCThreshold", None, _P, _SIZE)
update_stack_top = _function("JS_UpdateStackTop", None, _P)
_set_interrupt_handler = _function("JS_SetInterruptHandler", None, _P, _P, _P)
_set_rejection_tracker = _function("JS_SetHostPromiseRejectionTracker", None, _P, _P, _P)
_eval2 = _function("JS_Eval2", Value, _P, ctypes.c_char_p, _SIZE, ctypes.POINTER(_EvalOptions))
js_call = _function("JS_Call", Value, _P, Value, Value, ctypes.c_int, _P)
eval_function = _function("JS_EvalFunction", Value, _P, Value)
_read_object = _function("JS_ReadObject", Value, _P, ctypes.c_char_p, _SIZE, ctypes.c_int)
_write_object = _function("JS_WriteObject", _P, _P, ctypes.POINTER(_SIZE), Value, ctypes.c_int)
free_value = _function("JS_FreeValue", None, _P, Value)
new_string = _function("JS_NewStringLen", Value, _P, ctypes.c_char_p, _SIZE)
_to_c_string = _function("JS_ToCStringLen2", _P, _P, ctypes.POINTER(_SIZE), Value, ctypes.c_bool)
_free_c_string = _function("JS_FreeCString", None, _P, _P)
dup_value = _function("JS_DupValue", Value, _P, Value)
get_exception = _function("JS_GetException", Value, _P)
get_property = _function("JS_GetPropertyStr", Value, _P, Value, ctypes.c_char_p)
execute_pending_job = _function("JS_ExecutePendingJob", ctypes.c_int, _P, ctypes.POINTER(_P))
malloc_in = _function("js_malloc_rt", _P, _P, _SIZE)
free_in = _function("js_free_rt", None, _P, _P)
_js_free = _function("js_free", None, _P, _P)

_Interrupt = ctypes.PYFUNCTYPE(ctypes.c_int, _P, _P)
_Tracker = ctypes.PYFUNCTYPE(None, _P, Value, Value, ctypes.c_bool, _P)

if (_found := _version().decode()) != VERSION:
    raise ImportError(f"the engine is quickjs-ng {_found}, and this version needs {VERSION}")


class Track(Protocol):
    """Hear that a promise was rejected with nobody to handle it, or (`is_handled`) that somebody does now."""

    def __call__(self, promise: Value, reason: Value, is_handled: bool) -> None: ...


def new_runtime(functions: MallocFunctions) -> Address:
    """Make a runtime on these functions, which must live as long as it does."""
    made: Address | None = _new_runtime2(ctypes.byref(functions), None)
    if made is None:
        raise MemoryError
    return made


def set_interrupt_handler(runtime: Address, should_stop: Callable[[], bool]) -> object:
    """Ask `should_stop` now and then while guest code runs; keep what is returned alive."""
    handler = _Interrupt(ends_if_it_raises(lambda _runtime, _opaque: should_stop()))
    _set_interrupt_handler(runtime, ctypes.cast(handler, _P), None)
    return handler


def set_rejection_tracker(runtime: Address, track: Track) -> object:
    """Tell `track` of rejections; keep what is returned alive."""
    tracker = _Tracker(
        ends_if_it_raises(lambda _, promise, reason, is_handled, __: track(promise, reason, is_handled))
    )
    _set_rejection_tracker(runtime, ctypes.cast(tracker, _P), None)
    return tracker


def ends_if_it_raises(act: Callable[..., Any]) -> Callable[..., Any]:
    """A callback for the engine, which would take whatever stands in a register for the answer of one that
    raised."""

    def guarded(*arguments: Any) -> Any:
        try:
            return act(*arguments)
        except BaseException:  # noqa: BLE001 - see `end_at_once`
            end_at_once()

    return guarded


def end_at_once() -> NoReturn:
    """What a callback does with whatever it raised: the engine cannot be told."""
    os._exit(OUT_OF_MEMORY)


def evaluate(context: Address, text: bytes, file: bytes) -> Value:
    """Run a text as a script of the global scope that the engine names by `file`; Thrown if it
    throws."""
    return checked(context, try_evaluate(context, text, file))


def try_evaluate(
    context: Address, text: bytes, file: bytes, *, first_line: int = 1, compile_only: bool = False
) -> Value:
    """As `evaluate`, but a text that throws answers with the tag EXCEPTION, and the exception waits.

    `first_line`: how the engine counts the first of the text; it takes 0 for 1.
    """
    options = _EvalOptions(_EVAL_OPTIONS_VERSION, _COMPILE_ONLY if compile_only else 0, file, first_line)
    value: Value = _eval2(context, text, len(text), ctypes.byref(options))
    return value


def text_of(context: Address, value: Value) -> bytes | None:
    """A value as text, in UTF-8 with lone surrogates kept; None when the engine cannot say it."""
    size = _SIZE()
    at = _to_c_string(context, ctypes.byref(size), value, False)
    if not at:
        free_value(context, get_exception(context))
        return None
    text = ctypes.string_at(at, size.value)
    _free_c_string(context, at)
    return text


def checked(context: Address, value: Value) -> Value:
    """The value, or Thrown for the exception that is in its place."""
    if value.tag != EXCEPTION:
        return value
    thrown = get_exception(context)
    said = text_of(context, thrown)
    stack = stack_of(context, thrown) if thrown.tag == OBJECT else b""
    free_value(context, thrown)
    text = "a value that cannot be read" if said is None else said.decode("utf-8", "replace")
    raise Thrown(text, stack[:_LONGEST_STACK].decode("utf-8", "replace"))


def stack_of(context: Address, thrown: Value) -> bytes:
    found = get_property(context, thrown, b"stack")
    if found.tag != STRING:
        free_value(context, get_exception(context) if found.tag == EXCEPTION else found)
        return b""
    text = text_of(context, found) or b""
    free_value(context, found)
    return text


def bytecode(text: str) -> bytes:
    """Compile a text of ours, in an engine of its own; without its source and its lines."""
    runtime = _new_runtime()
    context = new_context(runtime)
    set_max_stack_size(runtime, 1 << 20)
    function = checked(context, try_evaluate(context, text.encode(), b"native", compile_only=True))
    size = _SIZE()
    at = _write_object(context, ctypes.byref(size), function, _BYTECODE | _STRIP_SOURCE | _STRIP_DEBUG)
    if not at:
        checked(context, Value(0, EXCEPTION))
    code = ctypes.string_at(at, size.value)
    _js_free(context, at)
    free_value(context, function)
    _free_context(context)
    _free_runtime(runtime)
    return code


def run_bytecode(context: Address, code: bytes) -> Value:
    """The value of a compiled text."""
    function = checked(context, _read_object(context, code, len(code), _BYTECODE))
    return checked(context, eval_function(context, function))
