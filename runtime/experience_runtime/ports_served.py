"""What is served needs of the world: who may call, and what visitors did. Each docstring is a contract."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from experience_runtime.domain.access import Token
from experience_runtime.domain.events import Conversion, VisitorEvent


class Tokens(Protocol):
    """Who may call from outside, and the sessions of pages. Digests only; every method is one transaction."""

    def put(self, token: Token) -> None:
        """Keep a new token; Conflict when one of its name is kept."""
        ...

    def any(self) -> bool: ...

    def all(self) -> Sequence[Token]:
        """All of them, by name."""
        ...

    def token(self, digest: bytes) -> Token | None: ...

    def revoke(self, name: str) -> bool:
        """Forget a token and end its sessions; False when there is none of this name."""
        ...

    def begin_session(self, digest: bytes, *, token: bytes, now: datetime, expires_at: datetime) -> None:
        """Begin a session of the token with this digest; nothing when it is gone. Ended ones are dropped."""
        ...

    def session(self, digest: bytes, *, now: datetime) -> Token | None:
        """The token of a session that has not ended."""
        ...

    def end_session(self, digest: bytes) -> None: ...


class Events(Protocol):
    """What visitors did."""

    def record(self, event: VisitorEvent) -> None:
        """Keep an event; of each visitor the newest 1,000 stay."""
        ...

    def of(self, visitor: str, *, limit: int) -> Sequence[VisitorEvent]:
        """The last events of a visitor, newest first."""
        ...

    def conversions(self, visitor: str, *, limit: int) -> Sequence[Conversion]:
        """The last conversions of a visitor, newest first."""
        ...
