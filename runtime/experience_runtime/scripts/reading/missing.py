"""What a file requires or uses that is certainly not here, or that certainly ends badly."""

import posixpath
import re
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

from tree_sitter import Node

from experience_runtime.domain.values import nearest, shown
from experience_runtime.scripts.names import (
    INTEGRATION_MEMBERS,
    MEMBERS_OF_OPTIONS,
    OPTIONS_MEMBERS,
    PACKAGES,
    PAGE_NAMES,
    SUPPORTED_INTL,
)
from experience_runtime.scripts.reading.entry import options_of
from experience_runtime.scripts.reading.guards import Guards, is_tried
from experience_runtime.scripts.reading.links import arguments_of
from experience_runtime.scripts.reading.literals import Reading, bare, text_of
from experience_runtime.scripts.reading.not_found import not_found
from experience_runtime.scripts.reading.page_aliases import page_name, said_of, touched
from experience_runtime.scripts.reading.reached import Reached
from experience_runtime.scripts.reading.scopes import Declared, Scopes, Use

Found = dict[str, Any]
_POLLER = "@qubit/poller"
_OF_REACT = ("register", "render", "getReact")

_ASSIGNED = re.compile(rb"\.([\w$]+)\s*=(?!=)")
_OF_EVERY = ("call", "apply", "bind", "toString", "toLocaleString", "valueOf", "hasOwnProperty")


