"""A relay on loopback: an address that can be moved from one server to another, or fall silent."""

import contextlib
import socket
import threading


class Relay:
    """Passes bytes on between its own port and `port`. While silent, it takes them and passes nothing on."""

    def __init__(self, port: int) -> None:
        self.to = port
        self.is_silent = False
        self._mutex = threading.Lock()
        self._open: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._threads: list[threading.Thread] = []
        self._acceptor = threading.Thread(target=self._accept, daemon=True)
        self._acceptor.start()

    def move(self, port: int) -> None:
        """Lead to another server from now on; what is open is cut."""
        self.to = port
        self.cut()

    def cut(self) -> None:
        with self._mutex:
            for each in self._open:
                with contextlib.suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes whoever waits in accept
        self._acceptor.join()
        self.cut()
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        with contextlib.suppress(OSError), self._listener:
            while True:
                here, _ = self._listener.accept()
                thread = threading.Thread(target=self._connect, args=(here,), daemon=True)
                self._threads.append(thread)
                thread.start()

    def _connect(self, here: socket.socket) -> None:
        with here, contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.to)) as there:
            with self._mutex:
                self._open += [here, there]
            back = threading.Thread(target=self._pass_on, args=(there, here), daemon=True)
            back.start()
            self._pass_on(here, there)
            back.join()
            with self._mutex:
                self._open = [each for each in self._open if each not in (here, there)]

    def _pass_on(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if not self.is_silent:
                    sink.sendall(data)
        for each in (source, sink):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
