# Guest code reads better unbroken.
# ruff: noqa: E501
"""What `require` gives besides the folder's own files. Source: reference/experiences#what-can-be-required."""

import hashlib
import json

import pytest

from tests.conftest import Lab


def test_qubit_poller_calls_back_with_its_targets(lab: Lab) -> None:
    said = lab.says(
        "const poller = require('@qubit/poller'); const { log } = options\n"
        "window.a = { b: 'ab' }; setTimeout(() => { window.late = 3 }, 700)\n"
        "log.info(typeof poller(['window.a.b', () => 2, 'window.late'], (...all) => log.info(all.join())))\n"
        "poller('window.a.b', (...all) => log.info(all.join()))\n"
        "const cancel = poller('window.late', () => log.info('never')); cancel(); cancel()"
    )

    assert said == ["function", "ab", "ab,2,3"]


def test_qubit_poller_that_finds_nothing_says_so_and_lets_the_run_end(lab: Lab) -> None:
    files = {
        "triggers.js": "const poller = require('@qubit/poller'); module.exports = (options, cb) => { poller('window.nothing', cb) }",
        "variation.js": "",
    }
    report = lab.run(files)

    assert report.outcome == "pending"
    assert [(line["level"], line["logger"], line["message"]) for line in report.log] == [
        ("warn", "poller", "Poller: could not resolve window.nothing"),
        ("warn", "triggers", "pending: triggers never called back"),
    ]


def test_qubit_poller_gives_a_promise(lab: Lab) -> None:
    said = lab.says(
        "const poller = require('@qubit/poller'); const { log } = options; let n = 0\n"
        "poller('window.self').then(self => log.info(self === window))\n"
        "log.info(await poller([() => { if (++n < 3) throw new Error('x'); return n }]).then(list => list[0]))\n"
        "await poller('window.nothing', { timeout: 100 }).catch(e => log.info(e.code))\n"
        "await poller(() => { throw new Error('y') }, { stopOnError: true }).catch(e => log.info(e.message))"
    )

    assert said == ["true", "3", "EPOLLER:TIMEOUT", "y"]


def test_qubit_poller_tells_of_a_callback_that_throws(lab: Lab) -> None:
    problem = lab.fails(
        "module.exports = () => require('@qubit/poller')('window.self', () => {\n  throw new Error('x') })"
    )

    assert (problem.code, problem.line) == ("script_error", 2)


@pytest.mark.parametrize("name", ["@qubit/utils", "@qubit/utils/dom"])
def test_qubit_utils(lab: Lab, name: str) -> None:
    said = lab.says(
        f"const {{ onEvent, restoreAll, replace }} = require('{name}')(); const {{ log }} = options\n"
        "const target = { addEventListener (...all) { log.info('add', all[0]) }, removeEventListener (...all) { log.info('remove', all[0]) } }\n"
        "onEvent(target, 'a', () => {})(); onEvent(target, 'b', () => {}); onEvent(target, 'c', () => {})\n"
        "options.onRemove(restoreAll); restoreAll(); restoreAll()\n"
        "try { replace({}, {}) } catch (e) { log.info(e.message) }"
    )

    assert said[:-1] == ["add a", "remove a", "add b", "add c", "remove b", "remove c"]
    assert said[-1].startswith("@qubit/utils replace needs a DOM")


