"""Receivers that are not well: paced, hanging, resetting, slow, endless, invalid; sockets on loopback.

A `Receiver` keeps a limit, and counts. A `Behaviour` answers a connection whose request was read.
"""

import contextlib
import socket
import struct
import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Protocol

GIGABYTE = 2**30

Behaviour = Callable[[socket.socket, threading.Event, int], None]
"""Of a connection, what is set when the test is over, and the attempt, counted from 1."""


class Limit(Protocol):
    """Lets through, or refuses, what comes at an instant in seconds."""

    def lets_through(self, at: float) -> bool: ...


@dataclass
class Window:
    """So many in any second (in any longer time, below one a second)."""

    per_second: float
    _taken: deque[float] = field(default_factory=deque)

    def lets_through(self, at: float) -> bool:
        seconds = max(1.0, 1 / self.per_second)
        while self._taken and self._taken[0] <= at - seconds:
            self._taken.popleft()
        if len(self._taken) >= self.per_second * seconds:
            return False
        self._taken.append(at)
        return True


@dataclass
class Bucket:
    """A burst at once, refilled so fast."""

    per_second: float
    burst: int
    _left: float = -1.0
    _at: float = 0.0

    def lets_through(self, at: float) -> bool:
        full = self._left < 0
        self._left = self.burst if full else min(self.burst, self._left + (at - self._at) * self.per_second)
        self._at = at
        if self._left < 1:
            return False
        self._left -= 1
        return True


@dataclass
class Changing:
    """One limit for so many that it lets through, then another."""

    first: Limit
    count: int
    then: Limit

    def lets_through(self, at: float) -> bool:
        passed = (self.first if self.count > 0 else self.then).lets_through(at)
        self.count -= passed
        return passed


class Receiver:
    """A server that takes what its limit lets through, by `webhook-id`, and answers the rest with 429."""

    def __init__(self, limit: Limit, *, retry_after: str | None = "1") -> None:
        self.taken: Counter[str] = Counter()
        self.requests = 0
        self.first_at = 0.0  # seconds, monotonic: when the first request came
        self.last_at = 0.0  # and when the last was taken
        self._changed = threading.Condition()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers.get("content-length", "0")))
                passed = receiver._comes(self.headers.get("webhook-id", ""), limit)
                self.send_response(200 if passed else 429)
                if not passed and retry_after is not None:
                    self.send_header("retry-after", retry_after)
                self.send_header("content-length", "0")
                with contextlib.suppress(OSError):  # the sender is gone
                    self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            request_queue_size = 256
            daemon_threads = True

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def _comes(self, webhook_id: str, limit: Limit) -> bool:
        with self._changed:
            now = time.monotonic()
            self.requests += 1
            self.first_at = self.first_at or now
            if not limit.lets_through(now):
                return False
            self.taken[webhook_id] += 1
            self.last_at = now
            self._changed.notify_all()
            return True

    def wait_for(self, count: int, *, seconds: float) -> bool:
        """Wait until so many different executions were taken; False when they were not in time."""
        with self._changed:
            return self._changed.wait_for(lambda: len(self.taken) >= count, seconds)

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def says(status: str, *headers: str, body: bytes = b"") -> Behaviour:
    """Answers with this."""

    def behave(connection: socket.socket, _over: threading.Event, _attempt: int) -> None:
        connection.sendall(_head(status, *headers, f"content-length: {len(body)}") + body)

    return behave


WELL = says("200 OK", body=b"ok")


def asks_to_wait(retry_after: Callable[[], str]) -> Behaviour:
    """Answers 429 to the first attempt, and takes the next."""

    def behave(connection: socket.socket, over: threading.Event, attempt: int) -> None:
        refusal = says("429 Too Many Requests", f"retry-after: {retry_after()}")
        (refusal if attempt == 1 else WELL)(connection, over, attempt)

    return behave


def at_first(behave: Behaviour, attempts: int) -> Behaviour:
    """Behaves so for as many attempts, and well from then on."""

    def behave_at_first(connection: socket.socket, over: threading.Event, attempt: int) -> None:
        (behave if attempt <= attempts else WELL)(connection, over, attempt)

    return behave_at_first


def slow(seconds: float) -> Behaviour:
    """Answers well, after a while."""

    def behave(connection: socket.socket, over: threading.Event, attempt: int) -> None:
        if not over.wait(seconds):
            WELL(connection, over, attempt)

    return behave


def drips(connection: socket.socket, over: threading.Event, _attempt: int) -> None:
    """Answers 200, and never ends its body."""
    connection.sendall(_head("200 OK"))
    while not over.wait(0.02):
        connection.sendall(b"z")


def hangs(_connection: socket.socket, over: threading.Event, _attempt: int) -> None:
    """Never answers."""
    over.wait()


def closes(_connection: socket.socket, _over: threading.Event, _attempt: int) -> None:
    """Ends the connection without an answer."""


def closes_in_the_body(connection: socket.socket, _over: threading.Event, _attempt: int) -> None:
    """Answers 200 with half of the body that it announces."""
    connection.sendall(_head("200 OK", "content-length: 1000") + b"half")


def resets(connection: socket.socket, _over: threading.Event, _attempt: int) -> None:
    """Ends the connection with a reset."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def sends_a_gigabyte(connection: socket.socket, over: threading.Event, _attempt: int) -> None:
    """Answers 200 with a gigabyte."""
    connection.sendall(_head("200 OK", f"content-length: {GIGABYTE}"))
    for _ in range(GIGABYTE // 2**16):
        if over.is_set():
            return
        connection.sendall(b"x" * 2**16)


def sends_something_else(connection: socket.socket, _over: threading.Event, _attempt: int) -> None:
    """Answers with something that is not HTTP."""
    connection.sendall(b"SSH-2.0-OpenSSH_9.7\r\n\r\n")


def _head(status: str, *headers: str) -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status}", *headers, "connection: close", "", ""]).encode()
