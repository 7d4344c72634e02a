"""The entry of a file: the function it exports, and where its code hands on `options`."""

from collections.abc import Iterator

from tree_sitter import Node

from experience_runtime.scripts.reading.literals import bare
from experience_runtime.scripts.reading.scopes import Declared, Scopes
from experience_runtime.scripts.reading.source import FUNCTIONS

_MOST_STATEMENTS = 5000
_NO_FUNCTIONS = frozenset(
    ("object", "array", "string", "template_string", "number", "true", "false", "null", "undefined")
)


def exported(scopes: Scopes) -> dict[str, Node]:
    """What a file exports, by name, where that is a function of its own; "" is the file's one export."""
    found: dict[str, Node] = {}
    for statement in scopes.source.root.named_children[:_MOST_STATEMENTS]:
        for name, value in _exports(scopes, statement):
            function = function_of(scopes, value)
            if function is not None:
                found[name] = function
    if "" not in found and "default" in found:
        found[""] = found["default"]
    if "" not in found:
        found.update(_bare(scopes))
    return found


def exports_no_function(scopes: Scopes) -> bool:
    """Whether a file certainly exports no function: only running can tell of most."""
    statements = scopes.source.root.named_children
    if len(statements) > _MOST_STATEMENTS or exported(scopes).get("") is not None:
        return False
    if any(each.type in ("export_statement", "ERROR") for each in statements):
        return False
    uses = [use for name in ("module", "exports") for use in scopes.free.get(name, ())]
    if not uses:
        return not any(_may_be_exported(each) for each in statements)
    exports = [each for statement in statements for each in assigned_exports(scopes, statement)]
    return len(uses) == len(exports) and all(_is_no_function(*each) for each in exports)


def _may_be_exported(statement: Node) -> bool:
    """Whether a statement may be what the whole file is: a call in brackets, or its value under a name."""
    if statement.type == "expression_statement":
        return statement.named_children[0].type != "string"
    return statement.type in ("lexical_declaration", "variable_declaration") and any(
        each.type == "variable_declarator" and _is_call(each.child_by_field_name("value"))
        for each in statement.named_children
    )


def _is_call(value: Node | None) -> bool:
    return value is not None and bare(value).type == "call_expression"


def _is_no_function(target: str, value: Node) -> bool:
    value = bare(value)
    if target == "module.exports":
        return value.type in _NO_FUNCTIONS and b"default" not in (value.text or b"")
    return target.rpartition(".")[2] != "default"


def returned_function(scopes: Scopes) -> Node | None:
    """What a file's own function returns at its end, where that certainly is a function; nobody calls it."""
    entry = exported(scopes).get("")
    body = None if entry is None else entry.child_by_field_name("body")
    if entry is None or body is None or "generator" in entry.type:
        return None
    if body.type != "statement_block":
        return function_of(scopes, body)
    last = next((each for each in reversed(body.named_children) if each.type == "return_statement"), None)
    return None if last is None or not last.named_children else function_of(scopes, last.named_children[0])


def function_of(scopes: Scopes, node: Node | None) -> Node | None:
    """The function that an expression is, by itself or by a name that never changes."""
    node = None if node is None else bare(node)
    if node is None:
        return None
    if node.type in FUNCTIONS:
        return node
    declared = scopes.declared(node) if node.type == "identifier" else None
    if declared is None or not declared.is_fixed or declared.value is None:
        return None
    value = bare(declared.value)
    return value if value.type in FUNCTIONS else None


def parameter(function: Node, at: int = 0) -> Node | None:
    """A function's parameter by its place; the pattern that declares it."""
    single = function.child_by_field_name("parameter")
    parameters = function.child_by_field_name("parameters")
    given = [single] if single else (parameters.named_children if parameters else [])
    given = [each for each in given if each.type != "comment"]
    if len(given) <= at:
        return None
    inner = given[at].child_by_field_name("pattern") or given[at].child_by_field_name("left")
    return inner or given[at]


