"""Payloads: the JSON value an integration is called with, as the text that is stored."""

import json
from collections.abc import Iterator
from typing import Any

from experience_runtime.domain.errors import InvalidPayload, PayloadTooLarge
from experience_runtime.domain.json_faults import json_fault
from experience_runtime.domain.values import SHOWN_CHARS, refuse_constant, shown

MOST_BYTES = 256 * 1024
MOST_LEVELS = 500
"""Deeper nesting could be written but not read back everywhere, since readers recurse."""

# making an encoder takes longer than a small text
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode


def json_text(value: object) -> str:
    """Write a JSON value compactly; text stays as it is unless it holds a lone surrogate.

    Raises what `json.dumps` raises for what is not JSON; NaN and infinities are not.
    """
    text = _encode(value)
    try:
        text.encode()
    except UnicodeEncodeError:  # half a pair from a cut JavaScript string: no database takes it raw
        text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    return text


def read_json(text: str, what: str = "the payload", *, such_as: str = '{"message": "Hello"}') -> Any:
    """The value of a JSON text that a person typed. Raises InvalidPayload, with one as it may be written."""
    try:
        return json.loads(text, parse_constant=refuse_constant)
    except (ValueError, RecursionError) as error:
        raise InvalidPayload(
            f"{what} is not JSON: {json_fault(error)}. Write for instance {such_as}"
        ) from None


def check_payload(value: object) -> str:
    """Write a payload as JSON. Raises InvalidPayload, naming the path, or PayloadTooLarge above 256 KiB.

    Source: reference/schedule-options#payload.
    """
    try:
        text = json_text(value)
    except (TypeError, ValueError, RecursionError):
        raise InvalidPayload(_fault(value)) from None
    size_bytes = len(text.encode())
    if size_bytes > MOST_BYTES:
        raise PayloadTooLarge(
            f"payload takes {size_bytes:,} bytes of JSON, at most {MOST_BYTES:,}; "
            "send an id or an address and let the integration fetch the rest"
        )
    # a walk is only worth it when there are enough brackets to be too deep
    if text.count("[") + text.count("{") > MOST_LEVELS and _deepest(value) > MOST_LEVELS:
        raise InvalidPayload(_too_deep())
    return text


def _fault(value: object) -> str:
    for path, held, level in _walk(value):
        if level > MOST_LEVELS:
            return _too_deep()
        if isinstance(held, dict):
            for name in held:
                if not isinstance(name, str):
                    return f"{path} has a property {shown(name)} that is not a string; write it as one"
        elif not isinstance(held, list | tuple):
            try:
                json.dumps(held, allow_nan=False)
            except (TypeError, ValueError):
                return f"{path} is {shown(held)}, which JSON cannot write; send text, finite numbers or null"
    return "payload is not a JSON value; send an object, array, text, number, true, false or null"


def _deepest(value: object) -> int:
    return max(level for _, _, level in _walk(value))


def _too_deep() -> str:
    return f"payload is nested more than {MOST_LEVELS} levels deep, or holds itself; send it flatter"


def _walk(value: object) -> Iterator[tuple[str, object, int]]:
    """Visit every value with its path and level; stop below the first that is too deep."""
    waiting: list[tuple[str, object, int]] = [("payload", value, 0)]
    while waiting:
        path, held, level = waiting.pop()
        yield path, held, level
        if level > MOST_LEVELS:
            return
        if isinstance(held, dict):
            waiting.extend((_step(path, name), inner, level + 1) for name, inner in held.items())
        elif isinstance(held, list | tuple):
            waiting.extend((_step(path, index), inner, level + 1) for index, inner in enumerate(held))


def _step(path: str, name: object) -> str:
    if len(path) > SHOWN_CHARS:
        return path
    is_plain = isinstance(name, str) and len(name) <= 40 and name.isidentifier()
    return f"{path}.{name}" if is_plain else f"{path}[{shown(name, 40)}]"
