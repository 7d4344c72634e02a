"""Receivers that are not well: paced, hanging, resetting, slow, endless, invalid; servers on loopback."""

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
    """A server that counts what it took by `webhook-id`, and what it refused. Its address is `url`."""

    def __init__(self, behave: Callable[["Receiver", BaseHTTPRequestHandler], None]) -> None:
        self.over = threading.Event()
        self.taken: Counter[str] = Counter()
        self.refused = 0
        self.requests = 0
        self.last_at = 0.0  # seconds, monotonic: when the last was taken
        self.first_at = 0.0
        self._changed = threading.Condition()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers.get("content-length", "0")))
                with receiver._changed:
                    receiver.requests += 1
                    receiver.first_at = receiver.first_at or time.monotonic()
                with contextlib.suppress(OSError):
                    behave(receiver, self)

            def log_message(self, *_: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            request_queue_size = 256
            daemon_threads = True

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def take(self, request: BaseHTTPRequestHandler) -> None:
        """Answer 200, and count it."""
        with self._changed:
            self.taken[request.headers.get("webhook-id", "")] += 1
            self.last_at = time.monotonic()
            self._changed.notify_all()
        answer(request, 200, b"ok")

    def refuse(self, request: BaseHTTPRequestHandler, retry_after: str | None) -> None:
        """Answer 429, and count it."""
        with self._changed:
            self.refused += 1
        answer(request, 429, b"slow down", {} if retry_after is None else {"retry-after": retry_after})

    def wait_for(self, count: int, *, seconds: float) -> bool:
        """Wait until so many different executions were taken; False when they were not in time."""
        with self._changed:
            return self._changed.wait_for(lambda: len(self.taken) >= count, seconds)

    def close(self) -> None:
        self.over.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def answer(
    request: BaseHTTPRequestHandler, status: int, body: bytes, headers: dict[str, str] | None = None
) -> None:
    """Send an answer that is whole."""
    request.send_response(status)
    for name, value in {**(headers or {}), "content-length": str(len(body))}.items():
        request.send_header(name, value)
    request.end_headers()
    request.wfile.write(body)


def well() -> Receiver:
    """Takes everything."""
    return Receiver(Receiver.take)


def paced(limit: Limit, *, retry_after: str | None = "1") -> Receiver:
    """Takes what the limit lets through, and answers the rest with 429."""
    mutex = threading.Lock()

    def behave(receiver: Receiver, request: BaseHTTPRequestHandler) -> None:
        with mutex:
            passed = limit.lets_through(time.monotonic())
        if passed:
            receiver.take(request)
        else:
            receiver.refuse(request, retry_after)

    return Receiver(behave)


def hanging() -> Receiver:
    """Reads every request, and never answers."""

    def behave(receiver: Receiver, _: BaseHTTPRequestHandler) -> None:
        receiver.over.wait()

    return Receiver(behave)


def slow(seconds: float) -> Receiver:
    """Takes everything, each after a while."""

    def behave(receiver: Receiver, request: BaseHTTPRequestHandler) -> None:
        if not receiver.over.wait(seconds):
            receiver.take(request)

    return Receiver(behave)


def resetting() -> Receiver:
    """Ends every connection with a reset."""

    def behave(_: Receiver, request: BaseHTTPRequestHandler) -> None:
        request.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        request.close_connection = True
        request.connection.close()

    return Receiver(behave)


def endless() -> Receiver:
    """Answers 200 with a gigabyte."""

    def behave(receiver: Receiver, request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("content-length", str(GIGABYTE))
        request.end_headers()
        for _ in range(GIGABYTE // 2**16):
            if receiver.over.is_set():
                return
            request.wfile.write(b"x" * 2**16)

    return Receiver(behave)


def invalid() -> Receiver:
    """Answers with something that is not HTTP."""

    def behave(_: Receiver, request: BaseHTTPRequestHandler) -> None:
        request.wfile.write(b"SSH-2.0-OpenSSH_9.7\r\n\r\n")
        request.close_connection = True

    return Receiver(behave)
