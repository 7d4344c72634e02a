"""Locales and options of texts for people that are written in a file, and that no run supports."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tree_sitter import Node

from experience_runtime.domain.values import shown
from experience_runtime.scripts.names import INTL_OPTIONS, SUPPORTED_LOCALES, UNORDERED_LOCALES
from experience_runtime.scripts.reading.guards import is_tried
from experience_runtime.scripts.reading.links import arguments_of
from experience_runtime.scripts.reading.literals import text_of
from experience_runtime.scripts.reading.reached import Reached
from experience_runtime.scripts.reading.scopes import Scopes

Found = dict[str, Any]
_KNOWN = {each.lower() for each in SUPPORTED_LOCALES} | {each[:2] for each in SUPPORTED_LOCALES} | {"no"}
_UNORDERED = {each.lower() for each in UNORDERED_LOCALES} | {each[:2] for each in UNORDERED_LOCALES}
_METHODS = {
    "toLocaleDateString": "DateTimeFormat",
    "toLocaleTimeString": "DateTimeFormat",
    "localeCompare": "Collator",
}


class Texts:
    """The findings of one file."""

    def __init__(self, scopes: Scopes, reached: Reached) -> None:
        self._scopes = scopes
        self._source = scopes.source
        self._reached = reached

    def found(self) -> Iterator[Found]:
        """Every finding as {"code", "message", "line", "column"}."""
        for use in self._scopes.free.get("Intl", ()):
            member = use.node.parent
            name = None if member is None else member.child_by_field_name("property")
            made = None if member is None else member.parent
            if made is None or name is None or made.type not in ("new_expression", "call_expression"):
                continue
            if self._reached.runs(use.scope.function):
                yield from self._of_arguments(self._source.text(name), arguments_of(made), made)
        for call in self._scopes.calls if b"ocale" in self._source.data else ():
            function = call.child_by_field_name("function")
            name = None if function is None else function.child_by_field_name("property")
            kind = None if name is None else _METHODS.get(self._source.text(name))
            if kind is not None:
                given = arguments_of(call)
                yield from self._of_arguments(kind, given[1:] if kind == "Collator" else given, call)

    def _of_arguments(self, kind: str, given: Sequence[Node], call: Node) -> Iterator[Found]:
        if kind not in INTL_OPTIONS or is_tried(call):
            return
        locale = text_of(self._source, given[0]) if given and given[0].type == "string" else None
        if isinstance(locale, str):
            yield from self._of_locale(kind, locale, given[0])
        if len(given) > 1 and given[1].type == "object":
            yield from self._of_options(INTL_OPTIONS[kind], given[1])

    def _of_locale(self, kind: str, locale: str, node: Node) -> Iterator[Found]:
        if locale.lower() not in _KNOWN:
            known = ", ".join(SUPPORTED_LOCALES)
            yield self._problem(node, f"the locale {shown(locale)} is not supported; write one of {known}")
        elif kind == "Collator" and locale.lower() in _UNORDERED:
            yield self._problem(
                node,
                f"the order of letters in {locale} is not supported; write a locale of another language, "
                'such as "en-US", or compare with < and >',
            )

    def _of_options(self, known: Mapping[str, Sequence[str]], options: Node) -> Iterator[Found]:
        for pair in options.named_children:
            key, value = pair.child_by_field_name("key"), pair.child_by_field_name("value")
            if pair.type != "pair" or key is None or value is None or value.type != "string":
                continue
            name = self._source.text(key)
            written = text_of(self._source, value)
            if name in known and isinstance(written, str) and written not in known[name]:
                may = " or ".join(shown(each) for each in known[name])
                yield self._problem(value, f"{name} {shown(written)} is not supported; write {may}")

    def _problem(self, node: Node, message: str) -> Found:
        line, column = self._source.place(node.start_byte)
        return {"code": "script_error", "message": message, "line": line, "column": column}
