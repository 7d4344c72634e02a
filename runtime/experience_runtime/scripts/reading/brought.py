"""Brought: what a file takes of a shared file that certainly does not export it."""

import posixpath
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tree_sitter import Node

from experience_runtime.domain.values import nearest
from experience_runtime.scripts.reading.entry import assigned_exports
from experience_runtime.scripts.reading.guards import Guards, is_tried
from experience_runtime.scripts.reading.links import arguments_of
from experience_runtime.scripts.reading.literals import bare, text_of
from experience_runtime.scripts.reading.module_form import exported_names, specifiers
from experience_runtime.scripts.reading.reached import Reached
from experience_runtime.scripts.reading.scopes import Declared, Scopes
from experience_runtime.scripts.reading.source import Source, walk

Found = dict[str, Any]
Exports = Mapping[str, frozenset[str]]
_SHARED = ("./utils", "./common")
_OF_EVERY = frozenset(dir(object)) | {
    "hasOwnProperty",
    "toString",
    "valueOf",
    "toLocaleString",
    "constructor",
}
_MOST_TOLD = 20


def exports_of(all_scopes: Sequence[Scopes]) -> dict[str, frozenset[str]]:
    """The names that each shared file exports, by what requires it; without those only running can tell."""
    found = {}
    for scopes in all_scopes:
        if scopes.source.role in _SHARED:
            names = exported_names(scopes.source)
            if names is None:
                names = _assigned_names(scopes)
            if names is not None:
                found[scopes.source.role] = frozenset(names)
    roles = {scopes.source.role for scopes in all_scopes}
    for name, other in (_SHARED, _SHARED[::-1]):
        if name not in roles and other in found:
            found[name] = found[other]  # two names of one file
    return found


def _assigned_names(scopes: Scopes) -> set[str] | None:
    """The members of what a CommonJS file exports, where all of it stands there in so many words."""
    statements = scopes.source.root.named_children
    if any(each.type in ("export_statement", "ERROR") for each in statements) or _may_be_more(scopes):
        return None
    uses = [use for name in ("module", "exports") for use in scopes.free.get(name, ())]
    assigned = [each for statement in statements for each in assigned_exports(scopes, statement)]
    if len(uses) != len(assigned) or sum(target == "module.exports" for target, _ in assigned) > 1:
        return None
    names = {"default"}  # an import of it is given the whole
    for target, value in assigned:
        if target != "module.exports":
            names.add(target.rpartition(".")[2])
            continue
        members = bare(value)
        if members.type != "object" or len(names) > 1:
            return None
        for each in members.named_children:
            key = each if each.type == "shorthand_property_identifier" else each.child_by_field_name("key")
            key = key or each.child_by_field_name("name")
            if each.type == "comment":
                continue
            if key is None or key.type not in ("property_identifier", "shorthand_property_identifier"):
                return None  # a spread, a computed name, a text
            names.add(scopes.source.text(key))
    return names


def _may_be_more(scopes: Scopes) -> bool:
    """Whether members may be added otherwise: of `this`, which is the exports outside functions."""
    return b"this" in scopes.source.data and any(each.type == "this" for each in walk(scopes.source.root))


