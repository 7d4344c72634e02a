"""Promises in a guest keep the text of Promises/A+ 1.1, after our prelude has run."""

import pytest

from tests.conftest import Lab

# `say` logs a line, `later` runs in a turn of its own. Each case: the rule, a body, and what it says.
_HEAD = (
    "const say = (...words) => options.log.info(words.join(' ')); const later = (fn) => setTimeout(fn, 1)\n"
)

CASES: list[tuple[str, str, list[str]]] = [
    (
        "2.1 a settled promise never changes",
        """const p = new Promise((yes, no) => { yes(1); yes(2); no(3) })
        await p.then(value => say('got', value)); await p.then(value => say('still', value))""",
        ["got 1", "still 1"],
    ),
    (
        "2.1 nor does one that is settled again in a later turn",
        """let yes, no; const p = new Promise((a, b) => { yes = a; no = b }); yes(1)
        later(() => { yes(2); no(3) }); await new Promise(later); await p.then(value => say(value))""",
        ["1"],
    ),
    (
        "2.2.1 what is no function is passed over, for a value",
        "for (const fn of [null, undefined, 5, {}, 'f']) await Promise.resolve(1).then(fn).then(v => say(v))",
        ["1"] * 5,
    ),
    (
        "2.2.1 what is no function is passed over, for a reason",
        "for (const fn of [null, undefined, 5]) await Promise.reject(1).then(say, fn).catch(r => say(r))",
        ["1"] * 3,
    ),
    (
        "2.2.2 and 2.2.3 a handler is called once, with the value or the reason alone",
        """await Promise.resolve(7).then((...args) => say('value', args.length, args[0]), () => say('never'))
        await Promise.reject(8).then(() => say('never'), (...args) => say('reason', args.length, args[0]))""",
        ["value 1 7", "reason 1 8"],
    ),
    (
        "2.2.4 a handler runs after the code under way",
        """const done = Promise.resolve().then(() => say('handler')); say('code'); await done""",
        ["code", "handler"],
    ),
    (
        "2.2.4 a handler runs before any timer",
        """const timer = new Promise(yes => later(() => { say('timer'); yes() }))
        Promise.resolve().then(() => say('first')).then(() => say('second')); await timer""",
        ["first", "second", "timer"],
    ),
    (
        "2.2.4 a handler added by a handler waits for those that were there",
        """const p = Promise.resolve()
        p.then(() => { say('a'); p.then(() => say('c')) }); p.then(() => say('b'))
        await new Promise(later)""",
        ["a", "b", "c"],
    ),
    (
        "2.2.5 a handler has no this of its own",
        """await Promise.resolve().then(function () { 'use strict'; say(this === undefined) })
        await Promise.resolve().then(function () { say(this === globalThis) })""",
        ["true", "true"],
    ),
    (
        "2.2.6 handlers of one promise run in the order they came",
        """let yes; const p = new Promise(a => { yes = a })
        p.then(() => say(1))
        p.then(() => { say(2); throw new Error('x') }).catch(() => {})
        p.then(() => say(3))
        yes(); await new Promise(later)""",
        ["1", "2", "3"],
    ),
    (
        "2.2.7 what a handler throws is the reason of the next, whatever it is",
        """for (const thrown of [undefined, null, 0, false, 'text'])
          await Promise.resolve().then(() => { throw thrown }).catch(reason => say(String(reason)))""",
        ["undefined", "null", "0", "false", "text"],
    ),
    (
        "2.2.7 what a rejection's handler returns is the next one's value",
        "await Promise.reject(1).then(null, reason => reason + 1).then(value => say(value))",
        ["2"],
    ),
    (
        "2.3.1 a promise that would wait for itself is rejected with a TypeError",
        """const p = Promise.resolve().then(() => p)
        await p.catch(reason => say(reason instanceof TypeError))""",
        ["true"],
    ),
    (
        "2.3.2 a promise's state is adopted, also when it comes later",
        """const eventually = (ok) => new Promise((yes, no) => later(() => ok ? yes('yes') : no('no')))
        await Promise.resolve().then(() => eventually(true)).then(value => say(value))
        await Promise.resolve().then(() => eventually(false)).catch(reason => say(reason))""",
        ["yes", "no"],
    ),
    (
        "2.3.3.1 then is read once",
        """let reads = 0; const thenable = { get then () { reads += 1; return yes => yes('v') } }
        await Promise.resolve().then(() => thenable).then(value => say(value, reads))""",
        ["v 1"],
    ),
    (
        "2.3.3.2 a getter of then that throws rejects with what it threw",
        """const thenable = { get then () { throw 'thrown' } }
        await Promise.resolve().then(() => thenable).catch(reason => say(reason))""",
        ["thrown"],
    ),
    (
        "2.3.3.3 then is called in a job of its own, with the thenable as this",
        """const thenable = { then (yes) { say(this === thenable); yes() } }
        const p = new Promise(yes => yes(thenable)); say('code'); await p""",
        ["code", "true"],
    ),
    (
        "2.3.3.3.1 a thenable that gives a thenable is followed to the end",
        """const nested = (depth) => depth === 0 ? 'end' : { then (yes) { yes(nested(depth - 1)) } }
        await Promise.resolve(nested(50)).then(value => say(value))""",
        ["end"],
    ),
    (
        "2.3.3.3.2 a thenable's reason is taken as it is, even if it is a thenable",
        """const reason = { then: (yes) => yes('never') }
        await Promise.resolve({ then: (yes, no) => no(reason) }).then(null, r => say(r === reason))""",
        ["true"],
    ),
    (
        "2.3.3.3.3 of a thenable's calls the first counts",
        """await Promise.resolve({ then (yes, no) { yes(1); no(2); yes(3) } })
          .then(value => say(value), reason => say('no', reason))""",
        ["1"],
    ),
    (
        "2.3.3.3.4 what then throws counts only while nothing was called",
        """await Promise.resolve({ then (yes) { yes('kept'); throw 'lost' } }).then(say, () => say('no'))
        await Promise.resolve({ then () { throw 'thrown' } }).then(() => say('never'), r => say(r))""",
        ["kept", "thrown"],
    ),
    (
        "2.3.3.4 and 2.3.4 without a function as then, an object is a value",
        """for (const then of [5, {}, [], /x/, null]) {
          const plain = { then }; await Promise.resolve(plain).then(value => say(value === plain)) }""",
        ["true"] * 5,
    ),
]


@pytest.mark.parametrize(("body", "said"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_a_rule_of_promises_a_plus_holds_in_a_guest(lab: Lab, body: str, said: list[str]) -> None:
    assert lab.says(_HEAD + body) == said


@pytest.mark.parametrize("verb", ["execute", "schedule", "cancel"])
def test_an_integrations_promise_is_the_guests_own(lab: Lab, verb: str) -> None:
    arguments = {"execute": "'p'", "schedule": "'p', { delay: 1 }", "cancel": "{ key: 'k' }"}[verb]

    said = lab.says(
        f"const p = echo.{verb}({arguments}); options.log.info(String(p instanceof Promise)); await p"
    )

    assert said == ["true"]
