"""Advice on the call of a member that a part of `options` has not: `options.log.inof(…)`."""

from experience_runtime.domain.values import nearest
from experience_runtime.scripts.names import MEMBERS_OF_OPTIONS
from experience_runtime.scripts.reading.source import Source


def of_part(source: Source, place: tuple[int, int]) -> str | None:
    """What to say of the member that a place lies in; None where it is none of a part of `options`."""
    found = source.node_at(source.offset(place))
    # the engine tells the name or the dot before it
    member = found.parent if found.type in ("property_identifier", ".") else None
    name = None if member is None else member.child_by_field_name("property")
    part = None if member is None else member.child_by_field_name("object")
    if name is None or part is None or part.type != "member_expression":
        return None
    of, part_name = part.child_by_field_name("object"), part.child_by_field_name("property")
    if of is None or part_name is None or source.text(of) != "options":
        return None
    known = MEMBERS_OF_OPTIONS.get(source.text(part_name))
    spelled = source.text(name)
    if known is None or spelled in known:
        return None
    called = f"options.{source.text(part_name)}"
    meant = nearest(spelled, known, cutoff=0.7)
    hint = f"did you mean {called}.{meant}?" if meant else f"it has {', '.join(known)}"
    return f"TypeError: {called}.{spelled} is not a function; {hint}"
