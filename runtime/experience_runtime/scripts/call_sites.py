"""Seen calls: the integration calls of a file whose integration and arguments can be told without running it.

A call is seen when it follows `.integration('name')` directly, or is made on a name that the file declares
once, as such a value. What could be anything else is not seen.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from experience_runtime.scripts.literals import UNKNOWN, Literal, read_arguments, read_literal, skip_space
from experience_runtime.scripts.reading.brackets import closing, open_before
from experience_runtime.scripts.source import Text

_LINK = re.compile(r"\.\s*integration\s*\(")
_DECLARED = re.compile(r"(?<![\w$.])(?:const|let|var)\s+(?P<name>[A-Za-z_$][\w$]*)\s*=\s*[\w$.\s]{0,100}\Z")
_VERB = re.compile(r"\s*\.\s*(?P<verb>execute|schedule|cancel)\s*\(")
_HANDLER = re.compile(r"\s*\.\s*(?:then|catch|finally)\s*\(")
_TRY = re.compile(r"\btry\s*\Z")
_CODE = re.compile(r"\.\s*code\b|\{[^{}]{0,200}\bcode\b[^{}]{0,200}\}\s*[)=]")
_HANDLER_CHARS = 2000
_PARAMETERS = re.compile(r"\((?P<names>[^()]{0,1000})\)\s*(?:=>|\{)|(?P<name>[A-Za-z_$][\w$]*)\s*=>")


@dataclass(frozen=True, slots=True)
class Link:
    """One `.integration(name, defaults)`; `defaults` is None when it has none, and unknown when it may."""

    name: Literal
    defaults: Literal | None


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a verb; `at` is the place of the verb's name. `options` is None when the call has none.

    `is_expected`: whoever handles its rejection looks at the code, and so may mean to be refused.
    """

    link: Link
    verb: str
    at: int
    options: Literal | None
    is_expected: bool = False


def seen_links(source: Text) -> list[Link]:
    """Every `.integration('name', …)` with a text as its name."""
    return [link for link, _, _ in _links(source)]


def seen_calls(source: Text) -> list[Call]:
    """Every call of `execute`, `schedule` and `cancel` that can be seen."""
    code, found = source.code, []
    for link, start, end in _links(source):
        if verb := _VERB.match(code, end):
            found.append(_call(source, link, verb["verb"], verb.start("verb"), verb.end()))
            continue
        declared = _DECLARED.search(code, max(0, start - 300), start)
        if declared is None or not _is_plain_end(source.text, end) or _is_shadowed(code, declared["name"]):
            continue
        uses = re.compile(rf"(?<![\w$.]){re.escape(declared['name'])}(?:{_VERB.pattern}|\s*(?P<open>\())")
        for use in uses.finditer(code, end):
            verb_at = use.start("verb") if use["verb"] else use.start()
            found.append(_call(source, link, use["verb"] or "execute", verb_at, use.end()))
    return found


def _links(source: Text) -> Iterator[tuple[Link, int, int]]:
    """Each link, where it starts, and the offset behind it."""
    for each in _LINK.finditer(source.code):
        arguments = read_arguments(source.text, source.code, each.end())
        end = closing(source.code, each.end() - 1)
        if not arguments or not isinstance(arguments[0].value, str) or end is None:
            continue
        defaults = arguments[1] if len(arguments) > 1 else None
        yield Link(arguments[0], resolved(source, defaults)), each.start(), end


def _call(source: Text, link: Link, verb: str, at: int, arguments_at: int) -> Call:
    arguments = read_arguments(source.text, source.code, arguments_at)
    index = 0 if verb == "cancel" else 1
    options: Literal | None = arguments[index] if len(arguments) > index else None
    if options is None and arguments and arguments[-1].is_spread:
        options = arguments[-1]
    return Call(link, verb, at, resolved(source, options), _reads_code(source.code, at, arguments_at))


def _reads_code(code: str, at: int, arguments_at: int) -> bool:
    """Whether a handler of this call's rejection reads a `.code`."""
    end = closing(code, arguments_at - 1)
    while end is not None and (handler := _HANDLER.match(code, end)):
        begin, end = handler.end(), closing(code, handler.end() - 1)
        if _CODE.search(code, begin, len(code) if end is None else end):
            return True
    for opening in reversed(open_before(code, at)):
        if code[opening] == "{" and _TRY.search(code, max(0, opening - 100), opening):
            caught = closing(code, opening)
            if caught is not None and _CODE.search(code, caught, caught + _HANDLER_CHARS):
                return True
    return False


def resolved(source: Text, literal: Literal | None) -> Literal | None:
    """A name that stands for an object literal and is used nowhere else, as that literal."""
    if literal is None or literal.members is not None or literal.is_spread:
        return literal
    name = source.code[literal.at : literal.end].strip()
    if not re.fullmatch(r"[A-Za-z_$][\w$]*", name):
        return literal
    if len(re.findall(rf"(?<![\w$.]){re.escape(name)}(?![\w$])", source.code)) != 2:
        return literal
    declared = re.search(rf"\bconst\s+{re.escape(name)}\s*=\s*(?=\{{)", source.code)
    if (
        declared is None
        or declared.start() > literal.at
        or not _reaches(source.code, declared.start(), literal.at)
    ):
        return literal
    meant = read_literal(source.text, source.code, declared.end())
    return literal if meant.value is UNKNOWN and meant.members is None else meant


def _reaches(code: str, declared_at: int, used_at: int) -> bool:
    """Whether the block of a declaration is still open where its name is used."""
    opened = open_before(code, declared_at)
    return open_before(code, used_at)[: len(opened)] == opened


def _is_shadowed(code: str, name: str) -> bool:
    word = re.escape(name)
    written = re.findall(rf"(?<![\w$.]){word}\s*(?:=(?!=|>)|[+\-*/|&?]=|\+\+|--)", code)
    declared = re.findall(rf"\b(?:const|let|var|function|class)\s+{word}(?![\w$])", code)
    if len(written) != 1 or len(declared) != 1:
        return True
    for found in _PARAMETERS.finditer(code):
        if re.search(rf"(?<![\w$]){word}(?![\w$])", found["names"] or found["name"] or ""):
            return True
    return re.search(rf"[{{,\[]\s*{word}\s*[}},\]][^=;]{{0,300}}\}}\s*=(?!=)", code) is not None


def _is_plain_end(text: str, end: int) -> bool:
    """Whether the value is the call's result itself: no `.then`, no operator behind it."""
    after = skip_space(text, end)
    return (
        after >= len(text)
        or text[after] in ",;)}"
        or ("\n" in text[end:after] and text[after] not in ".([?|&+-*/`=<>")
    )
