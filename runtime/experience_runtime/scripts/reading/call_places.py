"""Call places: what of a call an error is about, where the engine names only the call or one value."""

import re

from tree_sitter import Node

from experience_runtime.scripts.reading.links import arguments_of
from experience_runtime.scripts.reading.literals import Reading
from experience_runtime.scripts.reading.source import FUNCTIONS, Place, Source, ancestors

_OPTION = re.compile(
    r'option "(?P<quoted>\w{1,40})"|'
    r"(?P<name>delay|time|window|key|timeout|reason|scope|ifExists|cancelOnConversion)\b"
    r"(?:\.(?P<inner>\w+)| has no option)?|"
    r"(?P<of_window>timezoneOffset|timezone)\b"
)
_PAYLOAD = re.compile(r"payload\b(?:\.(?P<member>\w+))?")
_PLAIN = frozenset(("identifier", "number", "string", "string_fragment", "true", "false", "null"))
_HELD = frozenset(("arguments", "array", "string"))


def calling_place(source: Source, place: Place) -> Place:
    """Where the call stands that a place in its arguments means: the engine may name a value given to it.

    A name or a plain value by itself fails only when it is not there, and that is another error.
    """
    node = source.node_at(source.offset(place))
    if node.type not in _PLAIN:
        return place
    for each in ancestors(node):
        if each.type == "call_expression":
            function = each.child_by_field_name("function")
            is_given = function is not None and function.end_byte <= node.start_byte
            return source.place(_verb_of(each).start_byte) if is_given else place
        if each.type not in _HELD:
            return place
    return place


def refused_place(source: Source, place: Place, verb: str, why: str) -> Place:
    """Where the value stands that a call was refused for; the place of the call when that is not known.

    The engine may name a call within the arguments.
    """
    call = _call_around(source.node_at(source.offset(place)), verb)
    if call is None:
        return place
    arguments = arguments_of(call)
    payload = None if verb == "cancel" else _PAYLOAD.match(why)
    if payload is not None:
        return source.place(_part_of(source, arguments[0], payload["member"]) if arguments else _at(call))
    given = arguments[0 if verb == "cancel" else 1 :]
    return source.place(_option_in(source, given[0], why) if given else _at(call))


def _at(call: Node) -> int:
    return _verb_of(call).start_byte


def _part_of(source: Source, value: Node, name: str | None) -> int:
    members = Reading(source).literal(value).members or {}
    member = members.get(name or "")
    return (value if member is None else member.literal.node).start_byte


def _option_in(source: Source, options: Node, why: str) -> int:
    members = Reading(source).literal(options).members
    path = _OPTION.match(why.removeprefix("options."))
    if not members or path is None:
        return options.start_byte
    name, inner_name = path["quoted"] or path["name"], path["inner"]
    if path["of_window"]:
        name, inner_name = "window", path["of_window"]
    member = members.get(name)
    if member is None:
        return options.start_byte
    if path["quoted"]:
        return member.name.start_byte
    inner = (member.literal.members or {}).get(inner_name or "")
    return (inner or member).literal.node.start_byte


def _call_around(node: Node, verb: str) -> Node | None:
    """The call of a verb that a place lies in."""
    for each in (node, *ancestors(node)):
        if each.type in FUNCTIONS:
            return None
        if each.type == "call_expression":
            name = _verb_of(each)
            if name.text == verb.encode() or (verb == "execute" and name.type == "identifier"):
                return each
    return None


def _verb_of(call: Node) -> Node:
    function = call.child_by_field_name("function") or call
    return function.child_by_field_name("property") or function
