"""A relay on loopback: an address that can be moved from one server to another, or fall silent."""

import contextlib
import socket
import threading

_BEFORE_QUERY = 6
"""Bytes of PostgreSQL's message before the text of a statement without a name."""


class Relay:
    """Passes bytes on between its own port and `port`. While silent, it takes them and passes nothing on.

    The connection on which `last_words` are said next is cut off: they are passed on, or held while `holds`,
    and the speaker hears nothing more, which is seen once `may_cut` is set. With `is_closed_by_them`, every
    other connection is cut before that, and whoever comes from then on is sent away.
    """

    def __init__(self, port: int) -> None:
        self.to = port
        self.is_silent = False
        self.last_words = b""
        self.holds = False
        self.is_closed_by_them = False
        self._is_closed = False
        self.have_been_said, self.may_cut = threading.Event(), threading.Event()
        self.may_cut.set()
        self._held: list[tuple[socket.socket, bytes]] = []
        self._unheard: set[socket.socket] = set()
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
        self._is_closed = False
        self.cut()

    def cut(self, *, but: tuple[socket.socket, ...] = ()) -> None:
        with self._mutex:
            for each in self._open:
                if each not in but:
                    with contextlib.suppress(OSError):
                        each.shutdown(socket.SHUT_RDWR)

    def let_go(self) -> None:
        """Pass on what was held."""
        for sink, data in self._held:
            with sink:
                sink.sendall(data)

    def close(self) -> None:
        self.may_cut.set()
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
                if self._is_closed:
                    here.close()
                    continue
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
                if self.last_words and self.last_words in data:
                    self._cut_off(source, sink, data)
                    return  # the other side goes on by itself, and nobody hears it
                if not self.is_silent and sink not in self._unheard:
                    sink.sendall(data)
        for each in (source, sink):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def _cut_off(self, source: socket.socket, sink: socket.socket, data: bytes) -> None:
        words, self.last_words = self.last_words, b""
        if self.is_closed_by_them:
            self._is_closed = True
            self.cut(but=(source, sink))
        self._unheard.add(source)  # before the words are passed on: the answer may be quicker than the cut
        if self.holds:
            begins = max(0, data.index(words) - _BEFORE_QUERY)
            sink.sendall(data[:begins])
            self._held.append((sink.dup(), data[begins:]))
        else:
            sink.sendall(data)
        self.have_been_said.set()
        self.may_cut.wait()
        source.shutdown(socket.SHUT_RDWR)
