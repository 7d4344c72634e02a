# Guest code reads better unbroken.
# ruff: noqa: E501
"""What `check` finds by following names: what they stand for, what is not there; and what it passes over."""

from collections.abc import Mapping

import pytest

from tests.conftest import Lab
from tests.scripts.rules import ECHO, HEAD, ON, check_place, found

# the mark » stands where the problem does -> code, a part of the message
FOUND: Mapping[str, tuple[str, str, str]] = {
    "a delay of two strings": (ECHO + "echo.schedule(1, { delay: »'so' + 'on' })", "invalid_delay", '"soon"'),
    "a delay by a product": (
        ECHO + "echo.schedule(1, { delay: »40*24*60*60*1000 })",
        "beyond_limit",
        "30 days",
    ),
    "a delay in shorthand": (
        ECHO + "const delay = 'soon'\n  echo.schedule(1, { »delay })",
        "invalid_delay",
        '"soon"',
    ),
    "a delay by a constant": (
        "const DAY = 24 * 60 * 60 * 1000, LATE = 31 * DAY\n" + ECHO + "echo.schedule(1, { delay: »LATE })",
        "beyond_limit",
        "30 days",
    ),
    "a mistyped verb": (ECHO + "echo.»schedul(1, { delay: 1 })", "script_error", "did you mean schedule?"),
    "a verb that nothing is like": (
        ECHO + "echo.»send(1)",
        "script_error",
        "it has execute, schedule, cancel",
    ),
    "a mistyped verb of the link itself": (HEAD + ON + "»cancle({ key: 'k' })", "script_error", "cancel?"),
    "a mistyped member of options": (HEAD + "options.»lgo.info('x')", "script_error", "options.log?"),
    "a mistyped member of what is called otherwise too": (
        HEAD + "const o = options\n  o.»lgo.info('x')",
        "script_error",
        "options.log?",
    ),
    "a mistyped member of another name": (
        "module.exports = o => {\n  o.»emitCustomGaol('x')",
        "script_error",
        "did you mean options.emitCustomGoal?",
    ),
    "a mistyped member of a part of options": (
        HEAD + "options.uv.»emitt('x')",
        "script_error",
        "options.uv has no emitt; did you mean options.uv.emit?",
    ),
    "a mistyped member of a part that is taken out": (
        "module.exports = ({ log }) => {\n  log.»inof('x')",
        "script_error",
        "did you mean options.log.info?",
    ),
    "a member that a part of options has not": (
        HEAD + "const { cookies } = options; cookies.»remove('a')",
        "script_error",
        "options.cookies has no remove; it has get, getAll, set, clear, clearAll",
    ),
    "a member that options has not": (HEAD + "options.»api.get('x')", "script_error", "options has no api"),
    "a mistyped member that is taken out": (
        "module.exports = ({ »integratoin }) => {",
        "script_error",
        "did you mean integration?",
    ),
    "a parameter that is taken apart": (
        "module.exports = ({ integration, log }) => {\n  integration('»ehco')",
        "unknown_integration",
        "ehco",
    ),
    "a call of a parameter that is taken apart": (
        "module.exports = async ({ integration: link }) => {\n  const echo = link('echo')\n  await echo.schedule(1, { delay: »'soon' })",
        "invalid_delay",
        '"soon"',
    ),
    "options that are taken apart below": (
        HEAD + "const { integration } = options\n  integration('echo').schedule(1, { delay: »'soon' })",
        "invalid_delay",
        '"soon"',
    ),
    "a verb that is taken out": (
        HEAD + "const { schedule } = options.integration('echo')\n  schedule(1, { delay: »'soon' })",
        "invalid_delay",
        '"soon"',
    ),
    "a list of days": (
        ECHO + "echo.schedule(1, { delay: 1, window: { day: »['monday', 'friday'] } })",
        "invalid_window",
        'write "monday,friday"',
    ),
    "execute with a delay": (
        ECHO + "echo.execute(1, { »delay: '1h' })",
        "invalid_parameter",
        "it runs at once",
    ),
    "a direct call with a window": (
        ECHO + "echo(1, { »window: { day: 'monday' } })",
        "invalid_parameter",
        "schedule",
    ),
    "the page beside a catch": (
        HEAD + "try { a() } catch (e) {}\n  »document.title",
        "script_error",
        "document is not defined",
    ),
    "the page beside a typeof": (
        HEAD + "if (typeof options === 'object') »document.title",
        "script_error",
        "document is not defined",
    ),
    "the page beside this": (HEAD + "this.a = 1; »fetch('x')", "script_error", "fetch is not defined"),
    "the page in a catch": (
        HEAD + "try { a() } catch (e) { »alert(e) }",
        "script_error",
        "alert is not defined",
    ),
    "the page in a function that is called": (
        "function show () { »document.title }\n" + HEAD + "show()",
        "script_error",
        "document is not defined",
    ),
    "the page in a callback": (
        HEAD + "setTimeout(() => { »document.title }, 10)",
        "script_error",
        "document is not defined",
    ),
    "the page where the look came out wrong": (
        HEAD + "if (typeof document === 'undefined') options.log.info('x')\n  »document.title",
        "script_error",
        "document is not defined",
    ),
    "the page behind a look for something else": (
        HEAD + "if (typeof window !== 'undefined') »document.title",
        "script_error",
        "document is not defined",
    ),
    "the page through window": (
        HEAD + "options.log.info(window.»location.href)",
        "script_error",
        "window.location is undefined: there is no browser here",
    ),
    "a require beside a catch": (
        HEAD + "try { a() } catch (e) {}\n  »require('jquery')",
        "module_not_found",
        'cannot find module "jquery"',
    ),
    "a module that is imported": (
        "»import _ from 'lodash'\n" + HEAD,
        "module_not_found",
        'cannot find module "lodash"',
    ),
    "a poll of a selector": (HEAD + "options.poll(»'.basket')", "script_error", "needs a page"),
    "a poll of several": (
        HEAD + "options.poll(['window.a', »'#b'])",
        "script_error",
        "needs a page",
    ),
    "an interval that nobody clears": (
        HEAD + "»setInterval(() => options.log.info('x'), 1000)",
        "limit_wall",
        "clearInterval",
    ),
    "a part of Intl that is not here": (
        HEAD + "new Intl.»Segmenter('de')",
        "script_error",
        "Intl.Segmenter is not here",
    ),
    "a locale that is not supported": (
        HEAD + "new Intl.NumberFormat(»'xx-YY')",
        "script_error",
        'the locale "xx-YY" is not supported; write one of en-US,',
    ),
    "a locale of a method": (
        HEAD + "new Date().toLocaleDateString(»'klingon')",
        "script_error",
        'the locale "klingon" is not supported',
    ),
    "an order that is not known": (
        HEAD + "options.data.a.localeCompare('b', »'ja')",
        "script_error",
        "the order of letters in ja is not supported",
    ),
    "an option of Intl that is not supported": (
        HEAD + "new Intl.DateTimeFormat('de', { timeZoneName: »'longGeneric' })",
        "script_error",
        'timeZoneName "longGeneric" is not supported; write "short" or "long" or "shortOffset" or "longOffset"',
    ),
}

