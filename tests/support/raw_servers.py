"""Raw servers on loopback: sockets that answer with whatever a handler writes."""

import contextlib
import ipaddress
import socket
import threading
from collections.abc import Callable
from datetime import UTC, datetime

NOW = datetime(2026, 3, 6, 17, 30, tzinfo=UTC)
LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128"))

Handler = Callable[[socket.socket, threading.Event], None]


class RawServer:
    """A socket that answers with whatever the handler writes; `over` is set when the test is."""

    def __init__(self, handler: Handler) -> None:
        self.over = threading.Event()
        self.connections = 0
        self._handler = handler
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            if self.over.is_set():
                connection.close()
                return
            self.connections += 1
            thread = threading.Thread(target=self._serve, args=(connection,))
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            self._handler(connection, self.over)

    def close(self) -> None:
        self.over.set()
        with contextlib.suppress(OSError):
            socket.create_connection(self._socket.getsockname(), timeout=1).close()
        self._threads[0].join()
        self._socket.close()
        for thread in self._threads:
            thread.join()


def read_head(connection: socket.socket) -> bytes:
    head = b""
    while b"\r\n\r\n" not in head:
        piece = connection.recv(65536)
        if not piece:
            break
        head += piece
    return head


def says(answer: bytes) -> Handler:
    """A handler that reads the request, answers with these bytes, and closes."""

    def handler(connection: socket.socket, _over: threading.Event) -> None:
        read_head(connection)
        connection.sendall(answer)

    return handler


def drips(start: bytes, piece: bytes) -> Handler:
    """A handler that never stops: one piece every 20 ms."""

    def handler(connection: socket.socket, over: threading.Event) -> None:
        connection.sendall(start)
        while not over.wait(0.02):
            connection.sendall(piece)

    return handler
