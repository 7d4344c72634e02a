"""Literals: what an author wrote as a plain value; anything else is unknown."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from tree_sitter import Node

from experience_runtime.scripts.reading.source import Source, decoded

UNKNOWN: Final = object()
"""The value of an expression that only running can tell."""

_DEEPEST = 30
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "0": "\0"}
_AROUND = frozenset(
    ("parenthesized_expression", "as_expression", "satisfies_expression", "non_null_expression")
)


@dataclass(frozen=True, slots=True)
class Member:
    """One member of an object literal: its name's node and its value."""

    name: Node
    literal: "Literal"


@dataclass(frozen=True, slots=True)
class Literal:
    """An expression. `members` is None unless it is an object literal.

    `is_whole`: no spread and no computed name could add a member. `value` is UNKNOWN as soon as a part is.
    """

    node: Node
    value: object
    members: dict[str, Member] | None = None
    is_whole: bool = True


@dataclass(frozen=True, slots=True)
class Reading:
    """Reads the literals of a file; `meant` gives the expression that a name certainly stands for."""

    source: Source
    meant: Callable[[Node], Node | None] = field(default=lambda _: None)

    def literal(self, node: Node, depth: int = 0) -> Literal:
        """Read an expression."""
        node = bare(node)
        if depth > _DEEPEST:
            return Literal(node, UNKNOWN)
        match node.type:
            case "object":
                return self._object(node, depth)
            case "array":
                items = [self.literal(each, depth + 1) for each in node.named_children]
                known = [each.value for each in items]
                return Literal(node, UNKNOWN if any(each is UNKNOWN for each in known) else known)
            case "identifier" | "shorthand_property_identifier":
                other = self.meant(node)
                if other is None:
                    return Literal(node, None if node.text == b"undefined" else UNKNOWN)
                found = self.literal(other, depth + 1)
                return Literal(node, found.value, found.members, found.is_whole)
            case "unary_expression" | "binary_expression":
                return Literal(node, self._computed(node, depth))
            case _:
                return Literal(node, self._plain(node))

    def _plain(self, node: Node) -> object:
        match node.type:
            case "string" | "template_string":
                return text_of(self.source, node)
            case "number":
                return number_of(self.source.text(node))
            case "true" | "false":
                return node.type == "true"
            case "null" | "undefined":
                return None
            case _:
                return UNKNOWN

    def _computed(self, node: Node, depth: int) -> object:
        sign = node.child_by_field_name("operator")
        parts = [node.child_by_field_name(name) for name in ("left", "right", "argument")]
        values = [self.literal(each, depth + 1).value for each in parts if each is not None]
        if sign is None or not all(_is_number(each) for each in values):
            both = [each for each in values if isinstance(each, str)]
            if sign is not None and sign.type == "+" and len(both) == len(values) == 2:
                return both[0] + both[1]
            return UNKNOWN
        try:
            return _calculated(sign.type, [float(each) for each in values])  # type: ignore[arg-type]
        except (ArithmeticError, ValueError):
            return UNKNOWN

    def _object(self, node: Node, depth: int) -> Literal:
        members: dict[str, Member] = {}
        is_whole = not node.has_error
        for each in node.named_children:
            if each.type == "comment":
                continue
            name = each
            if each.type != "shorthand_property_identifier":
                name = each.child_by_field_name("key") or each.child_by_field_name("name") or each
            spelled = self._name(name)
            if spelled is None or each.type == "spread_element":
                is_whole = False
                continue
            value = each.child_by_field_name("value") if each.type == "pair" else None
            if each.type == "shorthand_property_identifier":
                value = each
            literal = Literal(each, UNKNOWN) if value is None else self.literal(value, depth + 1)
            members[spelled] = Member(name, literal)
        values = {name: member.literal.value for name, member in members.items()}
        is_known = is_whole and not any(value is UNKNOWN for value in values.values())
        return Literal(node, values if is_known else UNKNOWN, members, is_whole)

    def _name(self, node: Node) -> str | None:
        if node.type in ("property_identifier", "shorthand_property_identifier"):
            return self.source.text(node)
        if node.type == "string":
            text = text_of(self.source, node)
            return text if isinstance(text, str) else None
        return self.source.text(node) if node.type == "number" else None


def bare(node: Node) -> Node:
    """An expression without the brackets and types around it."""
    while node.type in _AROUND and node.named_children:
        node = node.named_children[0]
    return node


def text_of(source: Source, node: Node) -> object:
    """The value of a string, or of a template that holds no expression; else UNKNOWN."""
    value = ""
    at = node.start_byte + 1
    for each in node.named_children:
        if each.type == "escape_sequence":
            escaped = _escaped(source.text(each)[1:])
            if escaped is None:
                return UNKNOWN
            value += decoded(source.data[at : each.start_byte]) + escaped
            at = each.end_byte
        elif each.type == "template_substitution":
            return UNKNOWN
    return value + decoded(source.data[at : max(at, node.end_byte - 1)])


def _escaped(text: str) -> str | None:
    if text[:1] in ("x", "u"):
        try:
            return chr(int(text[1:].strip("{}"), 16))
        except (ValueError, OverflowError):
            return None
    if text.startswith("\n"):
        return ""
    if text[:1].isdigit() and text != "0":
        return None
    return _ESCAPES.get(text, text)


def number_of(text: str) -> object:
    """The value of a number as JavaScript spells it; UNKNOWN for a BigInt or an old octal."""
    plain = text.replace("_", "").lower()
    if len(plain) > 400 or (plain.endswith("n") and not plain.startswith("0x")):
        return UNKNOWN
    try:
        if plain[:2] in ("0x", "0o", "0b"):
            return int(plain, 0)
        if plain[:1] == "0" and plain[1:2].isdigit():
            return UNKNOWN
        return _whole(float(plain))
    except (ValueError, OverflowError):
        return UNKNOWN


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _calculated(sign: str, values: list[float]) -> object:
    match sign, values:
        case "-", [value]:
            return _whole(-value)
        case "+", [value]:
            return _whole(value)
        case "+", [left, right]:
            return _whole(left + right)
        case "-", [left, right]:
            return _whole(left - right)
        case "*", [left, right]:
            return _whole(left * right)
        case "/", [left, right]:
            return _whole(left / right)
        case "%", [left, right]:
            return _whole(math.fmod(left, right))
        case "**", [left, right] if abs(right) <= 1000:
            return _whole(left**right)
        case _:
            return UNKNOWN


def _whole(value: float) -> object:
    """A number as JSON has it: whole ones without a fraction."""
    if not math.isfinite(value):
        return UNKNOWN
    return int(value) if value.is_integer() and abs(value) < 2**53 else value
