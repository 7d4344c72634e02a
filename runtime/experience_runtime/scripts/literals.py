"""Literals: what an author wrote as a plain value, read where it stands; anything else is unknown.

This is no parser of the language. It reads texts, numbers, true, false, null and objects of them, and
steps over every other expression by its brackets.
"""

import re
from dataclasses import dataclass, field
from typing import Final

UNKNOWN: Final = object()
"""The value of an expression that only running can tell."""

_SPACE = re.compile(r"(?:\s|//[^\n]*|/\*.*?\*/)*", re.DOTALL)
_NUMBER = re.compile(r"-?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?(?![\w$.])")
_WORD = re.compile(r"(?:true|false|null|undefined)(?![\w$])")
_WORDS = {"true": True, "false": False, "null": None, "undefined": None}
_NAME = re.compile(r"[A-Za-z_$][\w$]*")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "'": "'", '"': '"', "`": "`", "\\": "\\", "/": "/"}
_MODIFIER = re.compile(r"(?:get|set|async|static)\s+[\w$'\"\[]|\*")
_DEEPEST = 50


@dataclass(frozen=True, slots=True)
class Member:
    """One member of an object literal: its name's offset and its value."""

    name_at: int
    literal: "Literal"


@dataclass(frozen=True, slots=True)
class Literal:
    """An expression from `at` to `end`. `members` is None unless it is an object literal.

    `is_whole`: no spread and no computed name could add a member. `value` is UNKNOWN as soon as a part is.
    """

    at: int
    end: int
    value: object
    members: dict[str, Member] | None = None
    is_whole: bool = True
    is_spread: bool = field(default=False)


def read_arguments(text: str, code: str, at: int) -> list[Literal]:
    """Read a call's arguments; `at` is behind its bracket, `code` the text blanked. A spread ends the list
    with an expression whose `is_spread` is true."""
    found: list[Literal] = []
    at = skip_space(text, at)
    while at < len(text) and text[at] != ")":
        if text.startswith("...", at):
            return [*found, Literal(at, at, UNKNOWN, is_spread=True)]
        found.append(read_literal(text, code, at))
        at = skip_space(text, found[-1].end)
        if not text.startswith(",", at):
            break
        at = skip_space(text, at + 1)
    return found


def read_literal(text: str, code: str, at: int, depth: int = 0) -> Literal:
    """Read the expression at `at`; one that is no literal is stepped over."""
    at = skip_space(text, at)
    found = _read(text, code, at, depth)
    after = skip_space(text, found.end)
    if after >= len(text) or text[after] in ",)]};" or (text[after] not in "\"'`" and _new_line(text, found)):
        return found
    return Literal(at, expression_end(code, found.end), UNKNOWN)


def skip_space(text: str, at: int) -> int:
    """The offset behind spaces and comments."""
    found = _SPACE.match(text, at)
    return found.end() if found else at


def _new_line(text: str, found: Literal) -> bool:
    # the end of a declaration without a semicolon
    rest = text[found.end : skip_space(text, found.end) + 1]
    return "\n" in rest and (rest[-1].isalnum() or rest[-1] in "_$")


def _read(text: str, code: str, at: int, depth: int) -> Literal:
    if at < len(text) and text[at] == "{" and depth < _DEEPEST:
        return _object(text, code, at, depth)
    if at < len(text) and text[at] in "'\"`":
        return _text(text, code, at)
    if number := _NUMBER.match(text, at):
        value = float(number[0])
        whole = "." not in number[0] and "e" not in number[0].lower()
        old_octal = re.match(r"-?0\d", number[0]) is not None
        return Literal(at, number.end(), UNKNOWN if old_octal else int(number[0]) if whole else value)
    if word := _WORD.match(text, at):
        return Literal(at, word.end(), _WORDS[word[0]])
    return Literal(at, expression_end(code, at), UNKNOWN)


def _text(text: str, code: str, start: int) -> Literal:
    value: str | None = ""
    at = start + 1
    while at < len(text) and text[at] != text[start]:
        if text[at] == "\\":
            escaped = _ESCAPES.get(text[at + 1 : at + 2])
            value = None if value is None or escaped is None else value + escaped
            at += 2
            continue
        if text[start] == "`" and text.startswith("${", at):
            return Literal(start, expression_end(code, start), UNKNOWN)
        value = None if value is None else value + text[at]
        at += 1
    return Literal(start, at + 1, UNKNOWN if value is None else value)


def _object(text: str, code: str, start: int, depth: int) -> Literal:
    members: dict[str, Member] = {}
    value: dict[str, object] | None = {}
    is_whole = True
    at = skip_space(text, start + 1)
    while at < len(text) and text[at] != "}":
        name, after = _member_name(text, code, at)
        if name is None:
            is_whole, value = False, None
            at = expression_end(code, at)
        else:
            behind = skip_space(text, after)
            if text.startswith(":", behind):
                literal = read_literal(text, code, behind + 1, depth + 1)
            else:  # a shorthand or a method
                literal = Literal(at, expression_end(code, at), UNKNOWN)
            members[name] = Member(at, literal)
            if value is not None:
                value[name] = literal.value
            if literal.value is UNKNOWN:
                value = None
            at = literal.end
        at = skip_space(text, at)
        if not text.startswith(",", at):
            break
        at = skip_space(text, at + 1)
    is_closed = text.startswith("}", at)
    known = UNKNOWN if value is None or not is_closed else value
    return Literal(start, at + 1, known, members, is_whole and is_closed)


def _member_name(text: str, code: str, at: int) -> tuple[str | None, int]:
    if text.startswith(("...", "["), at) or _MODIFIER.match(text, at):
        return None, at
    if text[at] in "'\"":
        literal = _text(text, code, at)
        return (literal.value if isinstance(literal.value, str) else None), literal.end
    name = _NAME.match(text, at)
    return (name[0], name.end()) if name else (None, at)


def expression_end(code: str, at: int) -> int:
    """The offset of the comma, semicolon or closing bracket that ends the expression at `at`."""
    depth = 0
    while at < len(code):
        if code[at] in "([{":
            depth += 1
        elif code[at] in ")]}":
            if depth == 0:
                return at
            depth -= 1
        elif depth == 0 and code[at] in ",;":
            return at
        at += 1
    return at
