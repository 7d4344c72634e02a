"""Guards: code that looks whether something is there before it touches it."""

from collections.abc import Iterator

from tree_sitter import Node

from experience_runtime.scripts.reading.scopes import Scopes
from experience_runtime.scripts.reading.source import FUNCTIONS, ancestors

_EXITS = frozenset(("return_statement", "throw_statement", "break_statement", "continue_statement"))
_TESTS = {
    "if_statement": "condition",
    "ternary_expression": "condition",
    "while_statement": "condition",
    "for_statement": "condition",
}
_OF_MODULES = frozenset(("exports", "module", "require", "define"))


class Guards:
    """The guards of one file."""

    def __init__(self, scopes: Scopes) -> None:
        self._source = scopes.source
        self._looks: dict[str, list[Node]] = {}
        for name, uses in scopes.free.items():
            for use in uses:
                self._look(name, use.node)

    def of(self, name: str, node: Node) -> bool:
        """Whether it was looked for this name before the code at `node` runs.

        A look whose outcome is kept, or is some function's answer, guards everything.
        """
        return any(self._covers(look, node) for look in self._looks.get(name, ()))

    def looks_beside(self, name: str, node: Node | None) -> bool:
        """Whether it is looked for this name anywhere else than in a node."""
        return any(node is None or not _within(look, node) for look in self._looks.get(name, ()))

    def of_member(self, member: Node) -> bool:
        """Whether a member stands in a condition, or behind one that names it too."""
        spelled = self._source.text(member).encode()
        for around, inner in _with_inner(member):
            test = around.child_by_field_name(_TESTS.get(around.type, "none"))
            left = around.child_by_field_name("left") if around.type == "binary_expression" else None
            if inner == test or (
                around.type == "unary_expression" and around.children[0].type in ("typeof", "!")
            ):
                return True
            for part in (test, left):
                if part is not None and spelled in self._source.data[part.start_byte : part.end_byte]:
                    return True
            if around.type in FUNCTIONS:
                return False
        return False

    def of_modules(self, node: Node) -> bool:
        """Whether a condition around this asks which kind of module it is in, as bundlers do."""
        return any(
            self._covers(look, node) and _stands_in_test(look)
            for name in _OF_MODULES
            for look in self._looks.get(name, ())
        )

    def _look(self, name: str, node: Node) -> None:
        parent = node.parent
        if parent is None:
            return
        if parent.type == "unary_expression" and parent.children[0].type == "typeof":
            self._looks.setdefault(name, []).append(parent)
        elif name in ("window", "globalThis", "self"):
            member = parent.child_by_field_name("property") if parent.type == "member_expression" else None
            if member is not None and not _is_touched(parent):
                self._looks.setdefault(self._source.text(member), []).append(parent)
            elif parent.type == "binary_expression" and parent.children[1].type == "in":
                looked = self._source.text(parent.children[0]).strip("'\"`")
                self._looks.setdefault(looked, []).append(parent)

    def _covers(self, look: Node, node: Node) -> bool:
        for around, inner in _with_inner(look):
            test = around.child_by_field_name(_TESTS.get(around.type, "none"))
            if inner == test:
                return _within(node, around) or self._exits(around, node)
            is_left = around.child_by_field_name("left") == inner
            if (
                around.type == "binary_expression"
                and is_left
                and around.children[1].type in ("&&", "||", "??")
            ):
                if _within(node, around):
                    return True
                continue
            if around.type in ("unary_expression", "parenthesized_expression", "binary_expression"):
                continue
            return around.type != "expression_statement"
        return True

    def _exits(self, statement: Node, node: Node) -> bool:
        """Whether `if (…) return` stands before the code, in a block that holds it too."""
        if statement.type != "if_statement":
            return False
        then = statement.child_by_field_name("consequence")
        inner = (
            then.named_children[-1]
            if then is not None and then.type == "statement_block" and then.named_children
            else then
        )
        block = statement.parent
        return (
            inner is not None
            and inner.type in _EXITS
            and block is not None
            and (statement.end_byte <= node.start_byte and _within(node, block))
        )


def is_tried(node: Node) -> bool:
    """Whether what is thrown here is caught by a `try` of the same function, or one around it."""
    for around, inner in _with_inner(node):
        if around.type == "try_statement" and around.child_by_field_name("body") == inner:
            return around.child_by_field_name("handler") is not None
    return False


def _with_inner(node: Node) -> Iterator[tuple[Node, Node]]:
    inner = node
    for around in ancestors(node):
        yield around, inner
        inner = around


def _stands_in_test(look: Node) -> bool:
    return any(around.type in _TESTS or around.type == "binary_expression" for around in ancestors(look))


def _is_touched(member: Node) -> bool:
    """Whether something is read of a member, or it is called."""
    outer = member.parent
    return outer is not None and (
        outer.child_by_field_name("object") == member or outer.child_by_field_name("function") == member
    )


def _within(node: Node, around: Node) -> bool:
    return around.start_byte <= node.start_byte and node.end_byte <= around.end_byte
