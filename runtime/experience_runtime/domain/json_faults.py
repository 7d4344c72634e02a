"""JSON faults: what is wrong with a text that should be JSON, for people who write it by hand."""

import json
import re

_QUOTES = "'\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u201f`"
_WORD = re.compile(r"[A-Za-z_$][\w$-]{0,40}")
_BARE = {"True": "true", "False": "false", "None": "null", "undefined": "null", "NaN": "null"}


def json_fault(error: Exception) -> str:
    """What is wrong and what to do, with its place: `a comma stands before ], line 3, column 5; …`."""
    if not isinstance(error, json.JSONDecodeError):
        return "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
    if not error.doc.strip():
        return "it is empty"
    what, fix, at = _fault(error)
    line, column = error.doc.count("\n", 0, at) + 1, at - error.doc.rfind("\n", 0, at)
    return f"{what} (line {line}, column {column}); {fix}"


def json_place(error: json.JSONDecodeError) -> tuple[str, int, int]:
    """The same apart: what is wrong and what to do, the line, and the column."""
    if not error.doc.strip():
        return "it is empty", 1, 1
    what, fix, at = _fault(error)
    return f"{what}; {fix}", error.doc.count("\n", 0, at) + 1, at - error.doc.rfind("\n", 0, at)


def _fault(error: json.JSONDecodeError) -> tuple[str, str, int]:
    text, at = error.doc, error.pos
    if error.msg.startswith("Illegal trailing comma"):  # Python 3.13 stops at the comma, and not behind it
        at += 1
    while at < len(text) and text[at].isspace():
        at += 1
    before = len(text[:at].rstrip()) - 1
    here, last = text[at : at + 1], text[before] if before >= 0 else ""
    if error.msg.startswith(("Unterminated string", "Invalid control")):
        return "a text has no closing quote on its line", 'write " where it ends', error.pos
    if error.msg.startswith("Invalid \\"):
        return "a backslash stands alone in a text", "write two of them for one", error.pos
    if here == "":
        return "it ends before it is whole", "close what is open: a quote, ] or }", max(before, 0)
    if here in "/#":
        return "JSON has no comments", "take it out", at
    if here in _QUOTES:
        return f"{here} is no quote of JSON", 'write "', at
    if here in "]}" and last == ",":
        return f"a comma stands before {here}", "take the comma out", before
    if here == "," and last in ",[{:":
        return "a comma stands where a value should", "take it out, or write the value", at
    word = _WORD.match(text, at)
    if error.msg.startswith("Expecting property name"):
        fix = f'write "{word[0]}"' if word else 'write a name in double quotes, such as "do"'
        return "a name has to stand in double quotes", fix, at
    if error.msg.startswith("Expecting value"):
        meant = _BARE.get(word[0]) if word else None
        fix = (
            f"write {meant}" if meant else "write text in double quotes, a number, true, false, null, [ or {"
        )
        return f"{word[0] if word else here} is no value of JSON", fix, at
    if error.msg.startswith("Expecting ','"):
        return f"a comma is missing before {word[0] if word else here}", "write , or close what is open", at
    if error.msg.startswith("Expecting ':'"):
        return (
            f"a colon is missing before {word[0] if word else here}",
            "write : between a name and its value",
            at,
        )
    if error.msg.startswith("Extra data"):
        return "something follows after its end", "take it out, or look for a ] or } too many", at
    return error.msg[:1].lower() + error.msg[1:], "mend it", error.pos