SLAPDASH = {
    "_.map([1, 2], n => n * 2)": [2, 4],
    "_.filter([1, 2, 3], n => n > 1)": [2, 3],
    "_.reduce([1, 2, 3], (a, b) => a + b, 10)": 16,
    # on odd input, what slapdash 1.3.3 does in node; JSON has null for what is no value
    "_.reduce([1, 2, 3], (a, b) => a + b)": None,
    "_.reduce([], (a, b) => a + b) === undefined": True,
    "_.reduce([1, 2], (a, b) => String(a) + b, undefined)": "undefined12",
    "_.reduce('abc', (a, b) => a + b, '')": "abc",
    "_.reduce({ a: 1 }, (a, b) => a + b, 5)": 5,
    "_.pluck([{ a: 1 }, null, undefined, {}, 0], 'a')": [1, None, None, None, None],
    "_.pluck('ab', 'length')": [1, 1],
    "_.pluck({ a: 1 }, 'a')": [],
    "_.pluck([{ a: { b: 1 } }], 'a.b')": [None],
    "[_.keys('ab'), _.keys(5), _.values('ab')]": [["0", "1"], [], ["a", "b"]],
    "[_.objectMap(null, n => n), _.objectReduce(undefined, (a, b) => a + b, 0), _.assign({}, null)]": [
        {},
        0,
        {},
    ],
    "[_.map(5, n => n), _.slice('ab', 1), _.some(5, n => n)]": [[], ["b"], False],
    "[null, undefined].map(v => ['map', 'each', 'filter', 'find', 'some', 'every', 'reduce', 'indexOf', 'unique', 'slice', 'pluck', 'invoke', 'keys', 'values', 'objectEach'].filter(n => { try { _[n](v, x => x); return true } catch (e) { return !(e instanceof TypeError) } }))": [
        [],
        [],
    ],
    "[null, undefined].map(v => { try { _.isMatch(v, { a: 1 }) } catch (e) { return e.name } })": [
        "TypeError"
    ]
    * 2,
    "_.find([{ a: 1 }, { a: 2 }], _.matches({ a: 2 }))": {"a": 2},
    "_.some([0, 1], _.identity)": True,
    "_.every([0, 1], _.identity)": False,
    "_.indexOf([5, 6], 6)": 1,
    "_.unique([1, 2, 1])": [1, 2],
    "_.pluck([{ a: 1 }, { a: 2 }], 'a')": [1, 2],
    "_.invoke([1, 2], 'toFixed', 1)": ["1.0", "2.0"],
    "_.slice([1, 2, 3, 4], 1, -1)": [2, 3],
    "_.keys({ a: 1, b: 2 })": ["a", "b"],
    "_.values({ a: 1, b: 2 })": [1, 2],
    "_.assign({ a: 1 }, { b: 2 }, null, { a: 3 })": {"a": 3, "b": 2},
    "_.pick({ a: 1, b: 2 }, ['a', 'c'])": {"a": 1},
    "_.get({ a: [{ b: 7 }] }, 'a.0.b')": 7,
    "_.get({ a: null }, 'a.b.c') === undefined": True,
    "_.get({ a: 0 }, 'a')": 0,
    "_.set({}, 'a.b', 1)": {"a": {"b": 1}},
    "_.objectMap({ a: 1 }, n => n + 1)": {"a": 2},
    "_.objectMap.asArray({ a: 1 }, (n, name) => name + n)": ["a1"],
    "_.objectReduce({ a: 1, b: 2 }, (sum, n) => sum + n, 0)": 3,
    "(() => { const seen = []; _.objectEach({ a: 1 }, (v, k) => seen.push(k, v)); _.each([3], (v, i) => seen.push(v, i)); return seen })()": [
        "a",
        1,
        3,
        0,
    ],
    "_.bind(function (b) { return this.a + b }, { a: 1 }, 2)()": 3,
    "[_.isArray([]), _.isObject({}), _.isObject(null), _.not(0), _.isMatch({ a: 1, b: 2 }, { a: 1 })]": [
        True,
        True,
        False,
        True,
        True,
    ],
}


@pytest.mark.parametrize(("expression", "value"), SLAPDASH.items(), ids=SLAPDASH.keys())
def test_slapdash(lab: Lab, expression: str, value: object) -> None:
    said = lab.says(f"const _ = require('slapdash'); options.log.info(JSON.stringify({expression}))")

    assert json.loads(said[0]) == value


def test_slapdash_waits(lab: Lab) -> None:
    said = lab.says(
        "const _ = require('slapdash'); const tell = name => n => options.log.info(name, n)\n"
        "const late = _.debounce(tell('debounced'), 50); const seldom = _.throttle(tell('throttled'), 50)\n"
        "late(1); late(2); seldom(1); seldom(2); await new Promise(r => setTimeout(r, 100)); seldom(3)"
    )

    assert said == ["throttled 1", "debounced 2", "throttled 3"]


