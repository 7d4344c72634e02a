"""Values as callers send them: reading numbers and names, and showing any value safely in a message."""

import difflib
import json
import unicodedata
from collections.abc import Iterable
from typing import NoReturn

from experience_runtime.domain.errors import InvalidParameter

_LONGEST_NOTE = 200

SHOWN_CHARS = 100
_LONGEST_NAME = 200


def whole_number(value: object) -> int | None:
    """Read a number without a fraction; None for anything else.

    JSON has one number type, so 60.0 is 60. A bool is not a number here.
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return None


def read_name(what: str, value: object) -> str:
    """Return a text of 1 to 200 characters without control characters; else raise InvalidParameter."""
    if not isinstance(value, str):
        raise InvalidParameter(f"{what} {shown(value)} is not a string; write it in quotes")
    if not 1 <= len(value) <= _LONGEST_NAME:
        raise InvalidParameter(
            f"{what} {shown(value)} has {len(value)} characters; write 1 to {_LONGEST_NAME}"
        )
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in value):
        raise InvalidParameter(
            f"{what} {shown(value)} holds a control character; write letters, digits and signs only"
        )
    return value


def refuse_constant(word: str) -> NoReturn:
    """The `parse_constant` of every reader of JSON: NaN and Infinity are Python's, not JSON's. ValueError."""
    raise ValueError(f"{word} is no JSON value")


def shown(value: object, limit: int = SHOWN_CHARS) -> str:
    """Spell a value for a message: on one line, printable, at most `limit` characters."""
    if isinstance(value, str):
        text = '"' + value[:limit].replace("\\", "\\\\").replace('"', '\\"') + '"'
    else:
        text = _spelled(value, limit)
    if not text.isprintable():
        text = "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in text)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def nearest(word: str, known: Iterable[str], *, cutoff: float = 0.7) -> str | None:
    """Find the known name a mistyped word most likely means; case, `_`, `-` and spaces do not count."""
    folded = {_folded(name): name for name in known}
    matches = difflib.get_close_matches(_folded(word[:64]), folded, n=1, cutoff=cutoff)
    return folded[matches[0]] if matches else None


def _folded(name: str) -> str:
    return name.lower().replace("_", "").replace("-", "").replace(" ", "")


def _spelled(value: object, limit: int) -> str:
    number = whole_number(value)
    if number is not None and abs(number) < 10**16:
        return str(number)
    if isinstance(value, dict | list | tuple):
        kind = "object" if isinstance(value, dict) else "array"
        try:
            return json.dumps(value, ensure_ascii=False)
        except (TypeError, ValueError, RecursionError):
            return f"(an {kind})"
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    try:
        return repr(value)[: limit + 1]
    except ValueError:  # Python refuses to spell an int of more than 4,300 digits
        return "(a number of thousands of digits)"


def read_note(text: str) -> str:
    """A note of one line, as it is; InvalidParameter for any other."""
    if len(text) > _LONGEST_NOTE or not text.isprintable():
        raise InvalidParameter(
            f"the note {shown(text)} cannot be kept; write one line of at most {_LONGEST_NOTE} characters"
        )
    return text
