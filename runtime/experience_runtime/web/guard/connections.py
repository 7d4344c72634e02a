"""Connections: how long a request may take to arrive, and how many one address may keep open.

uvicorn bounds neither a head nor a body that arrives slowly, and answers nobody once there are many
connections. Here whoever has been sending a request for longest gives way to the next who comes.
"""

import asyncio
import ipaddress
import json
import re
import resource
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any, ClassVar

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from experience_runtime.domain.errors import RateLimited
from experience_runtime.web.guard.middleware import ALIVE
from experience_runtime.web.guard.pressure import Lag
from experience_runtime.web.guard.problems import problem_document

HEAD_SECONDS = 10.0
"""How long a connection may stay open without a whole head of a request on it."""

BODY_SECONDS = 30.0
"""How long a body may take to arrive."""

_GRACE = 5.0
"""BodyLimit comes first, and answers with a problem document."""

STALLED_SECONDS = 30.0
"""How long an answer may lie here because its receiver reads none of it."""

MOST_CONNECTIONS = 1000

_OTHER_FILES = 256
"""Descriptors that are left for the database, the sandboxes, and calls that are under way."""

_LATE = (
    b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Type: text/plain\r\nContent-Length: 36\r\n"
    b"\r\nthe request took too long to arrive\n"
)

_IS_UP = f"GET {ALIVE} ".encode()
_LENGTH = re.compile(rb"\ncontent-length:[ \t]*([0-9]{1,9})[ \t]*(?:\r|$)", re.IGNORECASE)
_CHUNKED = re.compile(rb"\ntransfer-encoding:", re.IGNORECASE)
_LINGER_SECONDS = 1.0
"""For the rest of a request that was refused: closed at once, its sender might see no answer."""