class Missing:
    """The findings of one file. `owned` are the page's names that some file of the experience makes."""

    def __init__(self, scopes: Scopes, reached: Reached, *, owned: set[str]) -> None:
        self._scopes = scopes
        self._source = scopes.source
        self._reached = reached
        self._owned = owned
        self._guards = Guards(scopes)

    def found(self, modules: Sequence[str], beside: Sequence[str]) -> Iterator[Found]:
        """Every finding as {"code", "message", "line", "column"}."""
        yield from self._requires(modules, beside)
        yield from self._page()
        yield from self._intl()
        yield from self._intervals()
        yield from self._options()

    def _problem(self, node: Node, code: str, message: str) -> Found:
        line, column = self._source.place(node.start_byte)
        return {"code": code, "message": message, "line": line, "column": column}

    def _free(self, name: str) -> Iterator[Use]:
        """The uses of a name of nobody's, in code that runs."""
        for use in self._scopes.free.get(name, ()):
            if not use.writes and self._reached.runs(use.scope.function):
                yield use

    def _requires(self, modules: Sequence[str], beside: Sequence[str]) -> Iterator[Found]:
        for use in self._free("require"):
            call = use.node.parent
            given = arguments_of(call) if call is not None and call.type == "call_expression" else []
            target = text_of(self._source, given[0]) if given and given[0].type == "string" else None
            if isinstance(target, str) and not (is_tried(use.node) or self._guards.of_modules(use.node)):
                yield from self._of_target(use.node, target, modules, beside)
        for node in self._source.root.named_children:
            path = node.child_by_field_name("source")
            is_type = any(each.type == "type" for each in node.children)
            if path is not None and path.type == "string" and not is_type:
                target = text_of(self._source, path)
                if isinstance(target, str):
                    yield from self._of_target(node, target.removesuffix(".ts"), modules, beside)
        for node in self._scopes.calls if b"import" in self._source.data else ():
            function = node.child_by_field_name("function")
            if function is not None and function.type == "import" and not is_tried(node):
                yield self._problem(
                    node, "module_not_found", "import() brings nothing in here; write require('./utils')"
                )

    def _of_target(
        self, node: Node, target: str, modules: Sequence[str], beside: Sequence[str]
    ) -> Iterator[Found]:
        if not _can_be_required(target, modules):
            yield self._problem(node, "module_not_found", not_found(target, modules, beside))

    def _page(self) -> Iterator[Found]:
        for name, fix in PAGE_NAMES.items():
            if name in self._owned:
                continue
            for use in self._free(name):
                if (
                    not _is_typeof(use.node)
                    and not self._guards.of(name, use.node)
                    and not is_tried(use.node)
                ):
                    yield self._problem(use.node, "script_error", f"{name} is not defined: {fix}")
                    break
        for name in ("window", "globalThis", "self"):
            for use in self._free(name):
                yield from self._of_window(use.node)
        for declared in self._scopes.all():
            page = page_name(self._scopes, declared)
            if page is not None and page not in self._owned:
                yield from self._of_alias(declared, page)

    def _of_alias(self, declared: Declared, page: str) -> Iterator[Found]:
        """`const $ = window.jQuery`: the first place that needs it to be there."""
        uses = list(touched(declared))
        of = declared.node.parent if declared.value is None else declared.value
        if len(uses) < len(declared.uses) or self._guards.looks_beside(page, of):
            return  # it is looked for, or handed on to whoever may look
        for use in uses:
            if self._reached.runs(use.scope.function) and not is_tried(use.node):
                yield self._problem(use.node, "script_error", said_of(declared.name, page))
                return

    def _of_window(self, node: Node) -> Iterator[Found]:
        """`window.location.href`: the member is not there, and something is read of it."""
        member = node.parent
        name = None if member is None else member.child_by_field_name("property")
        if member is None or member.type != "member_expression" or name is None:
            return
        spelled = self._source.text(name)
        outer = member.parent
        if spelled not in PAGE_NAMES or spelled in self._owned or outer is None:
            return
        is_read = (
            outer.child_by_field_name("object") == member or outer.child_by_field_name("function") == member
        )
        is_optional = any(each.type == "optional_chain" for each in outer.children)
        if is_read and not is_optional and not self._guards.of(spelled, node) and not is_tried(node):
            whole = f"{self._source.text(node)}.{spelled}"
            yield self._problem(name, "script_error", f"{whole} is undefined: {PAGE_NAMES[spelled]}")

    def _intl(self) -> Iterator[Found]:
        for use in self._free("Intl"):
            member = use.node.parent
            name = None if member is None else member.child_by_field_name("property")
            if name is None or is_tried(use.node) or self._guards.of("Intl", use.node):
                continue
            spelled = self._source.text(name)
            if spelled not in SUPPORTED_INTL:
                message = f"Intl.{spelled} is not here; Intl has {', '.join(SUPPORTED_INTL)}"
                yield self._problem(name, "script_error", message)

    def _intervals(self) -> Iterator[Found]:
        clears = "clearInterval" in self._scopes.free or b"clearInterval" in self._source.data
        for use in () if clears else self._free("setInterval"):
            parent = use.node.parent
            if parent is not None and parent.type == "call_expression":
                yield self._problem(
                    use.node,
                    "limit_wall",
                    "nobody clears this interval, so the run would end by its wall limit; write "
                    "const id = setInterval(…) and clearInterval(id), or schedule what should happen later",
                )

    def _options(self) -> Iterator[Found]:
        """Members that `options` has not, and a poll of a selector."""
        own, taken = options_of(self._scopes)
        pollers = [each for each in self._scopes.all() if self._is_poller(each)]
        for each in (*taken.get("poll", ()), *pollers):
            for use in each.uses:
                yield from self._poll(use.node)
        for member, declared in taken.items():
            meant = None if member in OPTIONS_MEMBERS else _meant(member)
            for each in declared if meant else ():
                yield self._problem(
                    each.node, "script_error", f"options has no {member}; did you mean {meant}?"
                )
        uses = [use for each in self._scopes.all() if each.node.id in own for use in each.uses]
        for each in taken.get("react", ()):
            for use in each.uses:
                yield from self._react(use.node)
        written = {name for use in uses if (name := self._written(use.node))}
        for use in uses:
            yield from self._of_member(use.node, written)
            of = use.node.parent
            part_name = None if of is None else of.child_by_field_name("property")
            if of is not None and part_name is not None and of.child_by_field_name("object") == use.node:
                yield from self._of_part(self._source.text(part_name), of)
        for part, declared in taken.items():
            for use in (use for each in declared for use in each.uses):
                yield from self._of_part(part, use.node)

    @cached_property
    def _made(self) -> set[str]:
        """The names of members that the file assigns, of whatever."""
        return {name.decode("utf-8", "replace") for name in _ASSIGNED.findall(self._source.data)}

    def _of_part(self, part: str, node: Node) -> Iterator[Found]:
        """`options.uv.emitt(…)`: a call of what this part of `options` has not."""
        member = node.parent
        name = None if member is None else member.child_by_field_name("property")
        call = None if member is None else member.parent
        known = MEMBERS_OF_OPTIONS.get(part)
        if known is None or member is None or name is None or call is None:
            return
        is_called = call.type == "call_expression" and call.child_by_field_name("function") == member
        spelled = self._source.text(name)
        if not is_called or member.child_by_field_name("object") != node or spelled in (*known, *_OF_EVERY):
            return
        is_optional = any(each.type == "optional_chain" for each in (*member.children, *call.children))
        if is_optional or spelled in self._made or is_tried(node) or self._guards.of_member(member):
            return
        meant = nearest(spelled, known, cutoff=0.7)
        hint = f"did you mean options.{part}.{meant}?" if meant else f"it has {', '.join(known)}"
        yield self._problem(name, "script_error", f"options.{part} has no {spelled}; {hint}")

    def _is_poller(self, declared: Declared) -> bool:
        """Whether a name stands for the package that polls, by `require` or by `import`."""
        value = declared.value
        if declared.kind == "import":
            clause = declared.node.parent
            statement = None if clause is None or clause.type != "import_clause" else clause.parent
            path = None if statement is None else statement.child_by_field_name("source")
        else:
            is_call = value is not None and bare(value).type == "call_expression" and declared.is_fixed
            call = bare(value) if value is not None and is_call else None
            function = None if call is None else call.child_by_field_name("function")
            if call is None or function is None or self._source.text(function) != "require":
                return False
            path = next(iter(arguments_of(call)), None)
        return path is not None and path.type == "string" and text_of(self._source, path) == _POLLER

    def _written(self, node: Node) -> str | None:
        """The name of the member that is assigned here."""
        member = node.parent
        outer = None if member is None else member.parent
        if member is None or outer is None or member.type != "member_expression":
            return None
        is_left = outer.type == "assignment_expression" and outer.child_by_field_name("left") == member
        name = member.child_by_field_name("property")
        return self._source.text(name) if is_left and name is not None else None

    def _of_member(self, node: Node, written: set[str]) -> Iterator[Found]:
        member = node.parent
        name = None if member is None else member.child_by_field_name("property")
        outer = None if member is None else member.parent
        if member is None or outer is None or name is None or member.child_by_field_name("object") != node:
            return
        spelled = self._source.text(name)
        if spelled == "poll":
            yield from self._poll(member)
        if spelled == "react":
            yield from self._react(member)
        if spelled in OPTIONS_MEMBERS or spelled in written or spelled in dir(object) or is_tried(node):
            return
        is_used = "member_expression" in outer.type or outer.type == "call_expression"
        is_optional = any(each.type == "optional_chain" for each in (*member.children, *outer.children))
        meant = _meant(spelled)
        if is_optional or not (is_used or meant) or self._guards.of_member(member):
            return
        hint = f"did you mean options.{meant}?" if meant else f"it has {', '.join(OPTIONS_MEMBERS)}"
        if spelled in INTEGRATION_MEMBERS:
            hint = f"write options.integration('…').{spelled}(…)"
        yield self._problem(name, "script_error", f"options has no {spelled}; {hint}")

    def _react(self, react: Node) -> Iterator[Found]:
        """`options.react.register(…)`: all of it needs a page, but what takes back."""
        member = react.parent
        outer = None if member is None else member.parent
        name = None if member is None else member.child_by_field_name("property")
        if member is None or name is None or outer is None or is_tried(react):
            return
        spelled = self._source.text(name)
        if spelled in _OF_REACT and outer.child_by_field_name("function") == member:
            message = (
                f"options.react.{spelled} needs a page, and there is none here; "
                "what a page shows cannot be part of this experience"
            )
            yield self._problem(name, "script_error", message)

    def _poll(self, function: Node) -> Iterator[Found]:
        call = function.parent
        if call is None or call.type != "call_expression" or call.child_by_field_name("function") != function:
            return
        for given in arguments_of(call)[:1]:
            targets = given.named_children if given.type == "array" else [given]
            for target in targets[:20]:
                value = Reading(self._source).literal(bare(target)).value
                if isinstance(value, str) and value != "window" and not value.startswith("window."):
                    yield self._problem(
                        target,
                        "script_error",
                        f"the selector {shown(value)} needs a page, and there is none here; "
                        "poll a function or a path such as 'window.basket'",
                    )


