"""The heap: every byte the engine can reach, counted, and put back as it was before each run.

The engine cuts what is small from 4 KiB arenas of its own, and asks the five functions here for arenas and
for what is larger. What it takes before `seal` lies in one region; what it takes afterwards lies in libc's
heap and is known by its address. An image is a copy of all that at a moment at which the engine stands
still. Restoring one frees what was taken since and copies the image back: no finalizer, no collection,
nothing walked.

    seal() -> the base image          image() -> the base image, and what was taken since
    restore(an image)                 forget(an image) when another one is restored

Guest code chooses the sizes that reach these functions.
"""

import ctypes
import mmap
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from experience_runtime.sandbox import engine
from experience_runtime.sandbox.engine import Address

ROOM_BYTES = 8 * 1024 * 1024
"""What the engine still gets beyond a run's limit: it stops a run that went past it at its next look at the
clock, and an engine that is refused memory in between may break its own structures."""

_REGION_BYTES = 8 * 1024 * 1024
_LEAST_ARENA, _ARENA_BYTES = 3700, 4096
_MOST_SPARE_ARENAS = 128
_MOST_USED_BLOCK = 128
_OBJECT_BLOCK = 80
_TRIM_FROM_BYTES = 8 * 1024 * 1024
_PAGE = mmap.PAGESIZE

_P = ctypes.c_void_p
_SIZE = ctypes.c_size_t
_LIBC = ctypes.PyDLL(None)


def _function(name: str, result: Any, *arguments: Any) -> Callable[..., Any]:
    function = getattr(_LIBC, name)
    function.restype, function.argtypes = result, arguments
    return function  # type: ignore[no-any-return]  # ctypes types none of its functions


_malloc = _function("malloc", _P, _SIZE)
_free = _function("free", None, _P)
_memset = _function("memset", _P, _P, ctypes.c_int, _SIZE)
_memmove = _function("memmove", _P, _P, _P, _SIZE)
_mprotect = _function("mprotect", ctypes.c_int, _P, _SIZE, ctypes.c_int)
_trim = (
    _function("malloc_trim", ctypes.c_int, _SIZE) if hasattr(_LIBC, "malloc_trim") else None
)  # glibc's alone


@dataclass(frozen=True, slots=True, eq=False)
class Image:
    """The heap at one moment. `blocks`: address, size, address of the copy, and the copy itself."""

    region: Address
    region_copy: object
    sizes: dict[Address, int]
    blocks: tuple[tuple[Address, int, Address, bytes], ...]
    taken_bytes: int
    """What of it was taken since `seal`."""
    held_bytes: int
    """What keeping it costs."""


