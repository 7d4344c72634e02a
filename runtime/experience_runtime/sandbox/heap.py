"""The heap: how far the process's has grown, which the engine does not tell.

An engine that has no room left for even an Error throws null, and an author may throw null too: the growth of
the heap tells the two apart. On Linux with glibc; elsewhere nothing is known to have grown.
"""

import ctypes
import sys

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8
_LARGEST_MMAP_THRESHOLD = 32 * 1024 * 1024
_MOST_LEFT_BYTES = 1024 * 1024


class Heap:
    """Watches one run's heap. Made before confinement: the library is looked up here."""

    def __init__(self) -> None:
        self._library = ctypes.CDLL(None) if sys.platform == "linux" else None
        self._start = self._first = 0
        if self._library is not None:
            self._library.mallopt(_M_ARENA_MAX, 1)
            # one heap, which takes large pieces too and does not shrink by itself: its end is then its peak
            self._library.mallopt(_M_TRIM_THRESHOLD, -1)
            self._library.mallopt(_M_MMAP_THRESHOLD, _LARGEST_MMAP_THRESHOLD)
            self._library.sbrk.restype = ctypes.c_void_p
            self._library.sbrk.argtypes = (ctypes.c_ssize_t,)

    def begin(self) -> None:
        """Give back what the last run left, and count from here."""
        if self._library is not None:
            if self._end() > self._first:
                self._library.malloc_trim(0)
            self._start = self._end()
            self._first = self._first or self._start

    def stays_grown(self) -> bool:
        """Whether a run left so much that `grown_bytes` of the next one would hide in it."""
        return self._start - self._first > _MOST_LEFT_BYTES

    def grown_bytes(self) -> int:
        """How far the heap has grown since `begin`, at its peak."""
        return self._end() - self._start if self._library is not None else 0

    def _end(self) -> int:
        assert self._library is not None
        return self._library.sbrk(0) or 0
