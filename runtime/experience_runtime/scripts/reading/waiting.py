"""What triggers wait for: events and polls, and what they read of browser, visitor and cookies."""

from collections.abc import Iterator
from typing import Any

from tree_sitter import Node

from experience_runtime.scripts.reading.entry import exported, function_of, options_of, parameter
from experience_runtime.scripts.reading.links import arguments_of
from experience_runtime.scripts.reading.literals import bare, text_of
from experience_runtime.scripts.reading.reached import Reached
from experience_runtime.scripts.reading.scopes import Scopes, Use
from experience_runtime.scripts.reading.source import ancestors, walk

MOST_WAITS = 50
_LISTENS = ("on", "once", "onEventSent", "onceEventSent")
_STATES = {"getBrowserState": "browser", "getVisitorState": "visitor"}
_DEEPEST = 3
_MOST_USES = 1000


class Waiting:
    """The waits of one file of triggers, each {"kind", "name", "line", "column"}.

    `kind` is event, poll, browser, visitor or cookie; `name` is a text as the author wrote it.
    """

    def __init__(self, scopes: Scopes, reached: Reached) -> None:
        self._scopes = scopes
        self._source = scopes.source
        self._reached = reached
        self._listening: list[Node] = []
        self.found = self._found() if scopes.source.role == "triggers" else []

    def answers_early(self) -> tuple[int, int] | None:
        """Where an `async` function of triggers leaves its callback to a listener, and so says yes before.

        None where it returns something itself, or calls back anywhere else.
        """
        entry = exported(self._scopes).get("")
        pattern = None if entry is None else parameter(entry, 1)
        callback = None if pattern is None else self._scopes.declared(pattern)
        if entry is None or callback is None or not self._listening:
            return None
        if not any(each.type == "async" for each in entry.children) or not callback.uses:
            return None
        for use in callback.uses:
            if not any(call.start_byte < use.node.start_byte < call.end_byte for call in self._listening):
                return None
        if any(each.type == "await_expression" for call in self._listening for each in ancestors(call)):
            return None
        body = entry.child_by_field_name("body")
        if body is None or body.type != "statement_block" or any(_returns_value(body)):
            return None
        return self._source.place(self._listening[0].start_byte)

    def _found(self) -> list[dict[str, Any]]:
        own, taken = options_of(self._scopes)
        uses = [
            (name, use.node, use) for name, all_of in taken.items() for each in all_of for use in each.uses
        ]
        for each in self._scopes.all():
            for use in each.uses if each.node.id in own else ():
                member = _member_of(use.node)
                if member is not None:
                    uses.append((self._source.text(member[1]), member[0], use))
        found: dict[tuple[str, str], dict[str, Any]] = {}
        for name, node, use in sorted(uses, key=lambda each: each[1].start_byte)[:_MOST_USES]:
            for kind, what, at in self._of(name, node, use):
                line, column = self._source.place(at.start_byte)
                found.setdefault((kind, what), {"kind": kind, "name": what, "line": line, "column": column})
        return list(found.values())[:MOST_WAITS]

    def _of(self, name: str, node: Node, use: Use) -> Iterator[tuple[str, str, Node]]:
        """What one use of a member of `options` waits for; `node` is the member."""
        if not self._reached.runs(use.scope.function):
            return
        if name == "poll" and (call := _call_of(node)) is not None:
            for given in arguments_of(call)[:1]:
                targets = given.named_children if given.type == "array" else [given]
                for target in targets[:20]:
                    yield "poll", self._words(target), call
        elif name in _STATES and (call := _call_of(node)) is not None:
            for path in self._read_of(call):
                yield _STATES[name], path, call
        elif name in ("uv", "cookies") and (member := _member_of(node)) is not None:
            call = _call_of(member[0])
            spelled = self._source.text(member[1])
            told = None if call is None else next(iter(arguments_of(call)), None)
            if call is None or told is None:
                return
            if name == "cookies" and spelled == "get":
                yield "cookie", self._words(told), call
            elif name == "uv" and spelled in _LISTENS:
                self._listening = [*self._listening, call][:MOST_WAITS]
                yield "event", self._words(told), call

    def _words(self, node: Node) -> str:
        """A text as it is, and everything else as it is written."""
        value = text_of(self._source, bare(node)) if bare(node).type == "string" else None
        return value[:100] if isinstance(value, str) else self._source.words(node)

    def _read_of(self, call: Node) -> Iterator[str]:
        """The paths that are read of a state, as `ua.deviceType`."""
        holder = call
        while (parent := holder.parent) is not None and parent.type in (
            "await_expression",
            "parenthesized_expression",
        ):
            holder = parent
        member = _member_of(holder)
        spelled = None if member is None else self._source.text(member[1])
        if member is not None and spelled == "then" and (then := _call_of(member[0])) is not None:
            for handler in arguments_of(then)[:1]:
                function = function_of(self._scopes, handler)
                if function is not None and (pattern := parameter(function)) is not None:
                    yield from self._of_pattern(pattern)
        elif member is not None and spelled == "value":
            yield from self._of_value(member[0])
        else:
            yield from self._of_value(holder)

    def _of_value(self, value: Node) -> Iterator[str]:
        """What is read of an expression, by name or of what it is kept as."""
        if (path := self._path(value)) is not None:
            yield path
            return
        around = value.parent
        if around is not None and around.type == "variable_declarator":
            name = around.child_by_field_name("name")
            if name is not None:
                yield from self._of_pattern(name)

    def _of_pattern(self, pattern: Node) -> Iterator[str]:
        if pattern.type == "identifier":
            declared = self._scopes.declared(pattern)
            for use in () if declared is None else declared.uses:
                if (path := self._path(use.node)) is not None:
                    yield path
        for each in pattern.named_children if pattern.type == "object_pattern" else []:
            key = each.child_by_field_name("key") or each.child_by_field_name("left") or each
            if each.type != "rest_pattern":
                yield self._source.words(key)

    def _path(self, node: Node) -> str | None:
        """`ua.deviceType` of `b.ua.deviceType`, where `node` is b."""
        names: list[str] = []
        while len(names) < _DEEPEST and (member := _member_of(node)) is not None:
            call = _call_of(member[0])
            if call is not None:  # a method of the text that was read
                break
            names.append(self._source.text(member[1]))
            node = member[0]
        return ".".join(names) or None


def _member_of(node: Node) -> tuple[Node, Node] | None:
    """`b.url` and its `url`, where `node` is b; None where no member of it is named."""
    member = node.parent
    if member is None or member.type != "member_expression" or member.child_by_field_name("object") != node:
        return None
    name = member.child_by_field_name("property")
    return None if name is None else (member, name)


def _call_of(function: Node) -> Node | None:
    """The call of a function, where that is what is done with it."""
    call = function.parent
    is_call = call is not None and call.type == "call_expression"
    return call if is_call and call is not None and call.child_by_field_name("function") == function else None


def _returns_value(body: Node) -> Iterator[bool]:
    """True for each `return` of a function's own that gives something."""
    for node in walk(
        body, into=lambda each: "function" not in each.type and each.type != "method_definition"
    ):
        if node.type == "return_statement" and node.named_children:
            yield True
