"""The heap: every byte counted, and nothing of a run left when it is put back."""
# Guest code reads better unbroken.
# ruff: noqa: E501

import ctypes
import json
import mmap
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from experience_runtime.confined.cpu_timer import CpuTimer
from experience_runtime.domain.visitors import Visitor
from experience_runtime.running.boot import Situation, boot
from experience_runtime.running.guest import Limits
from experience_runtime.sandbox import engine_context
from experience_runtime.sandbox.engine_context import (
    MOST_SCRIPTS,
    SCRIPTS_BYTES,
    EngineContext,
    RunLimits,
    Taken,
)
from experience_runtime.sandbox.heap import ROOM_BYTES, Heap, Image
from experience_runtime.sandbox.prelude_files import compile_prelude
from experience_runtime.scripts.bundle import Bundle
from experience_runtime.scripts.loading import load_experience

NOW = datetime(2026, 3, 6, 16, 30, tzinfo=UTC)
LIMITS = RunLimits(turn_seconds=5, run_seconds=5, memory_bytes=32 << 20)
MARK = "mark" + "-of-run-" + "a"  # in two parts: this text is no script's

# Every place a run can reach: each keeps the mark, or something with the mark in it.
FILL = """
module.exports = function (options) {
  const mark = options.data.mark
  if (mark === undefined) return look(options)
  leak = mark
  globalThis['key' + mark] = mark
  for (const holder of [Object, Array, Function, String, Number, Boolean, Symbol, Date, RegExp, Promise, Map, Set, WeakMap, Error, JSON, Math, Reflect, Intl, console, performance, globalThis.BigInt, ArrayBuffer, Uint8Array, Proxy]) {
    holder[mark] = mark
    if (holder.prototype) holder.prototype['p' + mark] = mark
  }
  for (const made of [[].keys(), new Map().keys(), new Set().keys(), ''[Symbol.iterator](), 'a'.matchAll(/a/g), (function * () {})(), (async function * () {})(), (async () => {}), new Uint8Array(1)]) Object.getPrototypeOf(made)[mark] = mark
  Symbol.for(mark)
  Object.prototype[Symbol.for(mark)] = mark
  new RegExp(mark).exec('x' + mark + 'y')
  kept = [new Map([[mark, mark]]), new Set([mark]), Symbol(mark), mark.repeat(200), new Function('return "' + mark + '"'), new Error(mark), new TextEncoder_(mark)]
  closure = () => mark
  generator = (function * () { yield mark; yield mark })()
  generator.next()
  weak = new WeakRef({ mark })
  registry = new FinalizationRegistry(() => mark)
  registry.register({ mark }, mark)
  proxy = new Proxy({ mark }, { get: () => mark })
  late = new Promise(() => {}).then(() => mark)
  Promise.reject(new Error(mark))
  options.state.set(mark, mark)
  options.cookies.set(mark, mark)
  options.uv.on(mark, () => mark)
  options.uv.emit(mark, { mark })
  options.uv.onEventSent(mark, () => mark)
  options.onRemove(() => mark)
  options.log(mark).info(mark, { mark })
  require('./utils').mark = mark
  options.integration('echo', { key: mark }).schedule({ mark }, { delay: 1 })
  setTimeout(() => mark, 5)
  setInterval(() => mark, 5)
  queueMicrotask(() => mark)
  Math.random()
  Error.stackTraceLimit = 3
  delete globalThis.WeakSet
  for (let i = 0; i < 500; i++) globalThis['many' + i] = { [mark + i]: mark + i }
  sized = []
  for (let n = 1; n <= 40; n++) sized.push(mark.repeat(n)) // one for the free places of each size
  function TextEncoder_ (text) { const bytes = new Uint8Array(1000); for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i); return bytes }
}
function look (options) {
  const seen = new Set()
  const found = []
  const walk = (value, path, depth) => {
    if (typeof value === 'string') { if (value.includes('mark' + '-of-run-')) found.push(path); return }
    if (value === null || (typeof value !== 'object' && typeof value !== 'function') || seen.has(value) || depth > 6) return
    seen.add(value)
    for (const key of Reflect.ownKeys(value)) {
      if (String(key).includes('mark' + '-of-run-')) found.push(path + '.' + String(key))
      const each = Object.getOwnPropertyDescriptor(value, key)
      walk(each.value, path + '.' + String(key), depth + 1)
    }
    walk(Object.getPrototypeOf(value), path + '.__proto__', depth + 1)
  }
  walk(globalThis, 'globalThis', 0)
  walk(options, 'options', 0)
  walk([[].keys(), new Map().keys(), 'a'.matchAll(/a/g), (async function * () {})(), async () => {}], 'made', 0)
  options.log.info('looked', { found, chance: Math.random(), limit: Error.stackTraceLimit, set: typeof WeakSet, utils: require('./utils').mark })
}
"""


