"""Module forms: an ES module as the CommonJS that runs.

`import` becomes `require` where it stands; `export default` becomes `module.exports`; other exports of a
shared file are getters, put before its first line, so that they are as live as an ES module's.
"""

import json
import re
from collections.abc import Iterator, Sequence
from functools import cached_property

from tree_sitter import Node

from experience_runtime.scripts.reading.edits import Edit, blanked, replaced
from experience_runtime.scripts.reading.source import FUNCTIONS, Source, walk

_ENTRIES = ("variation", "triggers")
EXPORTS = "module.exports = "
_MODULE_EXPORTS = re.compile(rb"\bmodule\s{0,100}\.\s{0,100}exports\b")
_DECLARATIONS = frozenset(("class", "function_expression", "generator_function"))
_MOST_LOOKS = 1000
_MARK = 'Object.defineProperty(exports, "__esModule", { value: true }); '


def exported_names(source: Source) -> set[str] | None:
    """The names that an ES module of the author's exports, "default" among them; None for one that is none,
    or that exports what only running can tell."""
    exports = [
        each for each in source.root.children if each.type == "export_statement" and not _is_type(each)
    ]
    if not exports or source.root.has_error:
        return None
    if any(each.type == "*" for node in exports for each in node.children):
        return None
    form = _Form(source)
    form.read()
    names = {name.strip("'\"") for name, _ in form.names}
    return names | {"default"} if form.has_default else names


def as_commonjs(source: Source) -> tuple[list[Edit], bool]:
    """What to write otherwise so that the file is CommonJS, and whether it may be a function alone."""
    form = _Form(source)
    form.read()
    is_entry = source.role in _ENTRIES
    return form.edits, is_entry and not form.has_default and not has_module_exports(source)


