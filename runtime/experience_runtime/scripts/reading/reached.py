"""Reached: which functions of a file certainly run once the experience does, as far as names tell.

A function runs when it is exported, called by its name, called where it stands, or handed to a call. Methods
and what a library only offers are not counted: of a bundled package nearly nothing is.
"""

from collections.abc import Collection

from tree_sitter import Node

from experience_runtime.scripts.reading.entry import exported, function_of
from experience_runtime.scripts.reading.scopes import Scopes
from experience_runtime.scripts.reading.source import FUNCTIONS, walk_with_parents

_CALLS = frozenset(("call_expression", "new_expression"))


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
        open_functions: list[Node] = []
        for node, around, place in walk_with_parents(self._scopes.source.root, frozenset()):
            if not node.is_named:
                continue
            while open_functions and node.start_byte >= open_functions[-1].end_byte:
                open_functions.pop()
            if around is not None and (around.type == "arguments" or around.type in _CALLS):
                is_handed_on = around.type == "arguments" or place in ("function", "constructor")
                function = self._meant(node) if is_handed_on else None
                if function is not None:
                    inside = open_functions[-1].id if open_functions else 0
                    self._within.setdefault(inside, []).append(function)
            if node.type in FUNCTIONS:
                open_functions.append(node)

    def _meant(self, node: Node) -> Node | None:
        kinds = ("identifier", "parenthesized_expression")
        return function_of(self._scopes, node) if node.type in FUNCTIONS or node.type in kinds else None
