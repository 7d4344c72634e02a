"""Links and calls: the integration calls whose integration and arguments can be told without running them.

A call is seen when it follows `.integration('name')` directly, or is made on a name that stands for such a
value and for nothing else. What could be anything else is not seen.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tree_sitter import Node

from experience_runtime.domain.lost import LOST
from experience_runtime.scripts.names import INTEGRATION_MEMBERS
from experience_runtime.scripts.reading.entry import options_of
from experience_runtime.scripts.reading.literals import UNKNOWN, Literal, Reading, bare
from experience_runtime.scripts.reading.scopes import Declared, Scopes
from experience_runtime.scripts.reading.source import ancestors

MOST_CALLS = 300
"""Of a file: more are passed over."""

_MOST_MEMBERS = 40
_MOST_CHARS = 2000
_NOT_OPTIONS = frozenset(
    (
        "object",
        "array",
        "new_expression",
        "string",
        "number",
        "class",
        "arrow_function",
        "function_expression",
    )
)
_CODE = re.compile(rb"\.\s{0,100}code\b|\{[^{}]{0,200}\bcode\b[^{}]{0,200}\}\s{0,100}[)=]")
_LOOKED_AT = 4000
_HANDLERS = frozenset((b"then", b"catch", b"finally"))
_OF_FUNCTIONS = frozenset(
    ("apply", "bind", "call", "constructor", "hasOwnProperty", "length", "name", "prototype", "toString")
)


@dataclass(frozen=True, slots=True)
class Link:
    """One `.integration(name, defaults)`: the call, and its arguments."""

    node: Node
    name: Node
    defaults: Node | None


@dataclass(slots=True)
class Found:
    """What a file's calls are, as JSON for the host, and the links for those who ask further."""

    links: list[dict[str, Any]] = field(default_factory=list)
    calls: list[dict[str, Any]] = field(default_factory=list)
    problems: list[dict[str, Any]] = field(default_factory=list)


