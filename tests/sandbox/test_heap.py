"""The heap: what a run left behind is seen, so that it does not hide the growth of the next."""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="the heap is watched on Linux with glibc only"
)

PROGRAM = """
import ctypes
from experience_runtime.sandbox.heap import Heap

library = ctypes.CDLL(None)
library.malloc.restype = ctypes.c_void_p
library.free.argtypes = (ctypes.c_void_p,)

def fill():
    return [library.malloc(10_000) for _ in range(400)]  # 4 MB

heap = Heap()
heap.begin()
pieces = fill()
pinned = pieces.pop()  # at the top: it keeps what is below it
for piece in pieces:
    library.free(piece)
heap.begin()
left_with_a_pin = heap.stays_grown()
library.free(pinned)
heap.begin()
print(left_with_a_pin, heap.stays_grown())
"""


def test_a_heap_that_something_at_its_top_keeps_from_shrinking_is_seen() -> None:
    ended = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)

    assert ended.stdout.split() == ["True", "False"]
