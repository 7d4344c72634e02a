"""The prelude: the JavaScript that stands in every run before any guest code. Compiled once a process."""

import os
from collections.abc import Iterator

from experience_runtime.sandbox import engine
from experience_runtime.sandbox.engine import Address, Value

_OPEN, _CLOSE = "(function (kit) {", "})"


def compile_prelude(folder: str) -> bytes:
    """Compile the folder's files, each a function of the kit, in the order of their names."""
    calls = "\n".join(f"entries = ({_function(text)})(kit);" for text in _texts(folder))
    return engine.bytecode(
        f"0, function () {{ const kit = {{ __proto__: null }}; let entries\n{calls}\nreturn entries }}"
    )


def install_prelude(context: Address, code: bytes) -> Value:
    """Run them in a context; the value is what the last file gives: the functions that the worker calls."""
    function = engine.run_bytecode(context, code)
    entries = engine.checked(context, engine.js_call(context, function, engine.UNDEFINED, 0, None))
    engine.free_value(context, function)
    return entries


def _function(text: str) -> str:
    return text[text.index(_OPEN) + 1 : text.rindex(_CLOSE) + 1]


def _texts(folder: str) -> Iterator[str]:
    for name in sorted(os.listdir(folder)):
        if name.endswith(".js"):
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                yield file.read()
