# Guest code reads better unbroken.
# ruff: noqa: E501
"""Isolation: nothing crosses from one run to the next, and nothing of ours is in reach of a guest."""

import json

import pytest
from experience_runtime.sandbox.pool import Pool

from tests.conftest import Lab


@pytest.fixture
def one_worker(lab: Lab) -> Lab:
    """A lab whose runs all use the same process."""
    lab.pool = Pool(spares=1)
    return lab


LEFT_BEHIND = {
    "a global": ("leak = 1; var x; globalThis.y = 2", "typeof leak + typeof y"),
    "a prototype": (
        "Object.prototype.leak = 1; Array.prototype.push = null",
        "typeof {}.leak + [].push.name",
    ),
    "a replaced global": (
        "JSON = Math = null; Date.now = () => 1",
        "typeof JSON + Math.PI.toFixed(0) + (Date.now() > 1)",
    ),
    "state": ("options.state.set('a', 1)", "options.state.get('a')"),
    "a timer": ("setTimeout(() => options.log.info('from before'), 5); throw 1", "1"),
    "a listener": ("options.uv.on('a', () => options.log.info('from before'))", "options.uv.emit('a')"),
    "an event": ("options.uv.emit('a')", "options.uv.events.length"),
    "a module": ("require('./utils').n++", "require('./utils').n"),
    "a symbol": ("Symbol.for('a').leak = Object.prototype[Symbol.for('a')] = 1", "({})[Symbol.for('a')]"),
    "a promise in waiting": ("(async () => { for (;;) await null })()", "1"),
    "a promise that settles late": (
        "let done; late = new Promise(r => { done = r }); late.then(() => options.log.info('from before'))\n"
        "setTimeout(done, 5); options.integration('echo').cancel({ key: 'a' }).then(done); throw 1",
        "typeof late",
    ),
    "a microtask": (
        "queueMicrotask(() => { for (;;) {} }); queueMicrotask(() => options.log.info('from before'))",
        "1",
    ),
    "a finalizer": (
        "kept = new FinalizationRegistry(() => { leak = 1; options.log.info('from before') })\n"
        "held = {}; held.self = held; kept.register(held, 1)",
        "typeof leak + typeof kept",
    ),
    "a weak reference": ("const o = {}; o.o = o; weak = new WeakRef(o)", "typeof weak"),
    "the limit of stacks": (
        "Error.stackTraceLimit = 0; Error.leak = 1",
        "[Error.stackTraceLimit, Error.leak, new Error('x').stack.length > 0].join()",
    ),
    "the prototype of functions": (
        "Function.prototype.leak = 1; (async () => {}).constructor.prototype.leak = 1",
        "[(() => 1).leak, (async () => {}).leak].join()",
    ),
    "the prototype of iterators": (
        "Object.getPrototypeOf([].keys()).next = () => ({ done: true })",
        "[...[1, 2]].length",
    ),
    "the registry of symbols": (
        "Symbol.for('leak'); Object.prototype[Symbol.iterator] = 1",
        "({})[Symbol.iterator]",
    ),
    "a frozen language": (
        "Object.freeze(Object.prototype); Object.freeze(globalThis)",
        "(() => { x = 1; return x })()",
    ),
    "a class with private parts": (
        "keep = class { #a = 1; static b = new keep2() }; class keep2 {}",
        "typeof keep",
    ),
    "chance": ("Math.random(); Math.random()", "Math.random()"),
    "the clock's origin": (
        "performance.now(); Date.prototype.leak = 1",
        "[performance.now(), new Date().leak].join()",
    ),
    "a memory that was full": (
        "try { a = []; for (;;) a.push(new Array(1000).fill(1)) } catch (e) { throw 1 }",
        "new Array(1e5).fill(1).length",
    ),
    "a frame of a generator": ("g = (function* () { yield 1 })(); g.next()", "typeof g"),
    "a call without its answer": ("options.integration('echo').execute(1); throw 1", "1"),
}


