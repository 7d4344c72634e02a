"""Exports under another name: what is written for `module.exports`, and exports nothing that is run."""

from collections.abc import Iterator

from experience_runtime.domain.values import nearest
from experience_runtime.scripts.reading.module_form import has_module_exports
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


def exports_nothing(source: Source) -> Iterator[tuple[str, Place]]:
    """The first of them in a file that is to export a function, has a name like it and has it nowhere."""
    if source.role not in _ENTRIES or has_module_exports(source):
        return
    for said, place in misnamed_exports(source):
        if "exports nothing" in said:
            yield said, place
            return
