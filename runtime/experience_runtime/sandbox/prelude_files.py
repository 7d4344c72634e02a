"""The prelude: the JavaScript we put into a fresh context before any guest code.

Compiling it is what a fresh scope costs, so two things keep it small. The engine reads a bracketed expression
twice, once to see whether it is an arrow function: each file's one function is handed over without its
brackets. And the files of `lazy` go in as texts that the kit compiles on their first use.
"""

import os
from collections.abc import Iterator
from typing import Any

_OPEN, _CLOSE = "(function (kit) {", "})"


class Prelude:
    """The prelude's files, read once; `install` puts them into a context."""

    def __init__(self, folder: str) -> None:
        self._eager = [_function(text) for _, text in _texts(folder)]
        self._lazy = [(name, _function(text)) for name, text in _texts(os.path.join(folder, "lazy"))]

    def install(self, context: Any) -> Any:
        """Evaluate the files in the order of their names; return what the last gives: the entry points."""
        kit = context.eval("({ __proto__: null, texts: { __proto__: null } })")
        keep = context.eval("0, function (kit, name, text) { kit.texts[name] = text }")
        for name, text in self._lazy:
            keep(kit, name, text)
        entry = None
        for text in self._eager:
            entry = context.eval(text)(kit)
        return entry


def _function(text: str) -> str:
    """The file's one function as an expression without brackets; every line stays where it is."""
    start, end = text.index(_OPEN), text.rindex(_CLOSE)
    return "\n" * text.count("\n", 0, start) + "0, " + text[start + 1 : end + 1]


def _texts(folder: str) -> Iterator[tuple[str, str]]:
    for name in sorted(os.listdir(folder)):
        if name.endswith(".js"):
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                yield name.removesuffix(".js"), file.read()