class Box:
    """An engine in this very process, its heap in reach."""

    def __init__(self, folder: Path, text: str = FILL) -> None:
        prelude = Path(engine_context.__file__).parent / "prelude"
        self.context = EngineContext(compile_prelude(str(prelude)), CpuTimer())
        self.heap: Heap = self.context._heap
        (folder / "variation.js").write_text(text, encoding="utf-8")
        (folder / "utils.js").write_text("exports.a = 1", encoding="utf-8")
        self.script = Bundle(load_experience(folder))
        self.begin(None)

    def begin(self, mark: str | None) -> Taken:
        """Begin a run and take its first turn."""
        data = {} if mark is None else {"mark": mark}
        situation = Situation(visitor=Visitor(id="ada"), data=data, seed=1)
        began = boot(self.script, situation, ("echo",), NOW, Limits())
        key = began.script.decode()
        if not self.context.knows(key):
            self.context.load(key, began.files, LIMITS)
            self.image: Image = self.context._scripts[key].image
        self.context.begin(key, LIMITS)
        return self.context.first_turn(key, began.text)


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Box:
    return Box(tmp_path_factory.mktemp("experience"))


def looked(taken: Taken) -> object:
    (line,) = [item for item in said(taken)["outbox"] if item["kind"] == "log"]
    return line["metadata"]


def said(taken: Taken) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(taken.asked.partition(b"\n")[0])
    return found


def test_a_run_that_fills_every_place_leaves_nothing_to_the_next(box: Box) -> None:
    before = box.begin(None)
    box.context.clear()
    filled = box.begin(MARK)
    assert (filled.limit, said(filled)["error"]) == (None, None)
    assert len(box.heap.places_of(MARK.encode())) >= 20

    box.context.clear()

    assert box.heap.places_of(MARK.encode()) == []
    assert box.heap.differences(box.image) == []
    after = box.begin(None)
    assert looked(after) == looked(before)
    assert after.asked == before.asked


def test_a_restore_that_forgets_one_page_is_found(box: Box) -> None:
    box.context.clear()
    box.begin(MARK)
    first, end = box.heap._region, box.heap._top
    pages = [at for at in box.heap.differences(box.image) if first <= at < end]
    left = {at: ctypes.string_at(at, 4096) for at in pages}
    marked = {at for at in box.heap.places_of(MARK.encode()) if at in left}
    assert len(pages) > len(marked) > 10

    for forgotten in pages:
        box.context.clear()
        ctypes.memmove(forgotten, left[forgotten], 4096)

        assert box.heap.differences(box.image) == [forgotten]
        assert box.heap.places_of(MARK.encode()) == ([forgotten] if forgotten in marked else [])
        box.heap.restore(box.image)


SHORT = """
module.exports = function (options) {
  const kept = []
  for (let size = 1; size < 90; size += 8) for (let n = 0; n < 15; n++) kept.push('x'.repeat(size - 1) + n)
  for (let n = 0; n < 20; n++) kept.push({ ['name' + n]: n }, { n }, [n], () => n)
  kept.length = 0
}
"""


def test_a_short_run_finds_room_in_the_image(tmp_path: Path) -> None:
    short = Box(tmp_path, SHORT)
    short.context.clear()
    taken: list[int] = []
    take = short.heap._take

    def counted(size: int, *, instead_of: int = 0) -> int:
        taken.append(size)
        return take(size, instead_of=instead_of)

    short.heap._take = counted  # type: ignore[method-assign]
    assert said(short.begin(None))["error"] is None

    # an arena that comes and goes, or a table that grows, would do so in every run
    assert [size for size in taken if 3700 < size <= 4096 or size > 8000] == []


def test_the_base_image_cannot_be_written_to(box: Box) -> None:
    base = box.context._base
    maps = Path("/proc/self/maps").read_text(encoding="ascii").splitlines()
    found = []
    for line in maps:
        ends, rights = line.split()[:2]
        first, end = (int(each, 16) for each in ends.split("-"))
        if first <= base.region < end:
            found.append(rights)

    assert found == ["r--p"]


