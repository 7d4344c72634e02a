"""Forms: the text of a file as the engine takes it, and where its columns are not the author's."""

from typing import Any

from experience_runtime.scripts.reading.bare_form import as_exported
from experience_runtime.scripts.reading.edits import carried_out
from experience_runtime.scripts.reading.module_form import as_commonjs
from experience_runtime.scripts.reading.redeclarations import redeclarations
from experience_runtime.scripts.reading.source import Source
from experience_runtime.scripts.reading.types import without_types


def read_form(source: Source, *, repair: bool) -> dict[str, Any]:
    """{"text", "moved", "repairs": [{"name", "kind", "line", "correction"}], "problem"}; `text` is None for
    one that runs as it is, and `problem` {"message", "line", "column"} for one that cannot."""
    edits, refused = without_types(source)
    if refused is not None:
        node, message = refused
        line, column = source.place(node.start_byte)
        return {"problem": {"message": message, "line": line, "column": column}}
    own, may_be_bare = as_commonjs(source)
    edits += own
    if may_be_bare:
        edits += as_exported(source)
    found = list(redeclarations(source)) if repair else []
    for each in found:
        edits += each.edits(source)
    answer: dict[str, Any] = {"text": None, "moved": [], "problem": None}
    if edits:
        answer["text"], answer["moved"] = carried_out(source, edits)
    answer["repairs"] = [
        {
            "name": each.name,
            "kind": source.text(each.kind),
            "line": source.place(each.kind.start_byte)[0],
            "correction": each.correction,
        }
        for each in found
    ]
    return answer