def _come_again() -> bytes:
    detail = "more requests come than are answered here; try again"
    body = json.dumps(problem_document(503, RateLimited.code, detail)).encode()
    head = (
        "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nRetry-After: 1\r\n"
        f"Content-Type: application/problem+json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


class Gate:
    """The connections of one server. `most` in all, `per_address` of one address; 0: as many as it likes.

    Past either, the oldest connection on which no whole request has arrived is closed. `deadlines`: in
    seconds, of a head, of a body, and of a receiver that reads none of its answer. `is_full` tells whether
    the application would refuse the next request.
    """

    def __init__(
        self,
        *,
        most: int,
        per_address: int,
        is_proxy: Callable[[str], bool] = lambda _: False,
        deadlines: tuple[float, float, float] = (HEAD_SECONDS, BODY_SECONDS + _GRACE, STALLED_SECONDS),
        lag: Lag | None = None,
        is_full: Callable[[], bool] = lambda: False,
    ) -> None:
        self._lag = lag or Lag()
        self._is_full = is_full
        self.head_seconds, self.body_seconds, self.stalled_seconds = deadlines
        self._most = most
        self._per_address = per_address
        self._is_proxy = is_proxy
        self._all: dict[GuardedProtocol, str] = {}  # oldest first
        self._of: dict[str, dict[GuardedProtocol, None]] = {}

    def __len__(self) -> int:
        return len(self._all)

    def is_behind(self) -> bool:
        """Whether so much comes that it is refused unread."""
        return self._is_full() or self._lag.is_behind(self._pressing)

    def _pressing(self) -> int:
        """How many are worked on, or were not read yet: not half requests, nor those that are idle."""
        return sum(not (each.was_read and each.is_arriving) for each in self._all)

    def enter(self, connection: "GuardedProtocol") -> None:
        self._lag.watch(self.__len__)
        address = connection.client[0] if connection.client else ""
        neighbours = neighbourhood(address)
        mine = self._of.setdefault(neighbours, {})
        if self._per_address and len(mine) >= self._per_address and not self._is_proxy(address):
            self._make_room(mine)
        if len(self._all) >= self._most:
            self._make_room(self._all)
        self._all[connection] = neighbours
        self._of.setdefault(neighbours, {})[connection] = None

    def leave(self, connection: "GuardedProtocol") -> None:
        address = self._all.pop(connection, None)
        if address is not None:
            mine = self._of[address]
            del mine[connection]
            if not mine:
                del self._of[address]

    def _make_room(self, among: Iterable["GuardedProtocol"]) -> None:
        for each in among:
            if each.is_arriving:
                self.leave(each)  # here: its loss is told only when the loop comes round
                each.transport.abort()
                return


class GuardedProtocol(H11Protocol):
    """uvicorn's HTTP/1.1 with deadlines. `guarded` makes the class that a server takes."""

    gate: ClassVar[Gate]

    _phase: Any = None
    _deadline: asyncio.TimerHandle | None = None
    _stalled: asyncio.TimerHandle | None = None
    _is_refused = False
    was_read = False
    """Whether anything that came on it was read."""

    @property
    def is_arriving(self) -> bool:
        """Whether no request is worked on: the next one, or the rest of one, is yet to come."""
        return self.conn.their_state in (h11.IDLE, h11.SEND_BODY)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.gate.enter(self)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        self._phase = None
        _stop(self._deadline)
        _stop(self._stalled)
        self.gate.leave(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self.was_read = True
        if self._is_refused:
            return
        if self.gate.is_behind() and self._begins(data):
            self._refuse(data)
            return
        super().data_received(data)
        self._watch()

    def _begins(self, data: bytes) -> bool:
        """Whether a request begins here; not the one that asks whether the process is up."""
        is_idle = self.conn.our_state is h11.IDLE and self.conn.their_state is h11.IDLE
        return is_idle and not self.conn.trailing_data[0] and not data.startswith(_IS_UP)

    def _refuse(self, data: bytes) -> None:
        self._is_refused = True
        _stop(self._deadline)
        self.transport.write(_come_again())
        seconds = 0.0 if is_whole(data) else _LINGER_SECONDS
        self._deadline = self.loop.call_later(seconds, self.transport.close)

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._watch()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._stalled = self.loop.call_later(self.gate.stalled_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        _stop(self._stalled)
        super().resume_writing()

    def _watch(self) -> None:
        """Start the clock of what is arriving, once; stop it when that is here."""
        phase = self.conn.their_state
        if phase is self._phase:
            return
        self._phase = phase
        _stop(self._deadline)
        if phase is h11.IDLE:
            self._deadline = self.loop.call_later(self.gate.head_seconds, self._late)
        elif phase is h11.SEND_BODY:
            self._deadline = self.loop.call_later(self.gate.body_seconds, self.transport.abort)

    def _late(self) -> None:
        if self.conn.trailing_data[0] and not self.transport.is_closing():
            self.transport.write(_LATE)
        self.transport.close()


def is_whole(data: bytes) -> bool:
    """Whether all of a request is here."""
    head, ended, body = data.partition(b"\r\n\r\n")
    if not ended or _CHUNKED.search(head):
        return False
    length = _LENGTH.search(head)
    return length is None or len(body) >= int(length[1])


def guarded(gate: Gate) -> type[GuardedProtocol]:
    """Make the protocol of a server whose connections go through this gate: `uvicorn.Config(http=…)`."""

    class Guarded(GuardedProtocol):
        pass

    Guarded.gate = gate
    return Guarded


@lru_cache(maxsize=1024)
def neighbourhood(address: str) -> str:
    """What counts as one address: of IPv6 a network of 64 bits, which one customer is given."""
    try:
        known = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if known.version == 4:
        return address
    if known.ipv4_mapped is not None:
        return str(known.ipv4_mapped)
    return str(ipaddress.ip_network((known, 64), strict=False))


def room_for_connections() -> int:
    """How many connections this process has descriptors for; asks the system for more where it may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_CONNECTIONS + _OTHER_FILES
    if soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return max(16, min(MOST_CONNECTIONS, soft - _OTHER_FILES))


def _stop(timer: asyncio.TimerHandle | None) -> None:
    if timer is not None:
        timer.cancel()