def test_sync_p(lab: Lab) -> None:
    said = lab.says(
        "const promise = require('sync-p'); const { log } = options; let later\n"
        "promise(resolve => resolve(1)).then(n => log.info(n)); log.info('then')\n"
        "const waiting = new promise(resolve => { later = resolve }); waiting.then(n => log.info('late', n)); later(2); later(3)\n"
        "log.info(waiting.value, waiting.status, promise(() => { throw 4 }).catch(n => n).value)\n"
        "log.info(require('sync-p/all')([1, promise.resolve(2), { then (ok) { ok(3) } }]).value.join())\n"
        "log.info(promise.all([]).value.length, promise.all([1, promise.reject(5)]).catch(n => n).value)\n"
        "log.info(promise.race([promise(() => {}), 6]).value, promise.any([promise.reject(1), 7]).value, await promise.resolve(Promise.resolve(8)))\n"
        "const made = require('sync-p/defer')(); made.promise.then(n => log.info(n)); made.resolve(9)\n"
        "log.info(require('sync-p/extra') === promise, require('sync-p/resolve')(1).value)"
    )

    assert said == ["1", "then", "late 2", "2 true 4", "1,2,3", "0 5", "6 7 8", "9", "true 1"]


# What sync-p does in node.
SYNC_P = {
    "promise.any([]).value.length": "0",
    "promise.any([]).status": "true",
    "promise.any([promise.reject(1), promise.reject(2)]).status": "false",
    "promise.any([promise.reject(1), promise.reject(2)]).value.join()": "1,2",
    "promise.reject(5).value": "5",
    "promise.reject(5).status": "false",
    "promise(() => {}).status": "undefined",
    "promise(() => {}).value": "undefined",
    "promise.race([]).status": "undefined",
    "(() => { let go; const a = promise(ok => { go = ok }); const b = a.then(() => b); go(1); return b.status })()": "false",
    "(() => { let go; const a = promise(ok => { go = ok }); try { go(a) } catch (e) { return 'threw ' + a.status } })()": "threw undefined",
    "Object.keys(promise.resolve(1)).sort().join()": "catch,status,then,value",
    "(() => { const a = promise.resolve(1); a.value = 2; a.status = false; return a.then(n => n, () => 'no').value })()": "1",
}


@pytest.mark.parametrize(("expression", "value"), SYNC_P.items(), ids=SYNC_P.keys())
def test_sync_p_on_odd_input(lab: Lab, expression: str, value: str) -> None:
    assert lab.says(f"const promise = require('sync-p'); options.log.info({expression})") == [value]


def test_driftwood(lab: Lab) -> None:
    report = lab.does(
        "const create = require('driftwood'); create.enable({ '*': 'info' }); const log = create('shop')\n"
        "log('basket').warn('low', { n: 1 }); create.disable(); log.error('x', new Error('y'))"
    )

    assert [(line["logger"], line["level"], line["message"]) for line in report.log] == [
        ("shop:basket", "warn", "low"),
        ("shop", "error", "x Error: y"),
    ]


def test_cookieman(lab: Lab) -> None:
    said = lab.says(
        "const cm = require('cookieman'); options.cookies.set('a', 'one')\n"
        "cm.set('b', 'x y', { expires: new Date(Date.now() + 1e6), path: '/' })\n"
        "options.log.info(JSON.stringify([cm.get('a'), cm.get('c'), cm.val('b'), cm.val('c'), cm.cookies()]))\n"
        "options.log.info(JSON.stringify([cm.clear('a'), cm.clear('a'), cm.clearAll('b'), options.cookies.getAll()]))"
    )

    a, b = {"name": "a", "value": "one"}, {"name": "b", "value": "x y"}
    assert json.loads(said[0]) == [[a], [], "x y", None, [a, b]]
    assert json.loads(said[1]) == [True, False, [{"path": "/", "domain": ""}], {}]