class _Form:
    """One file's imports and exports."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._is_entry = source.role in _ENTRIES
        self.names: list[tuple[str, str]] = []  # as it is exported, and the expression of its value
        self.edits: list[Edit] = []
        self.has_default = False

    def read(self) -> None:
        statements = list(_statements(self._source.root))
        exports = [each for each in statements if each.type == "export_statement" and not _is_type(each)]
        if self._source.role == "global":
            exports = []  # a script: it has nobody to export to
        self.has_default = any(_default(each) is not None or _named_default(each) for each in exports)
        # named exports beside nothing else leave an entry without a function: the engine is to say so
        keeps = self._is_entry and not self.has_default
        for each in statements:
            if each.type == "import_statement" and not _is_type(each):
                self._import(each)
        for each in exports:
            if not keeps:
                self._export(each)
        if self._source.root.has_error and not self.has_default:
            self._broken_default()
        if self.names and not self._is_entry:
            getters = "".join(_getter(name, value) for name, value in self.names)
            self.edits.append(Edit(0, 0, _MARK + getters))

    def _import(self, node: Node) -> None:
        path = node.child_by_field_name("source")
        clause = next((each for each in node.named_children if each.type == "import_clause"), None)
        if path is None or node.has_error:
            return
        call = _require(self._source, path)
        parts = [] if clause is None else list(self._brought(clause, path))
        if clause is not None and not parts:
            parts = ["void 0"]  # types only
        text = "; ".join(parts or [call])
        self.edits.append(replaced(self._source, node.start_byte, node.end_byte, text + ";"))

    def _brought(self, clause: Node, path: Node) -> Iterator[str]:
        for part in clause.named_children:
            match part.type:
                case "identifier":
                    yield self._default_of(path, part)
                case "namespace_import":
                    name = self._source.text(part.named_children[-1])
                    yield f"const {name} = {_require(self._source, path)}"
                case "named_imports":
                    yield from self._named(part, path)

    def _named(self, part: Node, path: Node) -> Iterator[str]:
        """What is brought by its name; the call names it too, to end where the module has it not."""
        taken, needed = [], []
        for each in specifiers(part):
            name, alias = each.child_by_field_name("name"), each.child_by_field_name("alias")
            spelled = "" if name is None else self._source.text(name)
            if spelled == "default" and alias is not None:
                yield self._default_of(path, alias)
                continue
            taken.append(spelled if alias is None else f"{spelled}: {self._source.text(alias)}")
            if not self._source.is_typescript or self._text_of(alias or name) in self._used:
                needed.append(spelled if spelled[:1] in "'\"" else json.dumps(spelled))
        if taken or not part.named_children:
            yield f"const {{ {', '.join(taken)} }} = {_require(self._source, path, needed)}"

    def _default_of(self, path: Node, name: Node) -> str:
        is_needed = not self._source.is_typescript or self._source.text(name) in self._used
        call = _require(self._source, path, ['"default"'] if is_needed else ())
        return f"const {self._source.text(name)} = ((m) => m && m.__esModule ? m.default : m)({call})"

    def _text_of(self, node: Node | None) -> str:
        return "" if node is None else self._source.text(node)

    @cached_property
    def _used(self) -> set[str]:
        """The names that stand for values outside imports: TypeScript leaves an import out that has none."""
        return {
            self._source.text(each)
            for each in walk(self._source.root, into=lambda node: node.type != "import_statement")
            if each.type in ("identifier", "shorthand_property_identifier")
        }

    def _export(self, node: Node) -> None:
        path = node.child_by_field_name("source")
        declaration = node.child_by_field_name("declaration")
        value = node.child_by_field_name("value")
        clause = next((each for each in node.named_children if each.type == "export_clause"), None)
        if _default(node) is not None:
            if (declared := declaration or value) is not None:
                self._export_default(node, declared)
        elif path is not None:
            self._export_from(node, path, clause)
        elif clause is not None:
            self._export_list(node, clause)
        elif declaration is not None:
            self.edits.append(blanked(self._source, node.start_byte, declaration.start_byte))
            self.names += [(name, name) for name in self._declared(declaration)]

    def _export_default(self, node: Node, declared: Node) -> None:
        named = (
            declared.child_by_field_name("name")
            if declared == node.child_by_field_name("declaration")
            else None
        )
        target = "exports.default = " if self._names_others(node) else EXPORTS
        text = target
        if named is not None and "class" in declared.type:
            text = f"const {self._source.text(named)} = {target}"
        elif named is not None:  # a declaration is there above its line too
            text = f"{target}{self._source.text(named)}; "
        self.edits.append(replaced(self._source, node.start_byte, declared.start_byte, text))
        end = _declaration_end(declared)
        if self._source.data[end - 1 : end] != b";":
            self.edits.append(Edit(end, end, ";"))

    def _names_others(self, node: Node) -> bool:
        """Whether a shared file exports more than its default."""
        return not self._is_entry and any(
            each.type == "export_statement" and not _is_type(each) and _default(each) is None
            for each in _statements(self._source.root)
            if each != node
        )

    def _export_from(self, node: Node, path: Node, clause: Node | None) -> None:
        call = _require(self._source, path)
        space = next((each for each in node.named_children if each.type == "namespace_export"), None)
        text = "void 0;"
        if clause is not None:
            listed = list(self._listed(clause))
            self.names += [(alias, f"{call}{_member(name)}") for name, alias in listed]
            if not self._source.is_typescript and not self._is_entry:  # which may export a type this way
                needed = [name if name[:1] in "'\"" else json.dumps(name) for name, _ in listed]
                text = f"{_require(self._source, path, needed)};"
        elif space is not None:
            self.names.append((self._source.text(space.named_children[-1]), call))
        elif not self._is_entry:
            text = f"Object.assign(exports, {call});"
        self.edits.append(replaced(self._source, node.start_byte, node.end_byte, text))

    def _export_list(self, node: Node, clause: Node) -> None:
        text = ""
        for name, alias in self._listed(clause):
            if alias == "default" and self._is_entry:
                text = f"{EXPORTS}{name};"
            else:
                self.names.append((alias, name))
        self.edits.append(replaced(self._source, node.start_byte, node.end_byte, text))

    def _listed(self, clause: Node) -> Iterator[tuple[str, str]]:
        for each in clause.named_children:
            name, alias = each.child_by_field_name("name"), each.child_by_field_name("alias")
            if each.type == "export_specifier" and name is not None and not _is_type(each):
                yield self._source.text(name), self._source.text(alias or name)

    def _declared(self, declaration: Node) -> Iterator[str]:
        named = declaration.child_by_field_name("name")
        if named is not None:
            yield self._source.text(named)
            return
        for each in declaration.named_children:
            pattern = each.child_by_field_name("name") if each.type == "variable_declarator" else None
            if pattern is not None:
                yield from names_of(self._source, pattern)

    def _broken_default(self) -> None:
        """`export default` before something that cannot be read: the mistake is to be told, not the form."""
        for parent in (self._source.root, *self._source.root.children):
            if parent.type not in ("ERROR", "program"):
                continue
            children = parent.children
            for first, second, third in zip(children, children[1:], children[2:], strict=False):
                if (first.type, second.type) == ("export", "default"):
                    self.has_default = True
                    edit = replaced(self._source, first.start_byte, third.start_byte, EXPORTS)
                    self.edits.append(edit)
                    return


def names_of(source: Source, pattern: Node) -> Iterator[str]:
    """The names that a pattern declares: of `{ a, b: [c], ...d }` they are a, c and d."""
    return (source.text(each) for each in bindings(pattern))


def bindings(pattern: Node) -> Iterator[Node]:
    """The identifiers that a pattern declares."""
    if pattern.type in ("identifier", "shorthand_property_identifier_pattern"):
        yield pattern
        return
    for node in walk(pattern, into=lambda each: each.type not in FUNCTIONS):
        is_name = node.type == "identifier" and node != pattern and _binds(node)
        if is_name or node.type == "shorthand_property_identifier_pattern":
            yield node


def _binds(node: Node) -> bool:
    parent = node.parent
    if parent is None:
        return True
    match parent.type:
        case "pair_pattern":
            return parent.child_by_field_name("value") == node
        case "array_pattern" | "rest_pattern":
            return True
        case "assignment_pattern":
            return parent.child_by_field_name("left") == node
        case _:
            return False


def _statements(root: Node) -> Iterator[Node]:
    """The file's own statements, also those beside what cannot be read."""
    for each in root.children:
        yield each
        if each.type == "ERROR":
            yield from each.children


