"""Access: who may do what from outside; tokens as they are made, and as they are kept."""

import hashlib
import re
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, StrEnum
from functools import cache
from urllib.parse import urlsplit

from experience_runtime.domain.durations import parse_delay
from experience_runtime.domain.errors import InvalidDelay, InvalidParameter
from experience_runtime.domain.instants import iso, read_iso
from experience_runtime.domain.urls import require_web_address
from experience_runtime.domain.values import read_note, shown

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_SHORTEST_LIFE = timedelta(minutes=1)  # "90" is 90 milliseconds, and seldom meant


class Right(Enum):
    """One thing that somebody may do. Whatever depends on who asks, asks for one of these."""

    MEASURE = "read the metrics"
    READ_RUNS = "read experiences, and the executions they made"
    READ = "read everything"
    TRY = "simulate and check experiences"
    RUN = "run released experiences"
    RUN_DRAFTS = "run drafts"
    TELL = "tell what visitors do, and call integrations that are for sites"
    CALL = "call every integration"
    RELEASE = "release experiences, and go back to an earlier release"
    CHANGE = "change everything"


class Scope(StrEnum):
    """A name for some rights; `permitted` tells which."""

    AUTHOR = "author"
    METRICS = "metrics"
    OPERATOR = "operator"
    SITE = "site"
    VIEWER = "viewer"


_PERMITTED: Mapping[Scope, frozenset[Right]] = {
    Scope.AUTHOR: frozenset({Right.READ_RUNS, Right.TRY, Right.RUN, Right.RUN_DRAFTS}),
    Scope.METRICS: frozenset({Right.MEASURE}),
    Scope.OPERATOR: frozenset(Right),
    Scope.SITE: frozenset({Right.RUN, Right.TELL}),
    Scope.VIEWER: frozenset({Right.MEASURE, Right.READ_RUNS, Right.READ}),
}


def permitted(scopes: Iterable[Scope]) -> frozenset[Right]:
    """The rights of all these scopes together: each adds its own, and none changes another's."""
    return _together(frozenset(scopes))


@cache
def _together(scopes: frozenset[Scope]) -> frozenset[Right]:
    return frozenset[Right]().union(*(_PERMITTED[scope] for scope in scopes))


def scopes_with(right: Right) -> list[Scope]:
    """The scopes that have this right."""
    return [scope for scope in Scope if right in _PERMITTED[scope]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A bearer token as it is kept: its digest, never itself.

    `origins` are those of the pages that may use it in a browser; with none, no page may. `used_at` is right
    to the minute.
    """

    name: str
    digest: bytes
    scopes: tuple[Scope, ...]
    origins: tuple[str, ...]
    created_at: datetime
    expires_at: datetime | None = None
    used_at: datetime | None = None
    note: str = ""

    def is_expired(self, now: datetime) -> bool:
        return self.expires_at is not None and self.expires_at <= now


def new_token(
    name: str,
    scopes: Sequence[Scope],
    origins: Sequence[str],
    *,
    now: datetime,
    expires: str | None = None,
    note: str = "",
) -> tuple[str, Token]:
    """Make a token of 256 random bits; return its text, which is shown once, and what is kept of it."""
    if not _NAME.fullmatch(name):
        raise InvalidParameter(
            f"{shown(name)} cannot be the name of a token; use up to 64 small letters, digits, - and _"
        )
    if not scopes:
        raise InvalidParameter(f"a token needs a scope: {', '.join(Scope)}; write for instance --scope site")
    kept = tuple(scope for scope in Scope if scope in scopes)
    text = f"exp_{kept[0]}_{secrets.token_urlsafe(32)}"
    token = Token(
        name=name,
        digest=token_digest(text),
        scopes=kept,
        origins=tuple(dict.fromkeys(check_origin(origin) for origin in origins)),
        created_at=now,
        expires_at=None if expires is None else _expiry(expires, now),
        note=read_note(note),
    )
    return text, token


def _expiry(text: str, now: datetime) -> datetime:
    example = f'write for instance "90 days" or {iso(now + timedelta(days=90))}'
    try:
        at = read_iso(text).at
    except ValueError:
        try:
            at = now + timedelta(milliseconds=parse_delay(text))
        except (InvalidDelay, OverflowError):
            raise InvalidParameter(
                f"expires {shown(text)} is neither a duration nor an ISO 8601 instant; {example}"
            ) from None
    if at < now + _SHORTEST_LIFE:
        raise InvalidParameter(f"expires {shown(text)} is not a minute from now; {example}")
    return at


def new_secret() -> str:
    """256 random bits, for a session's cookie."""
    return secrets.token_urlsafe(32)


def token_digest(text: str) -> bytes:
    # 256 random bits need no slow hash
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def check_origin(text: str) -> str:
    """Return an origin as browsers spell it, such as `https://shop.example`; else raise InvalidParameter.

    `null` is that of sandboxed frames and of pages out of files, whoever's they are.
    """
    if text == "null":
        return text
    try:
        require_web_address(text)
    except ValueError as problem:
        raise InvalidParameter(f"origin {shown(text)} {problem}") from None
    parts = urlsplit(text)
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise InvalidParameter(
            f"origin {shown(text)} has more than a scheme and a host; write for instance https://shop.example"
        )
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    usual = {"http": 80, "https": 443}[parts.scheme]
    return f"{parts.scheme}://{host}" + ("" if parts.port in (None, usual) else f":{parts.port}")