def _meant(member: str) -> str | None:
    # two letters of three that changed places: lgo
    return nearest(member, OPTIONS_MEMBERS, cutoff=0.65 if len(member) <= 3 else 0.7)


def _can_be_required(name: str, modules: Sequence[str]) -> bool:
    if not name.startswith(("./", "../", "/")):
        parts = name.split("/")
        return "/".join(parts[: 2 if name.startswith("@") else 1]) in PACKAGES
    plain = "./" + posixpath.normpath(name)  # more lenient than the run: no false alarm
    return any(plain in (each, each.removesuffix(".json"), f"{each}.js") for each in modules)


def _is_typeof(node: Node) -> bool:
    parent = node.parent
    return parent is not None and parent.type == "unary_expression" and parent.children[0].type == "typeof"


def owned_names(all_scopes: Sequence[Scopes]) -> set[str]:
    """The page's names that some file makes its own: assigns, or declares for all."""
    owned = set()
    for scopes in all_scopes:
        owned |= {name for name, uses in scopes.free.items() if any(use.writes for use in uses)}
        if scopes.source.role == "global":
            owned |= set(scopes.top.names)
        for use in (use for name in ("window", "globalThis", "self") for use in scopes.free.get(name, ())):
            member = use.node.parent
            outer = None if member is None else member.parent
            name = None if member is None else member.child_by_field_name("property")
            if outer is None or name is None or outer.type != "assignment_expression":
                continue
            if outer.child_by_field_name("left") == member:
                owned.add(scopes.source.text(name))
    return owned