class TestAccounting:
    @pytest.fixture
    def heap(self) -> Heap:
        heap = Heap()
        heap.malloc(1)
        heap.seal()
        heap.limit(1 << 20)
        return heap

    def test_what_is_taken_and_given_back_is_counted(self, heap: Heap) -> None:
        first, second = heap.malloc(1000), heap.malloc(5000)
        assert heap.used_bytes == 6000

        first = heap.realloc(first, 3000)
        assert heap.used_bytes == 8000

        heap.free(first)
        heap.free(second)
        assert heap.used_bytes == 0
        assert not heap.is_over

    def test_a_size_that_no_machine_has_is_refused_and_noted(self, heap: Heap) -> None:
        takes: tuple[Callable[[], int], ...] = (
            lambda: heap.malloc(2**64 - 1),
            lambda: heap.calloc(2**63, 2**63),
            lambda: heap.realloc(heap.malloc(10), 2**64 - 1),
            lambda: heap.realloc(None, 2**40),
        )
        for take in takes:
            heap.limit(1 << 20)
            assert take() == 0
            assert heap.is_over

    def test_the_limit_is_the_first_byte_that_is_too_many(self, heap: Heap) -> None:
        heap.malloc((1 << 20) - 5000)
        assert not heap.is_over

        heap.malloc(5000)
        assert heap.is_over

    def test_the_engine_is_given_a_little_more_to_end_with(self, heap: Heap) -> None:
        assert heap.malloc(1 << 20)
        assert heap.is_over
        assert heap.malloc(ROOM_BYTES - 5000)
        assert heap.malloc(5000) == 0

    def test_growing_keeps_the_bytes_and_takes_them_off_the_old_place(self, heap: Heap) -> None:
        at = heap.malloc(6000)
        ctypes.memmove(at, b"secret", 6)

        grown = heap.realloc(at, 60_000)

        assert ctypes.string_at(grown, 6) == b"secret"
        assert heap.places_of(b"secret") == [grown]

    def test_an_address_that_is_not_known_is_left_alone(self, heap: Heap) -> None:
        heap.free(12345)
        heap.free(None)

        assert heap.usable_size(12345) == 0


class TestScripts:
    """Images of scripts are kept within a budget of bytes, the latest used the longest."""

    FILES = json.dumps(
        {"modules": [["./data.json", "json", "data.json", json.dumps("x" * 3_000_000)]], "global": None}
    )

    @pytest.fixture
    def context(self) -> EngineContext:
        prelude = Path(engine_context.__file__).parent / "prelude"
        return EngineContext(compile_prelude(str(prelude)), CpuTimer())

    def test_the_one_that_was_used_longest_ago_is_dropped_first(self, context: EngineContext) -> None:
        loaded: list[str] = []
        while all(context.knows(key) for key in loaded):
            loaded.append(f"script {len(loaded)}")
            context.load(loaded[-1], self.FILES.encode(), LIMITS)
            if context.knows(loaded[0]):
                context.begin(loaded[0], LIMITS)
                context.clear()

        assert [key for key in loaded if not context.knows(key)] == ["script 1"]
        held = [each.image.held_bytes for each in context._scripts.values()]
        assert sum(held) <= SCRIPTS_BYTES < sum(held) + max(held)
        assert len(held) < MOST_SCRIPTS, "it was the bytes"

    def test_what_a_dropped_one_held_is_given_back(self, context: EngineContext) -> None:
        def load(numbers: range) -> int:
            for number in numbers:
                context.load(f"script {number}", self.FILES.encode(), LIMITS)
            return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * mmap.PAGESIZE

        full = load(range(30))

        assert load(range(30, 60)) - full < SCRIPTS_BYTES, "thirty more of 3 MB each"

    def test_one_that_alone_is_larger_than_the_budget_stays_while_it_is_in_use(
        self, context: EngineContext
    ) -> None:
        large = self.FILES.replace("x" * 3_000_000, "x" * 14_000_000)
        context.load("small", self.FILES.encode(), LIMITS)
        context.load("large", large.encode(), replace(LIMITS, memory_bytes=64 << 20))

        assert (context.knows("small"), context.knows("large")) == (False, True)