class Links:
    """The links and calls of one file."""

    def __init__(self, scopes: Scopes) -> None:
        self._scopes = scopes
        self._source = scopes.source
        self._reading = Reading(self._source, self._meant)
        self._options, taken = options_of(scopes)
        self._integration = {each.node.id for each in taken.get("integration", ())}

    def found(self) -> Found:
        """{"name", "defaults"} of each link, {"verb", "at", "defaults", "options", "payload", "is_expected"}
        of each call, and a problem for each member that an integration has not."""
        found = Found()
        for link in self._links():
            if len(found.calls) + len(found.links) >= MOST_CALLS:
                break
            found.links.append(
                {"name": self.json_of(link.name), "defaults": link.defaults and self.json_of(link.defaults)}
            )
            for verb, at, call in self._uses(link):
                self._add(found, link, verb, at, call)
        return found

    def _add(self, found: Found, link: Link, verb: str, at: Node, call: Node | None) -> None:
        if call is None or verb not in INTEGRATION_MEMBERS:
            if verb not in _OF_FUNCTIONS and verb not in INTEGRATION_MEMBERS:
                line, column = self._source.place(at.start_byte)
                problem = {"member": verb, "is_called": call is not None, "line": line, "column": column}
                found.problems.append(problem)
            return
        arguments = arguments_of(call)
        index = 0 if verb == "cancel" else 1
        spread = next((n for n, each in enumerate(arguments) if each.type == "spread_element"), None)
        options: Any = None
        if spread is not None and spread <= index:
            options = {"at": self._source.place(at.start_byte), "is_spread": True}
        elif len(arguments) > index:
            options = self.json_of(arguments[index])
        payload = arguments[0] if verb != "cancel" and arguments and spread != 0 else None
        found.calls.append(
            {
                "verb": verb,
                "at": self._source.place(at.start_byte),
                "defaults": link.defaults and self.json_of(link.defaults),
                "options": options,
                "lost": [] if payload is None else list(self._lost(payload)),
                "is_expected": self._is_expected(call),
            }
        )

    def _links(self) -> Iterator[Link]:
        for node in self._scopes.calls:
            arguments = arguments_of(node)
            name = bare(arguments[0]) if arguments else None
            if name is not None and self._is_integration(node.child_by_field_name("function")):
                value = self._reading.literal(name)
                if isinstance(value.value, str):
                    yield Link(node, name, arguments[1] if len(arguments) > 1 else None)

    def _is_integration(self, function: Node | None) -> bool:
        if function is None:
            return False
        if function.type == "identifier":
            declared = self._scopes.declared(function)
            return declared is not None and declared.node.id in self._integration
        member = function.child_by_field_name("property") if function.type == "member_expression" else None
        of = function.child_by_field_name("object")
        return (
            member is not None
            and member.text == b"integration"
            and of is not None
            and self._may_be_options(of)
        )

    def _may_be_options(self, node: Node) -> bool:
        node = bare(node)
        if node.type == "member_expression":
            name = node.child_by_field_name("property")
            return name is not None and name.text == b"options"
        if node.type != "identifier":
            return False
        declared = self._scopes.declared(node)
        if declared is None:
            return node.text == b"options"
        if declared.kind == "parameter" or declared.value is None:
            return declared.kind == "parameter" or node.text == b"options"
        return declared.is_fixed and bare(declared.value).type not in _NOT_OPTIONS

    def _uses(self, link: Link) -> Iterator[tuple[str, Node, Node | None]]:
        """Each use of a link's value: the member's name, its place, and the call if it is called."""
        around = _outside(link.node)
        parent = around.parent
        if parent is None:
            return
        if parent.type == "member_expression" or _is_called(around, parent):
            yield from self._use(around)
        elif parent.type == "variable_declarator" and parent.child_by_field_name("value") == around:
            name = parent.child_by_field_name("name")
            declared = None if name is None else self._scopes.declared(name)
            if declared is not None:
                yield from self._uses_of(declared)
            elif name is not None and name.type == "object_pattern":
                yield from self._taken(name)

    def _uses_of(self, declared: Declared) -> Iterator[tuple[str, Node, Node | None]]:
        if not declared.is_fixed:
            return
        for use in declared.uses:
            yield from self._use(use.node)

    def _taken(self, pattern: Node) -> Iterator[tuple[str, Node, Node | None]]:
        """Of `const { schedule } = options.integration('a')`, the calls of schedule."""
        for each in self._scopes.all():
            if each.member in INTEGRATION_MEMBERS and each.is_fixed and _is_within(each.node, pattern):
                for use in each.uses:
                    parent = use.node.parent
                    if parent is not None and _is_called(use.node, parent):
                        yield each.member, use.node, parent

    def _use(self, node: Node) -> Iterator[tuple[str, Node, Node | None]]:
        parent = node.parent
        if parent is None:
            return
        if _is_called(node, parent):
            yield "execute", node, parent
        elif parent.type == "member_expression" and parent.child_by_field_name("object") == node:
            member, outer = parent.child_by_field_name("property"), parent.parent
            if member is None or outer is None or _is_assigned(parent, outer) or _is_optional(parent):
                return
            yield self._source.text(member), member, outer if _is_called(parent, outer) else None

    def _meant(self, node: Node) -> Node | None:
        """The expression that a name certainly stands for: a constant, or an object that nobody changes."""
        declared = self._scopes.declared(node)
        if declared is None or not declared.is_fixed or declared.kind not in ("const", "let", "var"):
            return None
        value = None if declared.value is None else bare(declared.value)
        if value is None or (value.type == "object" and not all(map(self._only_reads, declared.uses))):
            return None
        return value

    def _only_reads(self, use: Any) -> bool:
        parent = use.node.parent
        if parent is None:
            return False
        if parent.type == "arguments":
            call = parent.parent
            function = None if call is None else call.child_by_field_name("function")
            return function is not None and self._is_verb(function)
        outer = parent.parent
        is_read = parent.type == "member_expression" and outer is not None and not _is_assigned(parent, outer)
        return is_read or parent.type == "spread_element"

    def _is_verb(self, function: Node) -> bool:
        member = function.child_by_field_name("property")
        if function.type == "member_expression":
            return member is not None and self._source.text(member) in (*INTEGRATION_MEMBERS, "integration")
        declared = self._scopes.declared(function) if function.type == "identifier" else None
        value = None if declared is None or declared.value is None else bare(declared.value)
        return (
            value is not None
            and value.type == "call_expression"
            and self._is_integration(value.child_by_field_name("function"))
        )

    def _is_expected(self, call: Node) -> bool:
        """Whether a handler of this call's rejection reads a `.code`, and so may mean to be refused."""
        data, node = self._source.data, call
        for each in ancestors(call):
            if each.type == "member_expression":
                name = each.child_by_field_name("property")
                if name is None or name.text not in _HANDLERS:
                    break
            elif each.type == "call_expression":
                if _CODE.search(data, node.end_byte, min(each.end_byte, node.end_byte + _LOOKED_AT)):
                    return True
            else:
                break
            node = each
        handlers = (
            each.child_by_field_name("handler") for each in ancestors(call) if each.type == "try_statement"
        )
        return any(
            handler is not None
            and call.start_byte < handler.start_byte
            and _CODE.search(data, handler.start_byte, min(handler.end_byte, handler.start_byte + _LOOKED_AT))
            for handler in handlers
        )

    def _lost(self, payload: Node, depth: int = 0) -> Iterator[dict[str, Any]]:
        """The members of a payload that JSON cannot carry, and that would be lost or refused."""
        node = bare(payload)
        if depth > 5:
            return
        if node.type in ("object", "array"):
            for each in node.named_children[:_MOST_MEMBERS]:
                value = each.child_by_field_name("value") if each.type == "pair" else each
                if value is not None and (node.type == "array" or each.type == "pair"):
                    yield from self._lost(value, depth + 1)
            return
        what = self._unsendable(node)
        if what is not None:
            line, column = self._source.place(node.start_byte)
            yield {"what": what, "line": line, "column": column}

    def _unsendable(self, node: Node) -> str | None:
        if node.type == "identifier":
            declared = self._scopes.declared(node)
            value = None if declared is None or not declared.is_fixed else declared.value
            if value is None or value.type in _FUNCTION_VALUES:
                return None
            return self._unsendable(bare(value)) if value.type != "identifier" else None
        if node.type == "regex":
            return "RegExp"
        if node.type == "new_expression":
            made = node.child_by_field_name("constructor")
            name = None if made is None else self._source.text(made)
            is_own = made is not None and self._scopes.declared(made) is not None
            return name if name in LOST and not is_own else None
        if node.type == "call_expression":
            function = node.child_by_field_name("function")
            if function is None:
                return None
            if function.text in (b"Promise.all", b"Promise.resolve", b"Promise.allSettled"):
                return "Promise"
            declared = self._scopes.declared(function) if function.type == "identifier" else None
            value = None if declared is None or not declared.is_fixed else declared.value
            if value is not None and any(each.type == "async" for each in bare(value).children):
                return "Promise"
        return None

    def json_of(self, node: Node) -> dict[str, Any]:
        return self._literal_json(self._reading.literal(node), node)

    def _literal_json(self, literal: Literal, node: Node) -> dict[str, Any]:
        is_known = literal.members is None and literal.value is not UNKNOWN and _is_short(literal.value)
        answer: dict[str, Any] = {
            "at": self._source.place(node.start_byte),
            "text": self._source.words(node),
            "is_known": is_known,
            "value": literal.value if is_known else None,
            "is_whole": literal.is_whole,
            "members": None,
        }
        if literal.members is not None:
            answer["is_whole"] = literal.is_whole and len(literal.members) <= _MOST_MEMBERS
            answer["members"] = {
                name: {
                    "name_at": self._source.place(member.name.start_byte),
                    "literal": self._literal_json(member.literal, member.literal.node),
                }
                for name, member in list(literal.members.items())[:_MOST_MEMBERS]
            }
        return answer


