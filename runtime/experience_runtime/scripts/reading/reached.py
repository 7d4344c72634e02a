"""Reached: which functions of a file certainly run once the experience does, as far as names tell.

A function runs when it is exported, called by its name, called where it stands, or handed to a call. Methods
and what a library only offers are not counted: of a bundled package nearly nothing is.
"""

from collections.abc import Collection

from tree_sitter import Node

from experience_runtime.scripts.reading.entry import exported, function_of
from experience_runtime.scripts.reading.scopes import Scopes


class Reached:
    """The functions of a file that run; `called` are the names that other files call of it."""

    def __init__(self, scopes: Scopes, called: Collection[str]) -> None:
        self._scopes = scopes
        self._within: dict[int, list[Node]] = {}  # by function: those that run when it runs
        self._read()
        is_entry = scopes.source.role in ("variation", "triggers")
        roots = [
            function
            for name, function in exported(scopes).items()
            if name == "" or (not is_entry and name in called)
        ]
        self._ids: set[int] = set()
        waiting = [*roots, *self._within.get(0, [])]
        while waiting:
            function = waiting.pop()
            if function.id not in self._ids:
                self._ids.add(function.id)
                waiting += self._within.get(function.id, [])

    def runs(self, function: Node | None) -> bool:
        """Whether the code directly inside a function runs; None is the file itself."""
        return function is None or function.id in self._ids

    def _read(self) -> None:
        for inside, node in self._scopes.handed_on:
            function = function_of(self._scopes, node)
            if function is not None:
                self._within.setdefault(inside.id if inside else 0, []).append(function)