def test_md5_is_the_hex_digest_of_the_utf_8_text(lab: Lab) -> None:
    texts = ["", "a", "ada@example.com", "é€😀", *("x" * n for n in (55, 56, 57, 63, 64, 65, 119, 120, 1000))]
    said = lab.says(
        f"const md5 = require('md5'); for (const text of {json.dumps(texts)}) options.log.info(md5(text))"
    )

    assert said == [hashlib.md5(text.encode(), usedforsecurity=False).hexdigest() for text in texts]


def test_qubit_remember_preview_returns_nothing(lab: Lab) -> None:
    assert lab.says("options.log.info(require('@qubit/remember-preview')(60))") == ["undefined"]


def test_qubit_send_uv_event(lab: Lab) -> None:
    report = lab.does(
        "const send = require('@qubit/send-uv-event'); send('clicked', { experimentId: 1, variationMasterId: 2 }, { n: 3 })\n"
        "for (const meta of [undefined, {}, { experimentId: 1 }, options.meta]) try { send('a', meta) } catch (e) { options.log.info(e.message) }"
    )

    (event,) = report.events
    event["data"].pop("meta", None)
    assert (event["type"], event["data"]) == (
        "qubit-deliver",
        {"category": "qubit-deliver", "action": "clicked", "experimentId": 1, "variationMasterId": 2, "n": 3},
    )
    assert len(report.log) == 4
    assert report.log[0]["message"].startswith("send-uv-event needs options.meta with experimentId")


def test_a_package_is_one_module_for_all_files(lab: Lab) -> None:
    files = {
        "utils.js": "exports.same = require('slapdash')",
        "variation.js": "module.exports = o => o.log.info(require('./utils').same === require('slapdash'))",
    }

    assert lab.run(files).log[0]["message"] == "true"


@pytest.mark.parametrize("name", ["lodash", "fs", "toString", "__proto__", "sync-p/none", ""])
def test_anything_else_names_the_package_and_what_can_be_required(lab: Lab, name: str) -> None:
    problem = lab.fails({"utils.js": "", "variation.js": f"require('{name}')"})
    hint = "; a bundler such as esbuild puts packages into the file" if name else ""
    hint = "; there is no Node.js here" if name == "fs" else hint

    assert problem.code == "module_not_found"
    assert problem.message == (
        f'Error: cannot find module {name}; this experience can require "./utils", "./common" and the packages '
        '"@qubit/poller", "@qubit/remember-preview", "@qubit/send-uv-event", "@qubit/utils", "cookieman", "driftwood", '
        '"md5", "slapdash", "sync-p"' + hint
    )


@pytest.mark.parametrize("name", ["jquery", "preact", "@qubit/jquery"])
def test_what_needs_a_dom_is_told_apart(lab: Lab, name: str) -> None:
    problem = lab.fails(f"require('{name}')")

    assert f"cannot find module {name}, which needs a DOM, and there is none here; " in problem.message


def test_what_is_no_name_is_told(lab: Lab) -> None:
    for what in ("Symbol('x')", "{ get a () { throw 1 } }", "undefined", "['https://example.com/a.js']"):
        assert lab.fails(f"require({what})").code == "module_not_found"


def test_a_poisoned_language_does_not_break_the_shims(lab: Lab) -> None:
    said = lab.says(
        "const log = options.log, bad = () => { throw new Error('poisoned') }\n"
        "for (const of of [Array, String, Object, Function, Promise]) for (const name of Object.getOwnPropertyNames(of.prototype))\n"
        "  if (name !== 'constructor') try { Object.defineProperty(of.prototype, name, { get: bad, set: bad }) } catch (e) {}\n"
        "for (let n = 0; n < 5; n++) Object.defineProperty(Array.prototype, n, { get: bad, set: bad })\n"
        "const _ = require('slapdash'), promise = require('sync-p')\n"
        "log.info(_.reduce(_.map([1, 2], _.identity), (a, b) => a + b, 0), promise.all([1, 2]).value.length)\n"
        "log.info(require('md5')('a')); options.cookies.set('a', 1); log.info(options.cookies.get('a'))\n"
        "require('@qubit/poller')(['window.self', () => 1], (a, b) => log.info(b)); options.emitMetric('a', 'b', { c: 1 })"
    )

    assert said == ["3 2", "0cc175b9c0f1b6a831c399e269772661", "1", "1"]