def _exports(scopes: Scopes, statement: Node) -> Iterator[tuple[str, Node]]:
    if statement.type == "export_statement":
        value = statement.child_by_field_name("value") or statement.child_by_field_name("declaration")
        is_default = any(each.type == "default" for each in statement.children)
        if value is not None and is_default:
            yield "", value
        elif value is not None and (name := value.child_by_field_name("name")) is not None:
            yield scopes.source.text(name), value
        for each in value.named_children if value is not None and not is_default else []:
            name, inner = each.child_by_field_name("name"), each.child_by_field_name("value")
            if each.type == "variable_declarator" and name is not None and inner is not None:
                yield scopes.source.text(name), inner
        clause = next((each for each in statement.named_children if each.type == "export_clause"), None)
        for each in clause.named_children if clause is not None else []:
            name, alias = each.child_by_field_name("name"), each.child_by_field_name("alias")
            if name is not None and alias is not None and statement.child_by_field_name("source") is None:
                yield scopes.source.text(alias), name
        return
    for target, right in assigned_exports(scopes, statement):
        if target == "module.exports":
            yield from _members(scopes, right)
        else:
            yield target.rpartition(".")[2], right


def assigned_exports(scopes: Scopes, statement: Node) -> Iterator[tuple[str, Node]]:
    """What a statement assigns to `module.exports` or to a member of it: the target's text, and the value."""
    expression = statement.named_children[0] if statement.type == "expression_statement" else None
    while expression is not None and expression.type == "assignment_expression":
        left, right = (expression.child_by_field_name(name) for name in ("left", "right"))
        if left is None or right is None:
            return
        target = scopes.source.text(left)
        if target == "module.exports" or target.startswith(("exports.", "module.exports.")):
            yield target, right
        expression = right


def _members(scopes: Scopes, value: Node) -> Iterator[tuple[str, Node]]:
    value = bare(value)
    if value.type != "object":
        yield "", value
        return
    for each in value.named_children:
        if each.type == "shorthand_property_identifier":
            yield scopes.source.text(each), each
        elif each.type == "method_definition" and (name := each.child_by_field_name("name")) is not None:
            yield scopes.source.text(name), each
        elif each.type == "pair":
            key, inner = each.child_by_field_name("key"), each.child_by_field_name("value")
            if key is not None and inner is not None:
                yield scopes.source.text(key), inner


def _bare(scopes: Scopes) -> dict[str, Node]:
    """The function alone that an old file is."""
    for statement in scopes.source.root.named_children[:_MOST_STATEMENTS]:
        expression = statement
        if statement.type == "expression_statement":
            expression = bare(statement.named_children[0])
        if expression.type in ("comment", "string"):  # a line such as 'use strict'
            continue
        return {"": expression} if expression.type in FUNCTIONS else {}
    return {}


def options_of(scopes: Scopes) -> tuple[set[int], dict[str, list[Declared]]]:
    """What certainly is `options`, by the node that declares it, and what is taken out of it by name.

    They are of the first parameter of a variation or of triggers.
    """
    if scopes.source.role not in ("variation", "triggers"):
        return set(), {}
    entry = exported(scopes).get("")
    pattern = None if entry is None else parameter(entry)
    if pattern is None:
        return set(), {}
    own: set[int] = set()
    taken: dict[str, list[Declared]] = {}
    declared = scopes.declared(pattern) if pattern.type == "identifier" else None
    if declared is not None and declared.is_fixed:
        own.add(declared.node.id)
    for each in scopes.all():  # `const o = options`; each is declared after what it stands for
        if (
            each.value is not None
            and each.value.type == "identifier"
            and each.origin is None
            and each.is_fixed
        ):
            of = scopes.declared(each.value)
            if of is not None and of.node.id in own:
                own.add(each.node.id)
    for each in scopes.all():
        origin = each.origin
        if origin is None or not each.member or not each.is_fixed:
            continue
        of = scopes.declared(origin) if origin.type == "identifier" else None
        if origin == pattern or (of is not None and of.node.id in own):
            taken.setdefault(each.member, []).append(each)
    return own, taken
