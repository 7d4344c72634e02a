"""Audit: who changed what, when and from where; what is kept of a change is redacted and bounded."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

from experience_runtime.domain.errors import InvalidParameter
from experience_runtime.domain.values import nearest, shown

ACTIONS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "execution": ("cancel", "replay", "restore", "move"),
        "schedule": ("set", "remove", "restore", "pause", "resume", "run"),
        "integration": ("pause", "resume", "settings", "call"),
        "deliveries": ("hold", "resume"),
        "experience": ("release", "activate", "rollback", "deactivate"),
        "token": ("create", "revoke"),
        "visitor": ("erase", "convert", "identify"),
        "data": ("purge",),
    }
)
"""What is done to what kind of thing."""

_MOST_CHARS = 4_096
_MOST_TEXT = 500
_LONGEST_NAME = 100


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a token's name, `cli` and a user's name, or a part of the runtime. `address`: from where."""

    name: str
    address: str = ""


RUNTIME = Actor("runtime")
"""Where nobody is known to have asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One change. `object` is the id or name of what was changed, "" where there are several, or none may
    be named. `before` and `after` hold what differs."""

    number: int
    at: datetime
    actor: str
    address: str
    kind: str
    action: str
    object: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFilter:
    """Which changes are meant; every field that is set must match. `until` is outside."""

    kind: str | None = None
    action: str | None = None
    actor: str | None = None
    object: str | None = None
    since: datetime | None = None
    until: datetime | None = None


def check_kind(kind: str | None) -> str | None:
    """The kind itself; InvalidParameter for one that is none."""
    return _known("kind", kind, tuple(ACTIONS))


def check_action(action: str | None) -> str | None:
    """The action itself; InvalidParameter for one that is none."""
    return _known("action", action, tuple(dict.fromkeys(each for of in ACTIONS.values() for each in of)))


def _known(what: str, word: str | None, known: tuple[str, ...]) -> str | None:
    if word is None or word in known:
        return word
    meant = nearest(word, known)
    hint = f'did you mean "{meant}"?' if meant else f"there are {', '.join(known)}"
    raise InvalidParameter(f"{what} {shown(word)} is not one that is kept; {hint}")


def actor_text(name: str) -> str:
    """Who changes something, as it is kept."""
    return "".join(each if each.isprintable() else "?" for each in name)[:_LONGEST_NAME]


def differing(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Of two documents, the members that are not the same."""
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    return (
        {name: before[name] for name in names if name in before},
        {name: after[name] for name in names if name in after},
    )


def kept_text(document: Mapping[str, Any]) -> str:
    """A document as it is kept: JSON of at most 4,096 characters; what has no room is named in `left_out`."""
    cut = {name: _cut(value) for name, value in document.items()}
    left_out: list[str] = []
    text = json.dumps(cut)
    while len(text) > _MOST_CHARS and cut:
        largest = max(cut, key=lambda name: len(json.dumps(cut[name])))
        del cut[largest]
        left_out.append(largest[:_LONGEST_NAME])
        text = json.dumps({**cut, "left_out": sorted(left_out)})
    return text


def _cut(value: Any) -> Any:
    return f"{value[:_MOST_TEXT]}…" if isinstance(value, str) and len(value) > _MOST_TEXT else value
