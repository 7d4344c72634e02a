"""Limits: no script can crash, hang or slow the host, and each limit has its own code."""

import json
import os
import resource
import signal
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from experience_runtime.clocks import monotonic
from experience_runtime.domain.experience import SourceText
from experience_runtime.domain.visitors import Visitor
from experience_runtime.running.guest import Limits, Problem
from experience_runtime.running.run import Situation
from experience_runtime.runtime import Runtime
from experience_runtime.sandbox.pool import Pool
from experience_runtime.scripts.bundle import Bundle
from experience_runtime.settings.load import Settings

from tests.conftest import Lab

pytestmark = [
    pytest.mark.xdist_group("limits"),  # one after the other
    pytest.mark.skipif(sys.platform != "linux", reason="reads the CPU time of a process from /proc"),
]

ROOM_SECONDS = 0.15  # beyond the limit itself
HANG_SECONDS = 60.0


def variation(body: str) -> str:
    return f"module.exports = function variation (options) {{\n{body}\n}}"


def timed(lab: Lab, body: str) -> tuple[Problem, float]:
    """The problem a body ends with, and the CPU seconds it cost the machine.

    Not real seconds: the machine may be doing other things. Those are only watched for a hang.
    """
    bundle = lab.bundle(variation(body))
    lab.run(Bundle(replace(bundle.experience, variation=SourceText("variation.js", variation("")))))
    (process_id,) = lab.pool.process_ids()
    lab.pool.in_force()
    of_process, of_dead = _cpu_seconds(process_id), _cpu_seconds_of_dead()
    began = monotonic()

    problem = lab.fails(bundle)

    assert monotonic() - began < HANG_SECONDS
    dead = _cpu_seconds_of_dead() - of_dead
    if process_id in lab.pool.process_ids():
        return problem, _cpu_seconds(process_id) - of_process
    return problem, dead - of_process