@pytest.mark.parametrize(("first", "second"), LEFT_BEHIND.values(), ids=LEFT_BEHIND.keys())
def test_nothing_is_left_behind(one_worker: Lab, first: str, second: str) -> None:
    utils = "exports.n = 0"
    wrap = "module.exports = function (options) {{ {} }}"
    fresh = {"utils.js": utils, "variation.js": wrap.format(f"options.log.info({second})")}
    before = one_worker.run(fresh)
    before_log = [line["message"] for line in before.log]

    one_worker.run({"utils.js": utils, "variation.js": wrap.format(first)})
    after = one_worker.run(fresh)

    assert [line["message"] for line in after.log] == before_log
    assert after.outcome == before.outcome == "ran"
    one_worker.pool.close()


def test_the_runs_of_this_module_share_a_process(one_worker: Lab) -> None:
    first = one_worker.pool.process_ids()
    for _ in range(3):
        one_worker.says("options.log.info(1)")

    assert one_worker.pool.process_ids() == first
    one_worker.pool.close()


POISON = {
    "nothing": "",
    "setters on Array.prototype": (
        "for (let i = 0; i < 9; i++) Object.defineProperty(Array.prototype, i, { set (v) { stolen.push(v) }, get () { return 'p' } })"
    ),
    "setters on Object.prototype": (
        "for (const n of ['text', 'value', 'kind', 'id', 'code', 'next', 'up', 'toJSON', 'resolve', 'path', 'get', 'set', 'writable'])\n"
        "  Object.defineProperty(Object.prototype, n, { __proto__: null, set (v) { stolen.push(v) }, get () {}, configurable: true })"
    ),
    "Object.prototype.toJSON": "Object.prototype.toJSON = () => 'stolen'; Array.prototype.toJSON = () => 'stolen'",
    "Promise": (
        "Promise.prototype.then = function () { return this }; Promise.prototype.catch = null; Promise.resolve = null\n"
        "globalThis.Promise = function () {}"
    ),
    "JSON": "JSON.stringify = () => 'stolen'; JSON.parse = () => 'stolen'; delete globalThis.JSON",
    "Reflect and Object": (
        "Reflect.apply = () => 'stolen'; Object.keys = () => ['stolen']; Object.defineProperty = o => o; Object.create = () => ({})\n"
        "Reflect = undefined; Object.setPrototypeOf = o => o; Object.getPrototypeOf = () => null"
    ),
    "Function.prototype": "Function.prototype.apply = Function.prototype.call = Function.prototype.bind = () => 'stolen'",
    "iteration": (
        "Array.prototype[Symbol.iterator] = function* () { yield 'stolen' }\n"
        "String.prototype[Symbol.iterator] = function* () { yield 'stolen' }"
    ),
    "String.prototype": (
        "for (const n of Object.getOwnPropertyNames(String.prototype)) if (n !== 'length' && n !== 'constructor') String.prototype[n] = () => 'stolen'"
    ),
    "Array.prototype": (
        "for (const n of Object.getOwnPropertyNames(Array.prototype)) if (n !== 'length' && n !== 'constructor') Array.prototype[n] = () => 'stolen'"
    ),
    "RegExp.prototype": "RegExp.prototype.exec = RegExp.prototype.test = () => { throw 1 }",
    "Number and isFinite": "Number.isFinite = () => false; Number.prototype.toString = () => 'stolen'; isFinite = null",
    "Array.isArray": "Array.isArray = () => false; Array[Symbol.species] = null",
    "Error": "Error.captureStackTrace = null; Error.prototype.name = 'stolen'; globalThis.Error = null",
    "eval": "globalThis.eval = () => 'stolen'",
    "globalThis": "for (const n of Object.getOwnPropertyNames(globalThis)) try { if (n !== 'stolen') globalThis[n] = null } catch (e) {}",
}


