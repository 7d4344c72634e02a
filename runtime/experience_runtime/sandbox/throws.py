"""Throws: the place of a thrown value that is no Error and so carries no stack.

It is told only where no other place of the file could have thrown it. Source: issue 3.
"""

import re

from experience_runtime.sandbox.literals import UNKNOWN, read_literal
from experience_runtime.sandbox.places import Text

_THROW = re.compile(r"(?<![\w$.])(?:throw(?![\w$])(?!\s*:)|Promise\s*\.\s*reject\s*\()")
_AN_ERROR = re.compile(r"\s*new\s+(?:Eval|Range|Reference|Syntax|Type|URI|Aggregate)?Error\b")
# ways to throw a value, or to reject with one, that do not say so where it happens
_HIDDEN = re.compile(
    r"\bnew\s+Promise\b|withResolvers|\beval\b|\bFunction\b|\.\s*throw\b|Promise\s*\.\s*try\b|\bError\s*="
)


def only_throw(sources: list[Text], text: str) -> tuple[Text, int] | None:
    """The one place that can have thrown a value that reads as `text`; None when there may be others."""
    found: list[tuple[Text, int]] = []
    for source in sources:
        if _HIDDEN.search(source.code):
            return None
        found += [
            (source, each.start())
            for each in _THROW.finditer(source.code)
            if not _AN_ERROR.match(source.code, each.end()) and _may_be(source, each.end(), text)
        ]
    return found[0] if len(found) == 1 else None


def _may_be(source: Text, at: int, text: str) -> bool:
    value = read_literal(source.text, source.code, at).value
    match value:
        case None | bool() | int():
            # null and undefined read alike here
            return text in (("null", "undefined") if value is None else (str(value).lower(),))
        case str():
            return text == value[:4096]
        case _:
            return value is UNKNOWN or not isinstance(value, str)
