"""Exports under another name: what is written for `module.exports`, and exports nothing that is run."""

from collections.abc import Iterator

from experience_runtime.domain.values import nearest
from experience_runtime.scripts.reading.bare_form import is_blank
from experience_runtime.scripts.reading.entry import exports_no_function
from experience_runtime.scripts.reading.module_form import has_module_exports
from experience_runtime.scripts.reading.scopes import Scopes
from experience_runtime.scripts.reading.source import FUNCTIONS, Place, Source, walk

_ENTRIES = ("variation", "triggers")


def misnamed_exports(source: Source) -> Iterator[tuple[str, Place]]:
    """What is wrong about each such assignment outside functions, and where it stands."""
    for node in walk(source.root, into=lambda each: each.type not in FUNCTIONS):
        target = node.child_by_field_name("left") if node.type == "assignment_expression" else None
        written = "" if target is None else source.words(target)
        if written == "exports" or (nearest(written, ("module.exports",)) and written != "module.exports"):
            yield f"{written} = … exports nothing; write module.exports = …", source.place(node.start_byte)
        elif written.startswith(("exports.", "module.exports.")):
            said = f"{source.role}.js exports one function; write module.exports = … for {written} = …"
            yield said, source.place(node.start_byte)


def exports_nothing(scopes: Scopes) -> Iterator[tuple[str, Place]]:
    """The first of them in a file that is to export a function, has a name like it and has it nowhere; else
    that a variation certainly exports none."""
    source = scopes.source
    if source.role not in _ENTRIES:
        return
    found = [] if has_module_exports(source) else list(misnamed_exports(source))
    has_none = source.role == "variation" and not is_blank(source) and exports_no_function(scopes)
    for said, place in found:
        if has_none or "exports nothing" in said:
            yield said, place
            return
    if has_none:
        yield "this exports no function; write module.exports = function variation (options) {…}", (1, 1)