# what only running can tell, or what is right
SILENT: Mapping[str, str] = {
    "another object's cancel": HEAD + "poller.cancel({ reson: 1 }); options.poll.schedule(1, { dely: 1 })",
    "a name that may be something else": HEAD
    + "let echo = options.integration('echo'); echo.schedule(1, { dely: 1 }); echo = other",
    "a parameter of that name": ECHO + "list.forEach(echo => echo.schedule(1, { dely: 1 }))",
    "a name declared twice": ECHO + "if (a) { const echo = b; echo.schedule(1, { dely: 1 }) }",
    "a chain that is no integration": HEAD
    + "const echo = options.integration('echo').schedule(1, { delay: 1 }); echo.schedule(1, {})",
    "options that are computed": ECHO + "echo.schedule(1, { [name]: 1 })",
    "options that are spread": ECHO + "echo.schedule(1, { ...given })",
    "options behind a name": ECHO + "echo.schedule(1, given)",
    "options that are changed later": ECHO
    + "const given = { key: 'k' }; given.delay = 1; echo.schedule(1, given)",
    "arguments that are spread": ECHO + "echo.schedule(...all)",
    "a delay by a product": ECHO + "echo.schedule(1, { delay: 5 * 60 * 1000 })",
    "a delay of a template": ECHO + "echo.schedule(1, { delay: `${n} days` })",
    "a delay that depends": ECHO + "echo.schedule(1, { delay: a ? 'soon' : '1h' })",
    "a delay in shorthand": ECHO + "echo.schedule(1, { delay, key })",
    "both, one of which may be undefined": ECHO + "echo.schedule(1, { delay: a, time: '2026-03-07T00:00Z' })",
    "a delay from the defaults": HEAD
    + "const echo = options.integration('echo', { delay: '1h' })\necho.schedule(1, { key: 'k' }); echo.schedule(1)",
    "defaults behind a name": HEAD
    + "const echo = options.integration('echo', given)\necho.schedule(1, { key: 'k' })",
    "a key from the defaults": HEAD + "const echo = options.integration('echo', { key: 'k' })\necho.cancel()",
    "an unknown option far from any": ECHO + "echo.schedule(1, { delay: 1, zebra: 1 })",
    "an unknown option of null": ECHO + "echo.schedule(1, { delay: 1, dely: null })",
    "a time that has gone by": ECHO + "echo.schedule(1, { time: '2020-01-01T00:00:00Z' })",
    "a time far ahead": ECHO + "echo.schedule(1, { time: '2030-01-01T00:00:00Z' })",
    "a call in a comment": ECHO
    + "// echo.schedule(1, { dely: 1 })\n/* echo.cancel() */ const t = 'echo.cancel()'",
    "a refusal that is looked into": ECHO
    + "echo.schedule(1, { delay: 'soon' }).catch(e => { if (e.code !== 'x') throw e })",
    "a refusal that is looked into below": ECHO
    + "try {\n await echo.schedule(1, { delay: 'soon' })\n} catch ({ code }) { say(code) }",
    "a payload with those names": ECHO + "echo.schedule({ dely: 1, window: 'x' }, { delay: '1h' })",
    "everything right": ECHO
    + "echo.schedule({ a: [1] }, { key: { id: 7 }, delay: '1h 30m', window: { day: 'monday-friday', time: '09:00-17:00', timezone: 'Asia/Tokyo' }, cancelOnConversion: true, ifExists: 'keep', scope: 'visitor' })",
    "a page that is looked for": HEAD + "if (typeof document !== 'undefined') { document.body }",
    "a page within try": HEAD + "try { document.body } catch (error) {}",
    "a page through window": HEAD + "if (window.jQuery) jQuery('a')",
    "a name of the page's that is a parameter": HEAD + "list.map(function (document) { return document.id })",
    "a name of the page's that is declared": HEAD
    + "const $ = x => x; $('a')\n  let fetch; fetch = x; fetch('b')",
    "a name of the page's that is taken apart": HEAD
    + "const { alert, location: { a } } = options; alert('x')",
    "a name of the page's as a member": HEAD
    + "options.data.document.body; x = { fetch () { return 1 }, alert: 1 }",
    "a name of the page's in a text": HEAD + "return 'document.body' // fetch('x')",
    "an interval that is cleared": HEAD
    + "const id = setInterval(f, 10); setTimeout(() => clearInterval(id), 50)",
    "another object's schedule": HEAD
    + "const slack = make(); slack.schedule(1, { dely: 1 }); job.schedul()\n  const o = { integration () {} }; o.integration('nobody')",
    "an options of somebody else's": "function f (options) { return options.lgo }\n"
    + HEAD
    + "list.map(options => options.lgo.x)",
    "options that are shadowed": HEAD + "{ const options = { lgo: 1 }; options.lgo.toFixed() }",
    "a member that the file gives options": HEAD + "options.own = { a: 1 }; options.own.a",
    "parts of options as they are": HEAD
    + "options.log('a').info('b'); options.log.log('c'); options.state.set('a', 1); options.uv.on.call(null, 'a'); options.cookies.getAll(); options.log.info.call(options.log, 1)",
    "a member that the file gives a part of options": HEAD
    + "options.uv.track = x => x; options.uv.track(1); options.log.fatal?.('x'); if (options.log.fatal) options.log.fatal('x')",
    "a part of data that looks like one of options": HEAD
    + "options.data.uv.emitt('x'); const { data } = options; data.log.inof(1)",
    "a member of options that is looked for": HEAD
    + "if (options.api) options.api.get('x'); options.api && options.api.get(); options.api?.get()",
    "a delay by a let that changes": ECHO + "let delay = 'soon'; delay = '1h'; echo.schedule(1, { delay })",
    "a delay by a parameter": ECHO + "list.map(delay => echo.schedule(1, { delay }))",
    "an object that is changed elsewhere": ECHO
    + "const given = { key: 'k' }; fill(given); echo.schedule(1, given)",
    "a verb of a name that changes": ECHO.replace("const", "let") + "echo = other; echo.schedul()",
    "a method of functions": ECHO + "echo.call(null, 1)",
    "page names in a package that nobody calls": "function mount (a) { document.body.append(a); window.location.href }\nconst lib = { show () { alert('x') }, go: () => fetch('x') }\n"
    + HEAD
    + "lib",
    "a page that is looked for before a return": HEAD
    + "if (typeof document === 'undefined') return\n  document.title",
    "a page that is looked for in a condition": HEAD
    + "const a = typeof document !== 'undefined' && document.title; const b = typeof fetch === 'function' ? fetch('x') : 0",
    "a page that is looked for by a name of its own": HEAD
    + "const has = typeof document !== 'undefined'; if (has) document.title",
    "a page that is looked for by a function": "const has = () => 'document' in window\n"
    + HEAD
    + "if (has()) document.title",
    "a page through window with a look": HEAD
    + "if (window.location) window.location.href; window.location?.href",
    "a page that is made": HEAD + "window.jQuery = x => x; jQuery('a'); globalThis.fetch = f; fetch('x')",
    "a page's name in a label, a class and an export": "class A { document () { return 1 } }\n"
    + HEAD
    + "document: for (;;) break document",
    "a bundler's require": "var r = typeof require !== 'undefined' ? require : f\n"
    + HEAD
    + "typeof exports === 'object' && typeof module !== 'undefined' ? x(require('jquery')) : y()",
    "a require of another": HEAD + "(function (require) { require('lodash') })(f)",
    "a poll of a path": HEAD + "options.poll('window.a.b'); options.poll(() => 1); poll('.a')",
    "an Intl that is there": HEAD + "new Intl.DateTimeFormat('en')",
    "locales and options that are there": HEAD
    + "new Intl.ListFormat('de-AT', { type: 'unit', style: x }).format([]); 'a'.localeCompare('xx', 'no');"
    + "new Date().toLocaleTimeString('EN-gb', { ...x, hour: 'numeric' }); y.toLocaleString('xx')",
    "a locale that is tried": HEAD + "try { new Intl.NumberFormat('xx') } catch (error) {}",
    "a delay of a minute": ECHO + "echo.schedule(1, { delay: 60000 })",
    "a require that is tried": HEAD + "try { require('lodash') } catch (error) {}",
    "a require of a name": HEAD + "require(name)",
}


@pytest.mark.parametrize(("text", "code", "part"), FOUND.values(), ids=FOUND.keys())
def test_a_mistake_behind_a_name_is_found_at_its_place(lab: Lab, text: str, code: str, part: str) -> None:
    check_place(lab, text, code, part)


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT.keys())
def test_what_may_be_right_is_passed_over(lab: Lab, text: str) -> None:
    assert found(lab, text + "\n}\n") == []