def _cpu_seconds(process_id: int) -> float:
    fields = Path(f"/proc/{process_id}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _cpu_seconds_of_dead() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


LOOPS = {
    "a loop": "while (true) {}",
    "a loop that catches": "for (;;) { try { while (true) {} } catch (e) {} finally { continue } }",
    "a chain of promises": "(function again () { Promise.resolve().then(again) })()",
    "an await loop": "(async () => { for (;;) await null })()",
    "a chain of microtasks": "(function again () { queueMicrotask(again) })()",
    "a regular expression": "/^(a+)+$/.test('a'.repeat(40) + 'b')",
    "a getter": "JSON.stringify({ get a () { for (;;) {} } })",
    "a string that grows by little": "let s = ''; for (;;) s += 'abcdefgh'",
    "toString": "String({ toString () { for (;;) {} } })",
    "a payload's getter": "options.integration('echo').schedule({ get a () { for (;;) {} } })",
    "a payload's toJSON": "options.integration('echo').schedule({ toJSON () { for (;;) {} } })",
}
NATIVE_LOOPS = {
    "concat of a huge spreadable": "[].concat({ length: 2 ** 53 - 1, [Symbol.isConcatSpreadable]: true })",
    "sort of a sparse array": "const a = []; a.length = 1e9; a[1e9 - 1] = 0; a.sort()",
    "splice in a loop": "const a = []; a.length = 4294967295; for (;;) a.splice(0, 1)",
    "indexOf in a huge list": "Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1)",
}
BOMBS = {
    "lists": "const a = []; for (;;) a.push(new Array(1000).fill(1))",
    "lists held by a global": "a = []; for (;;) a.push(new Array(1000).fill(1))",
    "small objects": "const a = []; for (;;) a.push({})",
    "small objects held by a global": "a = []; for (;;) a.push({})",
    "strings": "const a = []; for (let s = 'x'.repeat(1000); ;) a.push(s += s.slice(0, 1000))",
    "symbols": "const a = []; for (;;) a.push(Symbol('x'.repeat(100)))",
    "buffers": "const a = []; for (;;) a.push(new ArrayBuffer(1e6))",
    "one huge buffer": "new ArrayBuffer(1e9)",
    "typed arrays": "const a = []; for (;;) a.push(new Float64Array(1e5))",
    "closures": "const a = []; const f = () => { const x = {}; return () => x }; for (;;) a.push(f())",
    "a listener": "options.uv.on('x', () => { a = []; for (;;) a.push({}) }); options.uv.emit('x')",
    "a timer": "setTimeout(() => { const a = []; for (;;) a.push({}) })",
}
THROWN = {
    "deep recursion": "(function f () { f() })()",
    "deep recursion through toString": "const a = { toString () { return '' + a } }; String(a)",
    "a string too long": "for (let s = 'x'; ;) s += s",
    "an object with a hostile toString": "throw { toString () { while (true) {} } }",
    "an error whose message is a getter that loops": (
        "throw Object.defineProperty(new Error(), 'message', { get () { while (true) {} } })"
    ),
    "an error whose message throws": (
        "const e = new Error('x'); Object.defineProperty(e, 'message', { get () { throw e } }); throw e"
    ),
    "a proxy whose every trap loops": (
        "throw new Proxy({}, { get () { for (;;) {} }, getPrototypeOf () { for (;;) {} } })"
    ),
    "a proxy whose traps throw": "throw new Proxy({}, { getPrototypeOf () { throw 1 }, get () { throw 2 } })",
    "a revoked proxy": "const { proxy, revoke } = Proxy.revocable({}, {}); revoke(); throw proxy",
    "null": "throw null",
    "undefined": "throw undefined",
    "a symbol": "throw Symbol('x')",
    "half a surrogate pair": "throw new Error('\\ud800')",
    "a thenable that loops": "return { then () { throw new Proxy({}, { ownKeys () { for (;;) {} } }) } }",
    "a microtask": "queueMicrotask(() => { throw new Error('m') })",
    "a blocking wait": "Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)",
}


@pytest.fixture
def lab(lab: Lab) -> Iterator[Lab]:
    """A lab with one warm worker of its own."""
    lab.pool = Pool(spares=1)
    yield lab
    lab.pool.close()


@pytest.mark.parametrize("body", LOOPS.values(), ids=LOOPS.keys())
def test_a_loop_ends_with_limit_cpu_within_its_limit(lab: Lab, body: str) -> None:
    problem, seconds = timed(lab, body)

    assert problem.code == "limit_cpu"
    assert problem.message.startswith("a turn may use 250 ms of CPU, a run 1 s; look for a loop")
    assert seconds < lab.limits.cpu_turn_seconds + ROOM_SECONDS
    assert lab.says("options.log.info('next')") == ["next"]


@pytest.mark.parametrize("body", NATIVE_LOOPS.values(), ids=NATIVE_LOOPS.keys())
def test_a_loop_that_cannot_be_interrupted_costs_its_process_and_nothing_else(lab: Lab, body: str) -> None:
    problem, seconds = timed(lab, body)

    assert problem.code == "limit_cpu"
    assert seconds < lab.limits.cpu_turn_seconds + ROOM_SECONDS
    assert lab.says("options.log.info('next')") == ["next"]


@pytest.mark.parametrize("body", BOMBS.values(), ids=BOMBS.keys())
def test_a_bomb_ends_with_limit_memory(lab: Lab, body: str) -> None:
    problem, seconds = timed(lab, body)

    assert problem.code == "limit_memory"
    assert problem.message == "a run may use 32 MiB of memory; keep less at a time"
    assert seconds < lab.limits.cpu_turn_seconds + ROOM_SECONDS
    assert lab.says("options.log.info('next')") == ["next"]


@pytest.mark.parametrize("body", THROWN.values(), ids=THROWN.keys())
def test_a_hostile_thrown_value_is_a_script_error(lab: Lab, body: str) -> None:
    problem, seconds = timed(lab, body)

    assert problem.code == "script_error"
    assert problem.message
    assert seconds < lab.limits.cpu_turn_seconds + ROOM_SECONDS
    assert lab.says("options.log.info('next')") == ["next"]


def test_a_run_may_spread_its_cpu_over_turns_up_to_its_own_limit(lab: Lab) -> None:
    turn = "const until = i => { let n = 0; while (n < 4e6) n++ }"
    problem = lab.fails(variation(f"{turn}; setInterval(() => until(), 10)"))

    assert problem.code == "limit_cpu"


def test_the_author_is_shown_the_loop(lab: Lab) -> None:
    problem = lab.fails(
        variation("  const count = () => {\n    while (true) { Math.abs(1) }\n  }\n  count()")
    )

    # the engine knows the last call, or the function's beginning when it stopped before one
    assert problem.file == "variation.js"
    assert problem.line in (2, 3)
    assert problem.stack.startswith("    at count (variation.js:")
    assert "    at variation (variation.js:5:" in problem.stack


def test_a_bomb_that_the_author_catches_ends_the_run_all_the_same(lab: Lab) -> None:
    report = lab.does(
        "options.log.info('before')\n"
        "try { const a = []; for (;;) a.push(new Array(1e3).fill(1)) } catch (e) { console.log('caught') }\n"
        "options.integration('echo').schedule(1, { delay: 1 })"
    )

    assert report.error is not None
    assert report.error.code == "limit_memory"
    assert report.log[0]["message"] == "before"
    assert lab.executions() == []


def test_a_run_that_used_much_memory_leaves_none_of_it_to_the_next(lab: Lab) -> None:
    for _ in range(3):
        assert lab.says("kept = new Uint8Array(28e6).fill(1); options.log.info(kept.length)") == ["28000000"]


def test_recursion_that_the_author_catches_is_no_failure(lab: Lab) -> None:
    said = lab.says("const f = () => f(); try { f() } catch (e) { options.log.info(e.name) }")

    assert said == ["RangeError"]


def test_one_call_more_than_may_wait_ends_the_run_and_none_of_its_turn_is_stored(lab: Lab) -> None:
    schedule = "options.integration('echo').schedule({ i }, { delay: 1000 })"
    problem = lab.fails(variation(f"for (let i = 0; i <= 1000; i++) {schedule}"))

    assert problem.code == "limit_calls"
    assert problem.message == "1000 calls may wait for an answer at a time; await some first"
    assert lab.executions() == []


@pytest.mark.parametrize(
    "body",
    [
        "for (;;) options.uv.emit('x', { a: 'é'.repeat(10000) })",
        "for (let i = 0; ; i++) globalThis['x' + i] = i",
        "const m = new Map(); for (let i = 0; ; i++) m.set(i, String(i))",
        "for (let i = 0; ; i++) setTimeout(() => i, i)",
    ],
)
def test_a_slow_bomb_ends_with_whichever_limit_comes_first(lab: Lab, body: str) -> None:
    problem, seconds = timed(lab, body)

    assert problem.code in ("limit_cpu", "limit_memory", "limit_events")
    assert seconds < lab.limits.cpu_turn_seconds + ROOM_SECONDS


def test_a_thousand_calls_may_wait(lab: Lab) -> None:
    schedule = "options.integration('echo').schedule({ i }, { delay: 1000 })"

    lab.run(variation(f"for (let i = 0; i < 1000; i++) {schedule}"))

    assert len(lab.executions()) == 1000


def test_a_flood_of_log_ends_the_run(lab: Lab) -> None:
    report = lab.run(variation("for (;;) options.log.info('x'.repeat(1000))"))

    assert report.error is not None
    assert report.error.code == "limit_log"
    assert report.error.message == "a run may write 1024 KiB of log; write less of it"
    assert sum(len(line["message"]) for line in report.log) <= 1024 * 1024 + 200


def test_a_flood_of_log_that_the_author_catches_ends_the_run_all_the_same(lab: Lab) -> None:
    report = lab.run(
        variation("for (let i = 0; i < 3e3; i++) try { console.log('x'.repeat(1000)) } catch (e) {}")
    )

    assert report.error is not None
    assert report.error.code == "limit_log"


def test_a_lone_interval_ends_with_limit_wall(tmp_path: Path, lab: Lab) -> None:
    bundle = lab.bundle(variation("setInterval(() => {}, 1)"))
    with Runtime(Settings(database=f"sqlite:///{tmp_path / 'experience.db'}")) as runtime:
        report = runtime.run(bundle, Situation(visitor=Visitor(id=None)), Limits(wall_seconds=0.2))

    assert report.error is not None
    assert report.error.code == "limit_wall"
    assert report.error.message.startswith("a run may last 0.2 s")


def test_awaiting_one_call_after_the_other_for_ever_ends_with_a_limit(tmp_path: Path, lab: Lab) -> None:
    bundle = lab.bundle(
        "module.exports = async function (options) {\n"
        "  for (;;) await options.integration('webhook').schedule({ a: 1 }, { key: 'k', delay: '1 day' })\n}"
    )
    began = monotonic()
    with Runtime(Settings(database=f"sqlite:///{tmp_path / 'experience.db'}")) as runtime:
        report = runtime.run(bundle, Situation(visitor=Visitor(id=None)), Limits(wall_seconds=0.5))

    assert report.error is not None
    assert report.error.code == "limit_wall"
    assert monotonic() - began < HANG_SECONDS


@pytest.mark.parametrize("body", [LOOPS["a loop"], NATIVE_LOOPS["sort of a sparse array"], BOMBS["lists"]])
def test_what_a_limit_says_names_nothing_of_ours(lab: Lab, body: str) -> None:
    report = lab.run(variation(body))
    said = json.dumps(report.document([]))

    for internal in ("<input>", "kit", "worker", "prelude", "SIGPROF", "quickjs", "/runtime/"):
        assert internal not in said


HARMLESS_LAST_VALUES = ["10n", "10n ** 5000n", "Symbol()", "'\\ud800'", "new Proxy({}, {})", "-0", "'a\\0b'"]
LONG_TEXT = "let s = 'x'.repeat(10000); for (let i = 0; i < 10; i++) s = s + s; s"


@pytest.mark.parametrize("script", [*HARMLESS_LAST_VALUES, LONG_TEXT])
def test_the_last_value_of_the_global_script_does_not_matter(lab: Lab, script: str) -> None:
    report = lab.run({"global.js": script, "variation.js": variation("")})

    assert (report.outcome, report.error) == ("ran", None)


@pytest.mark.parametrize(
    ("thrown", "said"),
    [
        ("{ toString () { throw 1 } }", '{"toString":"[Function]"}'),
        ("Symbol()", "a Symbol"),
        ("new Proxy({}, {})", "{}"),
        ("new Proxy({}, { ownKeys () { throw 1 } })", "a value that cannot be read"),
        ("null", "null"),
    ],
)
def test_what_the_global_script_throws_is_logged_in_words(lab: Lab, thrown: str, said: str) -> None:
    report = lab.run({"global.js": f"throw {thrown}", "variation.js": variation("")})
    (line,) = report.log

    assert report.outcome == "ran"
    assert line["message"] == said


def test_empty_lines_of_log_count_as_what_they_cost(lab: Lab) -> None:
    report = lab.run(variation("for (;;) console.log()"))

    assert report.error is not None
    assert report.error.code in ("limit_log", "limit_cpu")
    assert len(report.log) < 1024 * 1024 / 80


def test_a_list_of_little_things_is_as_large_as_its_text(lab: Lab) -> None:
    said = lab.says("options.log.info(new Array(2e4).fill(null)); options.log.info(new Array(2e4).fill([]))")

    assert said == ['"[too large]"'] * 2


def test_many_short_turns_use_the_cpu_of_the_run_all_the_same(lab: Lab) -> None:
    lab.limits = replace(lab.limits, cpu_run_seconds=0.3)
    problem, seconds = timed(lab, "let n = 0; setInterval(() => { n++ }, 1)")

    assert problem.code == "limit_cpu"
    assert seconds < lab.limits.cpu_run_seconds + ROOM_SECONDS


def test_a_worker_that_dies_while_it_clears_a_run_away_costs_the_next_run_nothing(lab: Lab) -> None:
    lab.says("options.log.info(1)")
    lab.pool.in_force()
    (worker,) = lab.pool.process_ids()
    os.kill(worker, signal.SIGSTOP)  # it will not clear away what comes next
    run = lab.pool.open(lab.limits)
    run.close()
    os.kill(worker, signal.SIGKILL)

    assert lab.says("options.log.info('next')") == ["next"]
    assert worker not in lab.pool.process_ids()


def test_a_limit_of_the_module_texts_is_told_like_any_other(lab: Lab) -> None:
    problem = lab.fails({"variation.js": variation(""), "triggers.js": "while (true) {}"})

    assert (problem.code, problem.file, problem.line) == ("limit_cpu", "triggers.js", 1)
