"""Access: who may do what from outside; tokens as they are made, and as they are kept."""

import hashlib
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from urllib.parse import urlsplit

from experience_runtime.domain.errors import InvalidParameter
from experience_runtime.domain.urls import require_web_address
from experience_runtime.domain.values import shown

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


class Scope(StrEnum):
    """An operator may do everything; the others what their routes say."""

    AUTHOR = "author"
    OPERATOR = "operator"
    SITE = "site"


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A bearer token as it is kept: its digest, never itself.

    `origins` are those of the pages that may use it in a browser; with none, no page may.
    """

    name: str
    digest: bytes
    scopes: tuple[Scope, ...]
    origins: tuple[str, ...]
    created_at: datetime


def new_token(
    name: str, scopes: Sequence[Scope], origins: Sequence[str], *, now: datetime
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
    )
    return text, token


def new_secret() -> str:
    """256 random bits, for a session's cookie."""
    return secrets.token_urlsafe(32)


def token_digest(text: str) -> bytes:
    # 256 random bits need no slow hash
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def check_origin(text: str) -> str:
    """Return an origin as browsers spell it, such as `https://shop.example`; else raise InvalidParameter."""
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