class Brought:
    """The findings of one file; `exports` are the shared files' names."""

    def __init__(self, scopes: Scopes, reached: Reached, exports: Exports) -> None:
        self._scopes = scopes
        self._source = scopes.source
        self._reached = reached
        self._exports = exports
        self._guards = Guards(scopes) if exports else None

    def found(self) -> Iterator[Found]:
        """Every finding as {"code", "message", "line", "column"}."""
        if not self._exports:
            return
        for node in self._source.root.named_children:
            if node.type in ("import_statement", "export_statement"):
                yield from self._of_import(node)
        for declared in self._scopes.all():
            target = self._required(declared)
            if target is not None and target in self._exports:
                yield from self._of_members(declared, target)

    def _of_import(self, node: Node) -> Iterator[Found]:
        path = node.child_by_field_name("source")
        target = None if path is None or path.type != "string" else _target(text_of(self._source, path))
        if (
            target is None
            or target not in self._exports
            or any(each.type in ("type", "typeof") for each in node.children)
        ):
            return
        for part in node.named_children:
            if part.type == "export_clause" and not self._source.is_typescript:
                names = [each for each in part.named_children if each.type == "export_specifier"]
                yield from self._of_names(names, target)
            for each in part.named_children if part.type == "import_clause" else ():
                if each.type == "named_imports":
                    yield from self._of_names([one for one in specifiers(each) if self._is_used(one)], target)
                elif each.type == "identifier" and self._is_used(each):
                    yield from self._of_default(each, target)
                elif each.type == "namespace_import":
                    declared = self._scopes.declared(each.named_children[-1])
                    if declared is not None:
                        yield from self._of_members(declared, target)

    def _is_used(self, node: Node) -> bool:
        """TypeScript leaves out what is imported and stands for no value."""
        if not self._source.is_typescript:
            return True
        name = node.child_by_field_name("alias") or node.child_by_field_name("name") or node
        declared = self._scopes.declared(name)
        return declared is not None and bool(declared.uses)

    def _of_names(self, nodes: Sequence[Node], target: str) -> Iterator[Found]:
        for each in nodes:
            name = each.child_by_field_name("name")
            spelled = "" if name is None else self._source.text(name).strip("'\"")
            if name is not None and spelled == "default":
                yield from self._of_default(name, target)
            elif name is not None and spelled not in self._exports[target]:
                yield self._problem(name, target, spelled)

    def _of_default(self, node: Node, target: str) -> Iterator[Found]:
        if "default" not in self._exports[target]:
            yield self._problem(node, target, "default")

    def _required(self, declared: Declared) -> str | None:
        """The shared file that a name stands for by `require`, or that it is taken out of."""
        value = declared.origin or declared.value
        call = None if value is None or not declared.is_fixed else bare(value)
        if call is None or call.type != "call_expression":
            return None
        function, given = call.child_by_field_name("function"), arguments_of(call)
        is_require = function is not None and function.type == "identifier" and function.text == b"require"
        if not is_require or len(given) != 1 or given[0].type != "string" or is_tried(call):
            return None
        return _target(text_of(self._source, given[0]))

    def _of_members(self, declared: Declared, target: str) -> Iterator[Found]:
        """A call of a member that is not there: of the name, or as the name that it was taken out as."""
        assert self._guards is not None
        names = self._exports[target]
        if declared.origin is not None:
            called = [
                use
                for use in declared.uses
                if _is_called(use.node) and self._reached.runs(use.scope.function)
            ]
            is_looked_for = any(
                is_tried(use.node) or self._guards.of_member(use.node) for use in declared.uses
            )
            if declared.member and declared.member not in names and called and not is_looked_for:
                yield self._problem(declared.node, target, declared.member)
            return
        members = [use.node.parent for use in declared.uses if use.node.parent is not None]
        if len(members) < len(declared.uses) or any(each.type != "member_expression" for each in members):
            return  # it is handed on, and may be given more there
        written = {self._member(each) for each in members if not _is_read(each)}
        for use, member in zip(declared.uses, members, strict=True):
            spelled = self._member(member)
            if spelled in names or spelled in written or spelled in _OF_EVERY or not spelled:
                continue
            is_looked_for = is_tried(use.node) or self._guards.of_member(member)
            if _is_called(member) and self._reached.runs(use.scope.function) and not is_looked_for:
                name = member.child_by_field_name("property")
                yield self._problem(name or member, target, spelled)

    def _member(self, member: Node) -> str:
        name = member.child_by_field_name("property")
        return "" if name is None else self._source.text(name)

    def _problem(self, node: Node, target: str, name: str) -> Found:
        line, column = self._source.place(node.start_byte)
        message = not_exported(target, name, self._exports[target])
        return {"code": "script_error", "message": message, "line": line, "column": column}


def not_exported(target: str, name: str, known: Sequence[str] | frozenset[str]) -> str:
    """What is said of a name that a shared file has not."""
    others = sorted(each for each in known if each != "default")
    meant = nearest(name, others)
    if name == "default" and others:
        return f"{target} exports no default; write import {{ {', '.join(others[:_MOST_TOLD])} }}"
    said = f"did you mean {meant}?" if meant else f"it exports {', '.join(others[:_MOST_TOLD]) or 'nothing'}"
    return f"{target} exports no {name}; {said}"


def import_of(source: Source, target: str, name: str) -> Node | None:
    """Where a file brings in a name of a module, as an import or in the braces of an export."""
    for node in source.root.named_children:
        path = node.child_by_field_name("source")
        if path is None or path.type != "string" or text_of(source, path) != target:
            continue
        for each in walk(node):
            if each.type in ("import_specifier", "export_specifier"):
                taken = each.child_by_field_name("name")
                if taken is not None and source.text(taken).strip("'\"") == name:
                    return taken
            elif (
                name == "default"
                and each.type == "import_clause"
                and each.named_children[0].type == "identifier"
            ):
                return each.named_children[0]
    return None


def _target(text: object) -> str | None:
    plain = "./" + posixpath.normpath(text) if isinstance(text, str) and text.startswith("./") else None
    return None if plain is None else plain.removesuffix(".js").removesuffix(".ts")


def _is_called(node: Node) -> bool:
    parent = node.parent
    return (
        parent is not None
        and parent.type == "call_expression"
        and parent.child_by_field_name("function") == node
        and not any(each.type == "optional_chain" for each in (*node.children, *parent.children))
    )


def _is_read(member: Node) -> bool:
    outer = member.parent
    return (
        outer is None
        or outer.type not in ("assignment_expression", "augmented_assignment_expression")
        or outer.child_by_field_name("left") != member
    )
