"""Frames: bytes with their length before them, over a socket that may say anything."""

import socket
import struct

from experience_runtime.clocks import monotonic

MOST_BYTES = 16 * 1024 * 1024
_LENGTH = struct.Struct(">I")


def send(connection: socket.socket, frame: bytes) -> None:
    connection.sendall(_LENGTH.pack(len(frame)) + frame)


def receive(connection: socket.socket, *, ends_at: float | None = None) -> bytes:
    """The next frame. EOFError when the other side is gone, TimeoutError at `ends_at` (monotonic)."""
    (length,) = _LENGTH.unpack(_exactly(connection, _LENGTH.size, ends_at))
    if length > MOST_BYTES:
        raise EOFError(f"a frame of {length} bytes; the most is {MOST_BYTES}")
    return _exactly(connection, length, ends_at)


def _exactly(connection: socket.socket, count: int, ends_at: float | None) -> bytes:
    read = bytearray()
    while len(read) < count:
        if ends_at is not None:
            left = ends_at - monotonic()
            if left <= 0:
                raise TimeoutError
            connection.settimeout(left)
        try:
            some = connection.recv(min(count - len(read), 65536))
        except ConnectionError as error:
            raise EOFError from error
        if not some:
            raise EOFError
        read += some
    return bytes(read)
