"""Advice on the call of a member that a part of `options` has not: `options.log.inof(…)`."""

from tree_sitter import Node

from experience_runtime.domain.values import nearest
from experience_runtime.scripts.names import MEMBERS_OF_OPTIONS
from experience_runtime.scripts.reading.entry import options_of
from experience_runtime.scripts.reading.scopes import Scopes
from experience_runtime.scripts.reading.source import Source


def of_part(source: Source, place: tuple[int, int]) -> str | None:
    """What to say of the member that a place lies in; None where it is none of a part of `options`."""
    found = source.node_at(source.offset(place))
    # the engine tells the name or the dot before it
    member = found.parent if found.type in ("property_identifier", ".") else None
    name = None if member is None else member.child_by_field_name("property")
    part = None if member is None else member.child_by_field_name("object")
    known = None if part is None else MEMBERS_OF_OPTIONS.get(_name_of(source, part))
    if name is None or part is None or known is None or source.text(name) in known:
        return None
    called, spelled = source.words(part, 40), source.text(name)
    meant = nearest(spelled, known, cutoff=0.7)
    hint = f"did you mean {called}.{meant}?" if meant else f"it has {', '.join(known)}"
    return f"TypeError: {called}.{spelled} is not a function; {hint}"


def _name_of(source: Source, part: Node) -> str:
    """Which part of `options` this is, whatever the author calls it; "" for none."""
    scopes = Scopes(source)
    own, taken = options_of(scopes)
    if part.type == "identifier":
        declared = scopes.declared(part)
        return next((name for name, all in taken.items() if any(each is declared for each in all)), "")
    of, name = part.child_by_field_name("object"), part.child_by_field_name("property")
    declared = scopes.declared(of) if of is not None and of.type == "identifier" else None
    return source.text(name) if name is not None and declared is not None and declared.node.id in own else ""
