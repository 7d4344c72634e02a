"""Frames: the confined side of the socket; four bytes of length, then that many."""

import os


class Frames:
    """Length-prefixed frames over one descriptor."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def read(self) -> bytes:
        """Wait for one frame; the process ends when the host is gone."""
        return self._read_exactly(int.from_bytes(self._read_exactly(4), "big"))

    def write(self, *parts: bytes) -> None:
        # one by one: joining them would hold a long text twice
        for part in (sum(map(len, parts)).to_bytes(4, "big"), *parts):
            rest = memoryview(part)
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]

    def _read_exactly(self, count: int) -> bytes:
        parts = []
        while count:
            part = os.read(self._descriptor, min(count, 1 << 20))
            if not part:
                os._exit(0)
            parts.append(part)
            count -= len(part)
        return b"".join(parts)