def _is_type(node: Node) -> bool:
    """Whether an import, an export or one of their names is TypeScript's and only of types."""
    if any(each.type in ("type", "typeof") for each in node.children):
        return True
    declaration = node.child_by_field_name("declaration") if node.type == "export_statement" else None
    return declaration is not None and declaration.type in (
        "interface_declaration",
        "type_alias_declaration",
        "ambient_declaration",
        "function_signature",
    )


def _default(node: Node) -> Node | None:
    return next((each for each in node.children if each.type == "default"), None)


def _declaration_end(declared: Node) -> int:
    """Where a default ends: one that begins as a function or class is a declaration, and ends with it."""
    parent, first = declared.parent, declared
    while first is not None and first.start_byte == declared.start_byte:
        if first.is_named and first.type in _DECLARATIONS:
            return first.end_byte
        if not first.child_count:
            break
        first = first.children[0]
    return declared.end_byte if parent is None else parent.end_byte


def _named_default(node: Node) -> bool:
    clause = next((each for each in node.named_children if each.type == "export_clause"), None)
    aliases = [] if clause is None else [each.child_by_field_name("alias") for each in clause.named_children]
    return any(each is not None and each.text == b"default" for each in aliases)


def specifiers(part: Node) -> Iterator[Node]:
    """The names in the braces of an import, but those of types."""
    return (each for each in part.named_children if each.type == "import_specifier" and not _is_type(each))


def _require(source: Source, path: Node, needed: Sequence[str] = ()) -> str:
    """The call; `needed` are names, in quotes, that the module is to export."""
    asked = source.text(path)
    if asked[1:3] == "./" and asked[-4:-1] == ".ts":
        asked = f"{asked[:-4]}{asked[-1]}"
    return f"require({asked}, [{', '.join(needed)}])" if needed else f"require({asked})"


def _member(name: str) -> str:
    return f"[{name}]" if name[:1] in "'\"" else f"[{json.dumps(name)}]"


def _getter(name: str, value: str) -> str:
    key = name if name[:1] in "'\"" else json.dumps(name)
    return f"Object.defineProperty(exports, {key}, {{ enumerable: true, get () {{ return {value} }} }}); "


def has_module_exports(source: Source) -> bool:
    """Whether `module.exports` stands anywhere in the code, and not only in a comment or a string."""
    for count, found in enumerate(_MODULE_EXPORTS.finditer(source.data)):
        if count == _MOST_LOOKS or source.node_at(found.start()).type == "identifier":
            return True
    return False
