"""Sources: one of the author's files as bytes and as a tree; offsets are bytes, places lines and columns."""

from bisect import bisect_right
from collections.abc import Callable, Iterator
from functools import cached_property

import tree_sitter_javascript
import tree_sitter_typescript
from tree_sitter import Language, Node, Parser

_PARSERS = {
    ".js": Parser(Language(tree_sitter_javascript.language())),
    ".ts": Parser(Language(tree_sitter_typescript.language_typescript())),
}

Place = tuple[int, int]
"""A line and a column, both counted from 1, the column in characters."""

FUNCTIONS = frozenset(
    (
        "arrow_function",
        "function_declaration",
        "function_expression",
        "generator_function",
        "generator_function_declaration",
        "method_definition",
    )
)


class Source:
    """A file's text. `role` is what requires it: variation, triggers, global, ./utils or ./common."""

    def __init__(self, file: str, role: str, text: str) -> None:
        self.file = file
        self.role = role
        self.is_typescript = file.endswith(".ts")
        # surrogatepass: a pasted text may hold half a pair
        self.data = text.encode("utf-8", "surrogatepass")

    @cached_property
    def root(self) -> Node:
        return _PARSERS[".ts" if self.is_typescript else ".js"].parse(self.data).root_node

    @cached_property
    def _line_starts(self) -> list[int]:
        starts = [0]
        at = self.data.find(b"\n")
        while at >= 0:
            starts.append(at + 1)
            at = self.data.find(b"\n", at + 1)
        return starts

    def place(self, at: int) -> Place:
        """The place of an offset."""
        line = bisect_right(self._line_starts, at)
        return line, len(decoded(self.data[self._line_starts[line - 1] : at])) + 1

    def offset(self, place: Place) -> int:
        """The offset of a place; the end of the text for one beyond it."""
        line, column = place
        if line > len(self._line_starts):
            return len(self.data)
        start = self._line_starts[line - 1]
        end = self.data.find(b"\n", start)
        text = decoded(self.data[start : len(self.data) if end < 0 else end])
        return start + len(text[: column - 1].encode("utf-8", "surrogatepass"))

    def text(self, node: Node) -> str:
        """The text of a node."""
        return decoded(self.data[node.start_byte : node.end_byte])

    def words(self, node: Node, most: int = 100) -> str:
        """The first characters of a node's text, on one line."""
        end = min(node.end_byte, node.start_byte + 4 * most)
        return " ".join(decoded(self.data[node.start_byte : end]).split())[:most]

    def node_at(self, at: int) -> Node:
        """The smallest node over an offset."""
        found = self.root.descendant_for_byte_range(at, min(at + 1, len(self.data)))
        return self.root if found is None else found


def decoded(data: bytes) -> str:
    """The text of a slice; a character that it cuts is left out."""
    try:
        return data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return data.decode("utf-8", "ignore")


def walk(root: Node, *, into: Callable[[Node], bool] = lambda _: True) -> Iterator[Node]:
    """Every node in the order of the text, but those below a node that `into` refuses. No recursion."""
    cursor = root.walk()
    while True:
        node = cursor.node
        assert node is not None
        yield node
        if into(node) and cursor.goto_first_child():
            continue
        while not cursor.goto_next_sibling():
            if not cursor.goto_parent():
                return


def walk_with_parents(root: Node, skipped: frozenset[str]) -> Iterator[tuple[Node, Node | None, str | None]]:
    """Every node with the one around it and the name of its field there, but those below `skipped` kinds.

    To ask a node for its parent would search from the root each time.
    """
    cursor = root.walk()
    around: list[Node] = []
    while True:
        node = cursor.node
        assert node is not None
        yield node, around[-1] if around else None, cursor.field_name
        if node.type not in skipped and cursor.goto_first_child():
            around.append(node)
            continue
        while not cursor.goto_next_sibling():
            if not cursor.goto_parent():
                return
            around.pop()


def ancestors(node: Node) -> Iterator[Node]:
    """The nodes around a node, innermost first."""
    parent = node.parent
    while parent is not None:
        yield parent
        parent = parent.parent
