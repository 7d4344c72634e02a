"""Keys: the author's key object as one text and one digest, whatever the order of its properties."""

import hashlib
import json
import re
from collections.abc import Callable, Mapping

from experience_runtime.domain.errors import InvalidKey
from experience_runtime.domain.values import shown, whole_number

_MOST_BYTES = 4096
_DIGEST_BYTES = 16
_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False)
_WORDS = {"true": True, "false": False}
_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,14})(\.[0-9]{0,14}[1-9])?")
_FIX = "write {userId: …} or a string"


def canonical_key(key: object) -> str:
    """Spell a key as canonical JSON in ASCII: equal keys have equal texts.

    Property order is ignored at every depth and 1.0 is 1. Raises InvalidKey for what is neither an object
    nor a text, is empty, or takes more than 4,096 bytes. Source: reference/schedule-options#key.
    """
    if not isinstance(key, str | Mapping):
        raise InvalidKey(f"key {shown(key)} is not an object; {_FIX}")
    if not key:
        hint = " (were all its values undefined?)" if isinstance(key, Mapping) else ""
        raise InvalidKey(f"key {'{}' if hint else shown(key)} is empty{hint}; {_FIX}")
    try:
        text = _ENCODER.encode(_plain(key))
    except RecursionError:
        raise InvalidKey(f"key is nested too deeply, or holds itself; {_FIX}") from None
    except ValueError as error:  # not a finite number, or an int Python refuses to spell
        raise InvalidKey(f"key {shown(key)} holds a number JSON cannot write ({error}); {_FIX}") from None
    if len(text) > _MOST_BYTES:
        raise InvalidKey(
            f"key {shown(key)} takes {len(text)} bytes, at most {_MOST_BYTES}; {_FIX} that is short"
        )
    return text


def key_digest(integration: str, canonical: str) -> bytes:
    """Condense an integration's name and a canonical key to 16 bytes."""
    name = integration.encode("utf-8", "surrogatepass")
    # the length in front keeps ("ab", "c") and ("a", "bc") apart
    framed = len(name).to_bytes(8, "big") + name + canonical.encode("utf-8", "surrogatepass")
    return hashlib.blake2b(framed, digest_size=_DIGEST_BYTES).digest()


def other_types(canonical: str) -> list[str]:
    """The canonical keys that say the same in other types, and are other keys: 7 for "7", "true" for true."""
    try:
        value = json.loads(canonical)
        if not isinstance(value, dict):
            return []
        turned = [_turned(value, turn) for turn in (_as_text, _as_value)]
        # a text and what it says are never equal: what equals the key has nothing to turn
        others = {_ENCODER.encode(other) for other in turned if other != value}
    except RecursionError:  # deeper than anybody would mistype
        return []
    return sorted(others - {canonical})


def _turned(value: object, turn: Callable[[object], object]) -> object:
    match value:
        case dict():
            return {name: _turned(held, turn) for name, held in value.items()}
        case list():
            return [_turned(held, turn) for held in value]
        case _:
            return turn(value)


def _as_text(value: object) -> object:
    return value if value is None or isinstance(value, str) else _ENCODER.encode(value)


def _as_value(value: object) -> object:
    if not isinstance(value, str):
        return value
    return json.loads(value) if _NUMBER.fullmatch(value) else _WORDS.get(value, value)


def _plain(value: object) -> object:
    match value:
        case None | bool() | str() | int():
            return value
        case float():
            number = whole_number(value)
            return value if number is None else number
        case Mapping():
            return {_property(name): _plain(held) for name, held in value.items()}
        case list() | tuple():
            return [_plain(held) for held in value]
        case _:
            raise InvalidKey(f"key holds {shown(value)}, which is not a JSON value; {_FIX}")


def _property(name: object) -> str:
    if isinstance(name, str):
        return name
    raise InvalidKey(f"key has a property {shown(name)} that is not a string; {_FIX}")


def space_of(name: str, own: str | None) -> str:
    """A key space: an integration's, or the part of it that is one caller's own; no name holds a NUL."""
    return name if own is None else f"{name}\0{own}"
