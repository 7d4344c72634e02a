"""Page aliases: names that stand for something of a page, such as `$` after `const $ = window.jQuery`."""

from collections.abc import Iterator

from tree_sitter import Node

from experience_runtime.scripts.names import PAGE_NAMES
from experience_runtime.scripts.reading.literals import bare
from experience_runtime.scripts.reading.scopes import Declared, Scopes, Use

_WINDOWS = ("window", "globalThis", "self")


def page_name(scopes: Scopes, declared: Declared) -> str | None:
    """What of a page a name stands for; None when it is another thing, or something else later."""
    if not declared.is_fixed:
        return None
    value = declared.value
    if declared.origin is not None:
        name, of = declared.member, declared.origin
    elif value is not None and bare(value).type == "member_expression":
        owner, member = (bare(value).child_by_field_name(field) for field in ("object", "property"))
        if owner is None or member is None:
            return None
        name, of = scopes.source.text(member), owner
    else:
        return None
    is_window = of.type == "identifier" and scopes.source.text(of) in _WINDOWS and scopes.declared(of) is None
    return name if is_window and name in PAGE_NAMES else None


def touched(declared: Declared) -> Iterator[Use]:
    """The places where something is read of a name, or where it is called: there it must not be undefined."""
    for use in declared.uses:
        around = use.node.parent
        if around is not None and not use.writes and _is_touched(around, use.node):
            yield use


def _is_touched(around: Node, node: Node) -> bool:
    if any(each.type == "optional_chain" for each in around.children):
        return False
    return node in (around.child_by_field_name("object"), around.child_by_field_name("function"))


def said_of(name: str, page: str) -> str:
    """Why such a name cannot be used, and what to do instead."""
    return f"{name} is the page's {page}, and is undefined: {PAGE_NAMES[page]}"