class Heap:
    """The engine's backing allocator, for one runtime. Nothing here is safe for a second thread."""

    def __init__(self) -> None:
        self._map = _pages(_REGION_BYTES)
        self._region = ctypes.addressof(ctypes.c_char.from_buffer(self._map))
        self._top = self._region
        self._is_sealed = False
        self._sizes: dict[Address, int] = {}  # of what is the image's
        self._live: dict[Address, int] = {}  # of what was taken since
        self._spare: list[Address] = []
        self._holes: dict[int, list[Address]] = {}  # by size: what was given back before `seal`
        self._refuse_from = self._limit = 1 << 62
        self.used_bytes = 0
        """Taken since `seal` and not given back."""
        self.is_over = False
        """Whether more than the limit was asked for since the last `limit`, whatever became of it."""
        self._callbacks = self._callbacks_for_the_engine()
        self.functions = engine.MallocFunctions(*(ctypes.cast(each, _P) for each in self._callbacks))  # type: ignore[arg-type]

    def limit(self, limit_bytes: int) -> None:
        """Count from here: `is_over` once so many bytes are in use, or more are asked for."""
        self._limit = limit_bytes
        self._refuse_from = limit_bytes + ROOM_BYTES
        self.is_over = self.used_bytes >= limit_bytes

    def stock(self, runtime: Address) -> None:
        """Before `seal`: leave room in an arena of every size, of each small one a whole arena more, and of
        that of objects two, so that a short run asks for few. One that is empty would be given back and
        asked for again and again."""
        for block in _ARENA_CLASSES:
            loose: list[Address] = []
            for _ in range(3 if block == _OBJECT_BLOCK else 2 if block <= _MOST_USED_BLOCK else 1):
                blocks = len(self._sizes)
                while len(self._sizes) == blocks:
                    loose.append(engine.malloc_in(runtime, block - 8))
                loose.pop()  # the first of a new arena, which it keeps
            for at in loose:
                engine.free_in(runtime, at)

    def seal(self) -> Image:
        """Make the base image, and make its copy read-only."""
        self._is_sealed = True
        size = -(self._region - self._top) + _PAGE - 1 & -_PAGE
        self._top = self._region + size
        kept = _pages(size)
        at = ctypes.addressof(ctypes.c_char.from_buffer(kept))
        _memmove(at, self._region, size)
        if _mprotect(at, size, mmap.PROT_READ) != 0:
            raise OSError("the image could not be made read-only")
        return Image(at, kept, self._sizes, (), 0, size)

    def image(self) -> Image:
        """Keep the heap as it is; what was taken since `seal` is the image's from here on."""
        copies = [(at, size, ctypes.string_at(at, size)) for at, size in self._live.items()]
        region = ctypes.string_at(self._region, self._top - self._region)
        made = Image(
            _address(region),
            region,
            {**self._sizes, **self._live},
            tuple((at, size, _address(copy), copy) for at, size, copy in copies),
            self.used_bytes,
            len(region) + 2 * self.used_bytes,
        )
        self._live.clear()
        self._sizes = made.sizes
        return made

    def forget(self, image: Image) -> None:
        """Give back what an image holds that is not the one in place."""
        for at, size, _, _ in image.blocks:
            self._give_back(at, size)

    def restore(self, image: Image) -> None:
        """Put the heap back as it was."""
        is_large = self.used_bytes > _TRIM_FROM_BYTES
        for at, size in self._live.items():
            self._give_back(at, size)
        self._live.clear()
        _memmove(self._region, image.region, self._top - self._region)
        for at, size, copy, _ in image.blocks:
            _memmove(at, copy, size)
        self._sizes = image.sizes
        self.used_bytes = image.taken_bytes
        if is_large and _trim is not None:
            _trim(0)

    def differences(self, image: Image) -> list[Address]:
        """Where the heap is not as an image has it: pages of the region, and blocks."""
        size = self._top - self._region
        now, then = ctypes.string_at(self._region, size), ctypes.string_at(image.region, size)
        pages = range(0, size, _PAGE)
        found = [self._region + at for at in pages if now[at : at + _PAGE] != then[at : at + _PAGE]]
        return found + [at for at, length, _, copy in image.blocks if ctypes.string_at(at, length) != copy]

    def places_of(self, text: bytes) -> list[Address]:
        """Where these bytes stand: pages of the region, blocks in use, and arenas kept for later."""
        pages = dict.fromkeys(range(self._region, self._top, _PAGE), _PAGE)
        spare = dict.fromkeys(self._spare, _ARENA_BYTES)
        blocks = {at: size for at, size in self._sizes.items() if not self._region <= at < self._top}
        held = pages | blocks | self._live | spare
        return [at for at, size in held.items() if text in ctypes.string_at(at, size)]

    def _give_back(self, at: Address, size: int) -> None:
        _memset(at, 0, size)  # nothing of a run is found in what the next one is given
        if size == _ARENA_BYTES and len(self._spare) < _MOST_SPARE_ARENAS:
            self._spare.append(at)
        else:
            _free(at)

    def _may_take(self, more: int) -> bool:
        wanted = self.used_bytes + more
        if wanted >= self._limit:
            self.is_over = True
        return wanted < self._refuse_from

    def _take(self, size: int, *, instead_of: int = 0) -> Address:
        """A block of this size, perhaps in the place of one of another; 0 when there is no room."""
        if not self._is_sealed:
            return self._take_of_region(size)
        if _LEAST_ARENA < size <= _ARENA_BYTES:
            size = _ARENA_BYTES
        if not self._may_take(size - instead_of):
            return 0
        at = self._spare.pop() if size == _ARENA_BYTES and self._spare else _malloc(size) or 0
        if at:
            self._live[at] = size
            self.used_bytes += size
        return at

    def _take_of_region(self, size: int) -> Address:
        room = size + 15 & -16
        holes = self._holes.get(room)
        at = holes.pop() if holes else self._top
        if at == self._top:
            if room > self._region + _REGION_BYTES - at:
                return 0
            self._top = at + room
        self._sizes[at] = size
        return at

    # --- the engine's five functions

    def calloc(self, count: int, size: int) -> Address:
        at = self._take(count * size)
        if at:
            _memset(at, 0, count * size)
        return at

    def malloc(self, size: int) -> Address:
        return self._take(size)

    def free(self, at: Address | None) -> None:
        size = self._live.pop(at or 0, None)
        if size is not None:  # what is the image's comes back with it
            self.used_bytes -= size
            self._give_back(at or 0, size)
        elif at and not self._is_sealed:
            self._holes.setdefault(self._sizes.pop(at) + 15 & -16, []).append(at)

    def realloc(self, at: Address | None, size: int) -> Address:
        if at is None:
            return self._take(size)
        if not size:
            self.free(at)
            return 0
        old = self._live.get(at)
        # not libc's realloc: it leaves what the block held where it was
        new = self._take(size, instead_of=old or 0)
        if new:
            _memmove(new, at, min(self._sizes.get(at, 0) if old is None else old, size))
            self.free(at)
        return new

    def usable_size(self, at: Address | None) -> int:
        return self._live.get(at or 0) or self._sizes.get(at or 0, 0)

    def _callbacks_for_the_engine(self) -> tuple[object, ...]:
        # what a run calls some fifty times: one frame each, as far as that goes
        end = engine.end_at_once

        def on_calloc(_opaque: object, count: int, size: int) -> Address:
            try:
                return self.calloc(count, size)
            except BaseException:  # noqa: BLE001 - see `end_at_once`
                return end()

        def on_malloc(_opaque: object, size: int) -> Address:
            try:
                return self._take(size)
            except BaseException:  # noqa: BLE001 - see `end_at_once`
                return end()

        def on_free(_opaque: object, at: Address | None) -> None:
            try:
                self.free(at)
            except BaseException:  # noqa: BLE001 - see `end_at_once`
                end()

        def on_realloc(_opaque: object, at: Address | None, size: int) -> Address:
            try:
                return self.realloc(at, size)
            except BaseException:  # noqa: BLE001 - see `end_at_once`
                return end()

        def on_usable_size(at: Address | None) -> int:
            try:
                return self.usable_size(at)
            except BaseException:  # noqa: BLE001 - see `end_at_once`
                return end()

        return (
            ctypes.PYFUNCTYPE(_P, _P, _SIZE, _SIZE)(on_calloc),
            ctypes.PYFUNCTYPE(_P, _P, _SIZE)(on_malloc),
            ctypes.PYFUNCTYPE(None, _P, _P)(on_free),
            ctypes.PYFUNCTYPE(_P, _P, _P, _SIZE)(on_realloc),
            ctypes.PYFUNCTYPE(_SIZE, _P)(on_usable_size),
        )


def _pages(size: int) -> mmap.mmap:
    return mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)


def _address(copy: bytes) -> Address:
    at = ctypes.cast(ctypes.c_char_p(copy), _P).value
    assert at is not None
    return at


_ARENA_CLASSES = (*range(16, 128, 8), 128, *range(144, 257, 16), *range(288, 513, 32))
