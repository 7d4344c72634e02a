"""Checks: everything that the reader finds in an experience's files, as JSON for the host to judge."""

from collections.abc import Mapping, Sequence
from itertools import chain, islice
from typing import Any

from experience_runtime.scripts.reading.bare_form import is_blank
from experience_runtime.scripts.reading.brought import Brought, exports_of
from experience_runtime.scripts.reading.constants import assigned_constants
from experience_runtime.scripts.reading.entry import exports_no_function, returned_function
from experience_runtime.scripts.reading.exports import exports_nothing
from experience_runtime.scripts.reading.links import Links
from experience_runtime.scripts.reading.literals import bare
from experience_runtime.scripts.reading.missing import Missing, owned_names
from experience_runtime.scripts.reading.reached import Reached
from experience_runtime.scripts.reading.scopes import Scopes
from experience_runtime.scripts.reading.source import Source
from experience_runtime.scripts.reading.texts import Texts
from experience_runtime.scripts.reading.waiting import Waiting

MOST_PROBLEMS = 100


def look_through(files: Sequence[Source], asked: Mapping[str, Any]) -> list[dict[str, Any]]:
    """For each file {"file", "links", "calls", "members", "problems", "is_blank", "decides_nothing",
    "returned", "waits", "answers_early"}; `asked` has its "modules", what can be required, its "beside",
    other files of the folder, and "repair"."""
    all_scopes = [Scopes(source, repair=asked["repair"]) for source in files]
    owned = owned_names(all_scopes)
    called = {name for scopes in all_scopes for name in _called(scopes)}
    brought = exports_of(all_scopes)
    answers = []
    for scopes in all_scopes:
        found = Links(scopes).found()
        reached = Reached(scopes, called)
        missing = Missing(scopes, reached, owned=owned).found(asked["modules"], asked["beside"])
        texts = Texts(scopes, reached).found()
        taken = Brought(scopes, reached, brought).found()
        exports = (
            {"code": "script_error", "message": said, "line": line, "column": column}
            for said, (line, column) in exports_nothing(scopes)
        )
        problems = list(
            islice(chain(exports, missing, texts, taken, assigned_constants(scopes, reached)), MOST_PROBLEMS)
        )
        waiting = Waiting(scopes, reached)
        returned = returned_function(scopes) if scopes.source.role == "variation" else None
        answers.append(
            {
                "file": scopes.source.file,
                "links": found.links,
                "calls": found.calls,
                "members": found.problems[:MOST_PROBLEMS],
                "problems": problems,
                "is_blank": is_blank(scopes.source),
                "decides_nothing": scopes.source.role == "triggers" and exports_no_function(scopes),
                "returned": None if returned is None else scopes.source.place(returned.start_byte),
                "waits": waiting.found,
                "answers_early": waiting.answers_early(),
            }
        )
    return answers


def _called(scopes: Scopes) -> set[str]:
    """The names that a file calls, bare or of something else."""
    names = set()
    for node in scopes.calls:
        function = node.child_by_field_name("function")
        if function is not None:
            name = function.child_by_field_name("property") or function
            if name.type in ("identifier", "property_identifier"):
                names.add(scopes.source.text(name))
    return names


def read_package(files: Sequence[Source], asked: Mapping[str, Any]) -> Any:
    """A package.json as a literal, every value with its place; `asked` is not looked at.

    The file's text stands in brackets on lines of its own, so that it reads as an expression.
    """
    del asked
    source = files[0]
    statement = next(iter(source.root.named_children), None)
    if statement is None or not statement.named_children:
        return None
    links = Links(Scopes(source))
    return links.json_of(bare(statement.named_children[0]))