_FUNCTION_VALUES = frozenset(("function_declaration", "class_declaration"))


def arguments_of(call: Node) -> list[Node]:
    """A call's arguments; a template instead of brackets has none."""
    arguments = call.child_by_field_name("arguments")
    if arguments is None or arguments.type != "arguments":
        return []
    return [each for each in arguments.named_children if each.type != "comment"]


def _outside(node: Node) -> Node:
    """An expression with the brackets and types around it."""
    parent = node.parent
    while parent is not None and bare(parent) == node and parent.type != node.type:
        node, parent = parent, parent.parent
        if node.type not in ("parenthesized_expression", "as_expression", "non_null_expression"):
            break
    return node


def _is_called(node: Node, parent: Node) -> bool:
    return parent.type == "call_expression" and parent.child_by_field_name("function") == node


def _is_assigned(node: Node, parent: Node) -> bool:
    return (
        parent.type in ("assignment_expression", "augmented_assignment_expression")
        and parent.child_by_field_name("left") == node
    ) or (
        parent.type in ("update_expression",)
        or (parent.type == "unary_expression" and parent.children[0].type == "delete")
    )


def _is_optional(node: Node) -> bool:
    return any(each.type == "optional_chain" for each in node.children)


def _is_within(node: Node, around: Node) -> bool:
    return around.start_byte <= node.start_byte and node.end_byte <= around.end_byte


def _is_short(value: object) -> bool:
    try:
        return len(json.dumps(value)) <= _MOST_CHARS
    except (ValueError, RecursionError):
        return False
