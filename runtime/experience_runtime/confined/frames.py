"""Frames: the confined side of the socket; four bytes of length, then that many."""

import os

OUT_OF_MEMORY = 71
"""A process's exit status when Python itself found no more room."""

BROKEN = 72
"""A process's exit status after an exception that nobody expected."""


class Frames:
    """Reads and writes whole frames. The process ends when the other side is gone."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._left = b""

    def read(self) -> bytes:
        left = self._left
        if len(left) < 4:
            left = self._more(left, 4)
        size = int.from_bytes(left[:4], "big") + 4
        if len(left) < size:
            left = self._more(left, size)
        self._left = left[size:]
        return left[4:size]

    def write(self, *parts: bytes) -> None:
        length = sum(map(len, parts)).to_bytes(4, "big")
        # a long text by itself: joining would hold it twice
        joined = [b"".join((length, *parts))] if sum(map(len, parts)) < 65536 else [length, *parts]
        for part in joined:
            rest = memoryview(part)
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]

    def _more(self, left: bytes, count: int) -> bytes:
        parts, held = [left], len(left)
        while held < count:
            part = os.read(self._descriptor, max(65536, min(count - held, 1 << 20)))
            if not part:
                os._exit(0)  # the host is gone
            parts.append(part)
            held += len(part)
        return b"".join(parts)
