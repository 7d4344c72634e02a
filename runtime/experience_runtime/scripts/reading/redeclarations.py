"""The published sample's mistake: a top-level `let` or `const` that declares a parameter again.

    module.exports = function variation (options) {
      const options = { … }        // no JavaScript engine accepts this

`--repair` rewrites exactly that, so that both meanings work: `options = Object.setPrototypeOf({ … },
options)`. The calls read own properties only, and `options.log` is found through the prototype. Source:
reference/experiences#a-published-mistake.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from tree_sitter import Node

from experience_runtime.scripts.reading.edits import Edit, blanked
from experience_runtime.scripts.reading.module_form import names_of
from experience_runtime.scripts.reading.source import FUNCTIONS, Source, walk

_WITH_THE_WORD = FUNCTIONS - {"arrow_function", "method_definition"}


@dataclass(frozen=True, slots=True)
class Redeclaration:
    """Where a parameter is declared again, as `const name = { … }`."""

    name: str
    kind: Node
    literal: Node

    @property
    def correction(self) -> str:
        """The author's line as it should stand."""
        return f"const schedule{self.name[0].upper()}{self.name[1:]} = {{"

    def edits(self, source: Source) -> list[Edit]:
        """Write the declaration as an assignment; every line stays where it is."""
        start, end = self.literal.start_byte, self.literal.end_byte
        return [
            blanked(source, self.kind.start_byte, self.kind.end_byte),
            Edit(start, start, "Object.setPrototypeOf("),
            Edit(end, end, f", {self.name})"),
        ]


def redeclarations(source: Source) -> Iterator[Redeclaration]:
    """Every object literal that redeclares a parameter at the top level of one of the file's functions.

    Functions inside others are left alone, and so are arrow functions.
    Source: reference/experiences#a-published-mistake.
    """
    for node in walk(source.root, into=lambda each: each.type not in FUNCTIONS):
        if node.type in _WITH_THE_WORD:
            yield from _of_function(source, node)


def _of_function(source: Source, function: Node) -> Iterator[Redeclaration]:
    parameters, body = (function.child_by_field_name(name) for name in ("parameters", "body"))
    if parameters is None or body is None:
        return
    names = {name for each in parameters.named_children for name in names_of(source, pattern_of(each))}
    for statement in body.named_children:
        kind = statement.child_by_field_name("kind")
        declarators = [each for each in statement.named_children if each.type == "variable_declarator"]
        if statement.type != "lexical_declaration" or kind is None or len(declarators) != 1:
            continue
        name, value = (declarators[0].child_by_field_name(field) for field in ("name", "value"))
        if name is None or value is None or name.type != "identifier" or value.type != "object":
            continue
        if source.text(name) in names:
            yield Redeclaration(source.text(name), kind, value)


def pattern_of(parameter: Node) -> Node:
    """What a parameter declares, without its type and its default."""
    for field in ("pattern", "left"):
        inner = parameter.child_by_field_name(field)
        if inner is not None:
            return pattern_of(inner) if field == "pattern" else inner
    return parameter
