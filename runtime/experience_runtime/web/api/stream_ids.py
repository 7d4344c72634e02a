"""The ids of the stream's events: positions, or what only this database's servers can read as one.

The difference of two positions counts the changes between them. Who does not see every change is given ids
that say nothing: no two are alike, also of one position.
"""

import base64
import hmac
import secrets
import struct
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from experience_runtime.domain.errors import InvalidParameter
from experience_runtime.domain.instants import to_ms
from experience_runtime.domain.values import shown
from experience_runtime.engine.feed import KEPT
from experience_runtime.engine.ports import Clock

MOST_DIGITS = 18

_PLAIN = struct.Struct(">QQ")  # the position, and when it was told in milliseconds
_NONCE_BYTES = 8
_TAG_BYTES = 8
_MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """How far somebody has read. `text`: as they said it. `is_old`: changes after it may be kept no more."""

    position: int
    text: int | str
    is_old: bool = False


class Ids(Protocol):
    """Ids for one kind of reader."""

    def write(self, position: int) -> str: ...

    def read(self, text: str) -> Mark:
        """InvalidParameter for what is no id."""
        ...


class Positions:
    """The positions themselves."""

    def write(self, position: int) -> str:
        return str(position)

    def read(self, text: str) -> Mark:
        if text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS:
            return Mark(position=int(text), text=int(text))
        raise _refused(text)


class Sealed:
    """Positions under a secret."""

    def __init__(self, secret: str, clock: Clock) -> None:
        self._secret = secret.encode()
        self._clock = clock

    def write(self, position: int) -> str:
        nonce = secrets.token_bytes(_NONCE_BYTES)
        body = nonce + self._mixed(nonce, _PLAIN.pack(position, self._now()))
        return base64.urlsafe_b64encode(body + self._tag(body)).decode()

    def read(self, text: str) -> Mark:
        if text == "0":
            return Mark(position=0, text=text)
        try:
            whole = base64.b64decode(text.encode("ascii"), altchars=b"-_", validate=True)
        except ValueError:
            whole = b""
        body, tag = whole[:-_TAG_BYTES], whole[-_TAG_BYTES:]
        if len(body) != _NONCE_BYTES + _PLAIN.size or not hmac.compare_digest(tag, self._tag(body)):
            raise _refused(text)
        position, at = _PLAIN.unpack(self._mixed(body[:_NONCE_BYTES], body[_NONCE_BYTES:]))
        # whether one that was told lately is still kept would depend on changes that nobody here may see
        return Mark(position=position, text=text, is_old=self._now() - at > KEPT // _MILLISECOND)

    def _now(self) -> int:
        return max(0, to_ms(self._clock.now()))

    def _mixed(self, nonce: bytes, plain: bytes) -> bytes:
        stream = hmac.digest(self._secret, b"stream" + nonce, "sha256")
        return bytes(a ^ b for a, b in zip(plain, stream[: len(plain)], strict=True))

    def _tag(self, body: bytes) -> bytes:
        return hmac.digest(self._secret, b"tag" + body, "sha256")[:_TAG_BYTES]


def _refused(text: str) -> InvalidParameter:
    return InvalidParameter(
        f"Last-Event-ID {shown(text)} is not the id of an event of this stream; send the last one, or none"
    )
