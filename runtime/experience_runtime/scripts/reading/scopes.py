"""Scopes: which declaration a name stands for, found in one pass over the tree."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from tree_sitter import Node

from experience_runtime.scripts.reading.module_form import bindings
from experience_runtime.scripts.reading.redeclarations import pattern_of, redeclarations
from experience_runtime.scripts.reading.source import FUNCTIONS, Source, walk, walk_with_parents

_BLOCKS = frozenset(
    ("statement_block", "for_statement", "for_in_statement", "catch_clause", "switch_body", "class_body")
)
_NAMED = frozenset(("function_declaration", "generator_function_declaration", "class_declaration"))
_REFERENCES = frozenset(("identifier", "shorthand_property_identifier"))
_NO_VALUES = frozenset(("labeled_statement", "import_specifier", "export_specifier"))
_MAY_BE_HANDED_ON = FUNCTIONS | {"identifier", "parenthesized_expression"}
_TYPES = frozenset(("type_annotation", "type_arguments", "type_parameters", "interface_declaration"))


@dataclass(eq=False, slots=True)
class Scope:
    """A part of the file with names of its own. `function` is the innermost around it, None at the top."""

    node: Node
    parent: "Scope | None"
    function: Node | None
    names: dict[str, "Declared"] = field(default_factory=dict)


@dataclass(eq=False, slots=True)
class Declared:
    """A declared name. `value` is what it is declared as, where that is one expression or function.

    `origin` is what it is taken out of, with `member` as the name there. `uses` are the places that name it.
    """

    name: str
    kind: str  # const | let | var | function | class | parameter | import | catch
    node: Node
    scope: Scope
    value: Node | None = None
    origin: Node | None = None
    member: str = ""
    uses: list["Use"] = field(default_factory=list)

    @property
    def is_fixed(self) -> bool:
        """Whether it never stands for anything else than what it was declared as."""
        return not any(use.writes for use in self.uses)


@dataclass(eq=False, slots=True)
class Use:
    """A place that names something."""

    node: Node
    scope: Scope
    writes: bool


class Scopes:
    """The names of one file. `free` are the uses of what the file does not declare.

    From the same pass over the tree: `calls`, every call, and `handed_on`, every name and function that is
    called or given to a call, each with the function around it.

    With `repair`, a parameter that is declared again goes on to be the parameter.
    """

    def __init__(self, source: Source, *, repair: bool = False) -> None:
        self.source = source
        self.free: dict[str, list[Use]] = {}
        self._by_node: dict[int, Declared] = {}
        self._resolved: dict[int, Declared] = {}
        self._uses: list[tuple[str, Use]] = []
        self.calls: list[Node] = []
        self.handed_on: list[tuple[Node | None, Node]] = []
        self._skipped = {each.kind.id for each in redeclarations(source)} if repair else set()
        self.top = Scope(source.root, None, None)
        self._read()
        self._resolve()

    def declared(self, node: Node) -> Declared | None:
        """What an identifier stands for; None for a free one."""
        return self._resolved.get(node.id) or self._by_node.get(node.id)

    def is_declaration(self, node: Node) -> bool:
        """Whether an identifier declares what it names."""
        return node.id in self._by_node

    def all(self) -> Iterator[Declared]:
        """Every declaration."""
        return iter({id(each): each for each in self._by_node.values()}.values())

    def _read(self) -> None:
        open_scopes = [self.top]
        for node, around, place in walk_with_parents(self.source.root, _TYPES):
            if not node.is_named:
                continue
            while len(open_scopes) > 1 and node.start_byte >= open_scopes[-1].node.end_byte:
                open_scopes.pop()
            scope = open_scopes[-1]
            kind = node.type
            if kind == "call_expression":
                self.calls.append(node)
            elif kind in _MAY_BE_HANDED_ON and _is_handed_on(around, place):
                self.handed_on.append((scope.function, node))
            if kind in _REFERENCES or kind == "shorthand_property_identifier_pattern":
                if node.id not in self._by_node and around is not None and around.type not in _NO_VALUES:
                    name = self.source.data[node.start_byte : node.end_byte].decode("utf-8", "replace")
                    self._uses.append((name, Use(node, scope, _writes(kind, around.type, place))))
            elif kind == "variable_declarator":
                self._variable(node, scope)
            elif kind == "import_statement":
                self._import(node, scope)
            elif kind in FUNCTIONS:
                if kind in _NAMED:
                    self._name(node, scope)
                inner = Scope(node, scope, node)
                open_scopes.append(inner)
                self._function(node, inner)
            elif kind in _NAMED:
                self._name(node, scope)
            elif kind in _BLOCKS:
                inner = Scope(node, scope, scope.function)
                open_scopes.append(inner)
                self._block(node, inner)

    def _resolve(self) -> None:
        for name, use in self._uses:
            scope: Scope | None = use.scope
            while scope is not None and name not in scope.names:
                scope = scope.parent
            if scope is None:
                self.free.setdefault(name, []).append(use)
            else:
                scope.names[name].uses.append(use)
                self._resolved[use.node.id] = scope.names[name]

    def _declare(self, node: Node, kind: str, scope: Scope, value: Node | None = None) -> Declared:
        name = self.source.text(node)
        made = Declared(name, kind, node, scope, value)
        if name in scope.names:  # declared again: nothing about it is certain
            made = scope.names[name]
            made.uses.append(Use(node, scope, writes=True))
        scope.names[name] = made
        self._by_node[node.id] = made
        return made

    def _taken_apart(self, pattern: Node, kind: str, scope: Scope, value: Node | None) -> None:
        if pattern.type == "identifier":
            self._declare(pattern, kind, scope, value)
            return
        for node in bindings(pattern):
            made = self._declare(node, kind, scope)
            around = node.parent
            if around is None:
                continue
            if around.type == "pair_pattern" and around.parent == pattern:
                key = around.child_by_field_name("key")
                made.origin, made.member = value or pattern, "" if key is None else self.source.text(key)
            elif around == pattern and pattern.type == "object_pattern":
                made.origin, made.member = value or pattern, self.source.text(node)

    def _variable(self, node: Node, scope: Scope) -> None:
        name, value = node.child_by_field_name("name"), node.child_by_field_name("value")
        around = node.parent
        if name is None or around is None:
            return
        kind_node = around.child_by_field_name("kind")
        if kind_node is not None and kind_node.id in self._skipped:
            return  # what --repair mends: the parameter goes on to be there
        kind = "var" if kind_node is None else kind_node.type
        target = scope
        while kind == "var" and target.parent is not None and target.node.type not in FUNCTIONS:
            target = target.parent
        self._taken_apart(name, kind, target, value)

    def _name(self, node: Node, scope: Scope) -> None:
        name = node.child_by_field_name("name")
        if name is not None:
            self._declare(name, "class" if "class" in node.type else "function", scope, node)

    def _function(self, node: Node, scope: Scope) -> None:
        name = node.child_by_field_name("name")
        if name is not None and node.type in ("function_expression", "generator_function"):
            self._declare(name, "function", scope, node)
        single = node.child_by_field_name("parameter")
        parameters = node.child_by_field_name("parameters")
        for each in ([single] if single else []) + (parameters.named_children if parameters else []):
            if each.type != "comment":
                self._taken_apart(pattern_of(each), "parameter", scope, None)

    def _block(self, node: Node, scope: Scope) -> None:
        if node.type == "catch_clause":
            parameter = node.child_by_field_name("parameter")
            if parameter is not None:
                self._taken_apart(parameter, "catch", scope, None)
        elif node.type == "for_in_statement" and (kind := node.child_by_field_name("kind")) is not None:
            left = node.child_by_field_name("left")
            if left is not None:
                self._taken_apart(left, kind.type, scope, None)

    def _import(self, node: Node, scope: Scope) -> None:
        for each in walk(node):
            if each.type in ("import_specifier", "namespace_import", "import_clause"):
                names = [child for child in each.named_children if child.type == "identifier"]
                if names and (each.type != "import_clause" or names):
                    self._declare(names[-1], "import", scope)


def _is_handed_on(around: Node | None, place: str | None) -> bool:
    """Whether a node is given to a call, or is what is called."""
    if around is None:
        return False
    kind = around.type
    return kind == "arguments" or (
        kind in ("call_expression", "new_expression") and place in ("function", "constructor")
    )


def _writes(kind: str, around: str, place: str | None) -> bool:
    """Whether a name is assigned to, by the node around it and its field there."""
    match around:
        case "assignment_expression" | "augmented_assignment_expression" | "for_in_statement":
            return place == "left"
        case "update_expression" | "array_pattern" | "rest_pattern" | "pair_pattern":
            return True
        case _:
            return kind == "shorthand_property_identifier_pattern"


def chain_of(node: Node) -> Iterator[Node]:
    """An expression, and what it is taken from: of `a.b.c` these are a.b.c, a.b and a."""
    current: Node | None = node
    while current is not None:
        yield current
        current = current.child_by_field_name("object") or current.child_by_field_name("function")