@pytest.mark.parametrize("poison", POISON.values(), ids=POISON.keys())
def test_a_guest_that_poisons_the_language_still_makes_a_right_request(lab: Lab, poison: str) -> None:
    report = lab.run(
        "module.exports = function (options) {\n"
        "  stolen = []\n"
        "  const echo = options.integration('echo', { key: { k: 1 } })\n"
        "  const stolenIndex = stolen.length\n"
        f"  {poison}\n"
        "  echo.schedule({ a: [1, { b: 'text', 'c-d': [true, null] }] }, { delay: 1000, window: { day: 'friday' } })\n"
        "  options.log.info('said', { a: [1] })\n"
        "}"
    )

    (execution,) = lab.executions()
    assert json.loads(execution.payload) == {"a": [1, {"b": "text", "c-d": [True, None]}]}
    assert execution.key == '{"k":1}'
    assert report.calls[0]["ok"] is True
    said = next(line for line in report.log if line["logger"] == "variation")
    assert (said["message"], said["metadata"]) == ("said", {"a": [1]})


OUT_OF_REACH = {
    "the hook that is given the stack": (
        "try { Error.prepareStackTrace = (e, frames) => { leak = frames } } catch (e) {}\n"
        "try { null.x } catch (e) { e.stack }; options.log.info(typeof leak)",
        "undefined",
    ),
    "the caller of a callback": (
        "let seen = 'nothing'; function spy () { try { seen = String(spy.caller) } catch (e) { seen = 'refused' } }\n"
        "options.uv.on('a', spy); options.uv.emit('a'); options.log.info(/kit/.test(seen))",
        "false",
    ),
    "the caller through arguments": (
        "let seen; function spy () { try { seen = arguments.callee.caller } catch (e) { seen = null } }\n"
        "options.uv.on('a', spy); options.uv.emit('a'); options.log.info(seen == null)",
        "true",
    ),
    "the real Date": (
        "options.log.info(new Date().constructor === Date, Date.prototype.constructor === Date,\n"
        "  Object.getOwnPropertyNames(Date.prototype).every(n => Date.prototype[n] !== Date || n === 'constructor'))",
        "true true true",
    ),
    "a global of the prelude": (
        "options.log.info(['kit', 'std', 'os', 'scriptArgs', 'print', 'process', 'require', 'module', 'fetch', 'WebAssembly', 'Worker']\n"
        "  .filter(n => n in globalThis).join())",
        "",
    ),
    "the lists a call is made of": (
        "const seen = []; const real = Array.prototype.push; Array.prototype.push = function (...a) { seen[seen.length] = a; return real.apply(this, a) }\n"
        "echo.schedule({ a: [1] }, { delay: 1 }); options.uv.emit('a'); options.log.info(seen.length)",
        "0",
    ),
}


@pytest.mark.parametrize(("body", "said"), OUT_OF_REACH.values(), ids=OUT_OF_REACH.keys())
def test_it_is_out_of_reach(lab: Lab, body: str, said: str) -> None:
    assert lab.says(body) == [said]


def test_there_is_no_import(lab: Lab) -> None:
    for body in (
        "await import('fs')",
        "await import('./utils.js')",
        "await import('data:text/javascript,1')",
    ):
        assert lab.does(body).outcome == "failed"


def test_code_made_at_run_time_stands_in_the_same_scope_and_under_the_same_limits(lab: Lab) -> None:
    assert lab.says("options.log.info(new Function('return typeof kit')(), (0, eval)('typeof kit'))") == [
        "undefined undefined"
    ]
    problem = lab.fails("module.exports = () => new Function('for (;;) {}')()")
    assert problem.code == "limit_cpu"


def test_two_guests_run_beside_each_other(lab: Lab) -> None:
    first = lab.open("module.exports = o => { n = 1; o.uv.on('a', () => o.log.info(n++)) }")
    second = lab.open("module.exports = o => { n = 10; o.uv.on('a', () => o.log.info(n++)) }")
    first.start()
    second.start()
    for run in (first, second, first):
        run.receive("a", {})

    assert [line["message"] for line in first.finish().log] == ["1", "2"]
    assert [line["message"] for line in second.finish().log] == ["10"]
