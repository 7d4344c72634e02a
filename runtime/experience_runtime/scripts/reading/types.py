"""TypeScript's types, blanked by position: what is left is JavaScript at the author's lines and columns.

What would need code of its own (an enum, a namespace, a parameter property, a decorator) is refused.
"""

from collections.abc import Iterator

from tree_sitter import Node

from experience_runtime.scripts.reading.edits import Edit, blanked
from experience_runtime.scripts.reading.source import Source, walk

Refused = tuple[Node, str]

_WHOLE = frozenset(
    (
        "accessibility_modifier",
        "asserts_annotation",
        "implements_clause",
        "omitting_type_annotation",
        "opting_type_annotation",
        "override_modifier",
        "type_annotation",
        "type_arguments",
        "type_parameters",
        "type_predicate_annotation",
    )
)
_STATEMENTS = frozenset(
    (
        "abstract_method_signature",
        "ambient_declaration",
        "function_signature",
        "index_signature",
        "interface_declaration",
        "method_signature",
        "type_alias_declaration",
    )
)
_BEHIND_A_VALUE = frozenset(("as_expression", "satisfies_expression", "non_null_expression"))
_TOKENS: dict[str, frozenset[str]] = {
    "abstract_class_declaration": frozenset(("abstract",)),
    "optional_parameter": frozenset(("?",)),
    "public_field_definition": frozenset(("?", "!", "readonly", "abstract")),
    "method_definition": frozenset(("?",)),
    "variable_declarator": frozenset(("!",)),
}
_NEEDS_CODE: dict[str, str] = {
    "decorator": "a decorator needs code that no browser has; call the function by hand",
    "enum_declaration": "an enum needs code of its own; write const Name = { A: 'a' } as const",
    "import_alias": "import … = is not read here; write import name from './utils'",
    "import_require_clause": "import … = require() is not read here; write import name from './utils'",
    "internal_module": "a namespace needs code of its own; write an object, const Name = { … }",
    "module": "a module block needs code of its own; write an object, const Name = { … }",
    "type_assertion": "<Type>value cannot be told from JSX; write value as Type",
}


def without_types(source: Source) -> tuple[list[Edit], Refused | None]:
    """What to blank, and the first thing that cannot be blanked; neither for a file of JavaScript."""
    if not source.is_typescript:
        return [], None
    edits: list[Edit] = []
    entered: set[int] = set()

    def into(node: Node) -> bool:
        return node.type not in _WHOLE and node.id not in entered

    for node in walk(source.root, into=into):
        if node.type == "export_statement" and any(each.type == "=" for each in node.children):
            return edits, (node, "export = is not read here; write export default")
        if node.type in _NEEDS_CODE and node.is_named:
            return edits, (node, _NEEDS_CODE[node.type])
        if node.type == "required_parameter" and _is_property(node):
            message = "a parameter property needs code of its own; declare a field and assign it"
            return edits, (node, message)
        if node.type in _STATEMENTS or _is_of_types(node) or _is_declared_field(node):
            entered.add(node.id)
            edits.append(_statement(source, node))
        else:
            edits += _of(source, node)
    return edits, None


def _of(source: Source, node: Node) -> Iterator[Edit]:
    if node.type in _WHOLE:
        yield _arrows_result(source, node) or blanked(source, node.start_byte, node.end_byte)
    elif node.type in _BEHIND_A_VALUE:
        value = node.named_children[0]
        first = ";" if _would_go_on(source, node) else ""
        yield blanked(source, value.end_byte, node.end_byte, first=first)
    elif node.type == "formal_parameters":
        yield from _this_parameter(source, node)
    for token in node.children if node.type in _TOKENS else ():
        if token.type in _TOKENS[node.type] and not token.is_named:
            yield blanked(source, token.start_byte, token.end_byte)


def _is_property(node: Node) -> bool:
    return any(each.type in ("accessibility_modifier", "readonly") for each in node.children)


def _is_of_types(node: Node) -> bool:
    """Whether an import or export only names types."""
    if node.type not in ("import_statement", "export_statement"):
        return False
    if any(each.type == "type" for each in node.children):
        return True
    declaration = node.child_by_field_name("declaration")
    return declaration is not None and declaration.type in _STATEMENTS


def _is_declared_field(node: Node) -> bool:
    return node.type == "public_field_definition" and any(
        each.type in ("declare", "abstract") for each in node.children
    )


def _statement(source: Source, node: Node) -> Edit:
    # a semicolon, or what stands before could go on behind it
    return blanked(source, node.start_byte, node.end_byte, first=";")


def _would_go_on(source: Source, node: Node) -> bool:
    """Whether, without its type, a statement that ended with the line would go on in the next."""
    if node.type == "non_null_expression":
        return False
    rest = source.data[node.end_byte : node.end_byte + 1000]
    after = rest.lstrip()
    ends_the_line = b"\n" in rest[: len(rest) - len(after)]
    return ends_the_line and after[:1] in (bytes([each]) for each in b"([`") and not _is_inside(node)


def _is_inside(node: Node) -> bool:
    """Whether a bracket is open around an expression."""
    parent = node.parent
    while parent is not None and not parent.type.endswith(("statement", "declaration", "program")):
        if parent.type in (
            "arguments",
            "array",
            "object",
            "parenthesized_expression",
            "template_substitution",
        ):
            return True
        parent = parent.parent
    return False


def _arrows_result(source: Source, node: Node) -> Edit | None:
    """The type of an arrow function's result over several lines: its bracket comes down to the arrow."""
    parent = node.parent
    if (
        parent is None
        or parent.type != "arrow_function"
        or b"\n" not in source.data[node.start_byte : node.end_byte]
    ):
        return None
    parameters = parent.child_by_field_name("parameters")
    if parameters is None or parent.child_by_field_name("return_type") != node:
        return None
    start = parameters.end_byte - 1
    spaces = blanked(source, start, node.end_byte).text
    return Edit(start, node.end_byte, spaces[:-1] + ")")


def _this_parameter(source: Source, node: Node) -> Iterator[Edit]:
    first = node.named_children[0] if node.named_children else None
    pattern = None if first is None else first.child_by_field_name("pattern")
    if first is None or pattern is None or pattern.type != "this":
        return
    after = first.next_sibling
    end = after.end_byte if after is not None and after.type == "," else first.end_byte
    yield blanked(source, first.start_byte, end)
