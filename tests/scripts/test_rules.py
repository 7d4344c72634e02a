# Guest code reads better unbroken.
# ruff: noqa: E501
"""What `check` finds without running: what would certainly fail, at its place, and nothing else."""

import re
from collections.abc import Mapping
from pathlib import Path

import pytest
from experience_runtime.plugins.registry import Registry
from experience_runtime.scripts.bundle import Bundle
from experience_runtime.scripts.loading import load_experience
from experience_runtime.scripts.names import PACKAGES
from experience_runtime.scripts.rules import find_all, find_in_package
from experience_runtime.settings.load import Settings

from tests.conftest import NOW, Lab

ROOT = Path(__file__).resolve().parents[2]
HEAD = "module.exports = function variation (options) {\n"
ECHO = HEAD + "  const echo = options.integration('echo')\n  "
ON = "options.integration('echo')."

# the mark » stands where the problem does -> code, a part of the message
FOUND: Mapping[str, tuple[str, str, str]] = {
    "a mistyped option of schedule": (
        ECHO + "echo.schedule(1, { delay: 1, »cancelOnConversions: true })",
        "invalid_parameter",
        'did you mean "cancelOnConversion"?',
    ),
    "an option that belongs inside window": (
        ECHO + "echo.schedule(1, { delay: 1, »timezone: 'Asia/Tokyo' })",
        "invalid_parameter",
        "belongs inside window",
    ),
    "a mistyped option in quotes": (
        ECHO + "echo.schedule(1, { »'dealy': 1, time: x })",
        "invalid_parameter",
        'did you mean "delay"?',
    ),
    "a mistyped option beside a spread": (
        ECHO + "echo.schedule(1, { ...more, »dely: 1 })",
        "invalid_parameter",
        'did you mean "delay"?',
    ),
    "a mistyped option in shorthand": (
        ECHO + "echo.schedule(1, { »dely, time: x })",
        "invalid_parameter",
        'did you mean "delay"?',
    ),
    "a mistyped option of cancel": (
        ECHO + "echo.cancel({ key: 'k', »reson: 'x' })",
        "invalid_parameter",
        'did you mean "reason"?',
    ),
    "a mistyped option of execute": (
        ECHO + "echo.execute(1, { »tiemout: 5 })",
        "invalid_parameter",
        'did you mean "timeout"?',
    ),
    "a mistyped option of a direct call": (
        ECHO + "echo(1, { »tiemout: 5 })",
        "invalid_parameter",
        'did you mean "timeout"?',
    ),
    "a mistyped default": (
        HEAD + "options.integration('echo', { »dely: 1 })",
        "invalid_parameter",
        'did you mean "delay"?',
    ),
    "a mistyped option of an options object": (
        ECHO + "const given = { »dely: 1, key }\n  echo.schedule(1, given)",
        "invalid_parameter",
        'did you mean "delay"?',
    ),
    "a call on the link itself": (
        HEAD + ON + "schedule(1, { »dely: 1 })",
        "invalid_parameter",
        'did you mean "delay"?',
    ),
    "a call below the link": (
        HEAD + "  options\n    .integration('echo')\n    .schedule(1, { »dely: 1 })",
        "invalid_parameter",
        'did you mean "delay"?',
    ),
    "a delay nobody can read": (
        ECHO + "echo.schedule(1, { delay: »'1h30m5' })",
        "invalid_delay",
        'delay "1h30m5" is not a duration; write',
    ),
    "a delay of a month": (ECHO + 'echo.schedule(1, { delay: »"1 month" })', "invalid_delay", "30 days"),
    "a negative delay": (ECHO + "echo.schedule(1, { delay: »-5 })", "invalid_delay", "is negative"),
    "a delay of a fraction": (ECHO + "echo.schedule(1, { delay: »1.5 })", "invalid_delay", "write 2"),
    "a delay of true": (ECHO + "echo.schedule(1, { delay: »true })", "invalid_delay", "delay true"),
    "a delay beyond the limit": (ECHO + "echo.schedule(1, { delay: »`31 days` })", "beyond_limit", "30 days"),
    "a delay after a comment and a regular expression": (
        ECHO + "/* { */ echo.schedule(/}/.test(a), { // delay: 'x'\n delay: »'soon' })",
        "invalid_delay",
        '"soon"',
    ),
    "a default delay nobody can read": (
        HEAD + "options.integration('echo', { delay: »'soon' })",
        "invalid_delay",
        '"soon"',
    ),
    "a time nobody can read": (
        ECHO + "echo.schedule(1, { time: »'tomorrow' })",
        "invalid_time",
        'time "tomorrow"',
    ),
    "a time in seconds": (ECHO + "echo.schedule(1, { time: »1772900000 })", "invalid_time", "is in seconds"),
    "a day nobody can read": (
        ECHO + "echo.schedule(1, { delay: 1, window: { day: »'mon-fri', time: x } })",
        "invalid_window",
        'write "monday-friday"',
    ),
    "hours nobody can read": (
        ECHO + "echo.schedule(1, { delay: 1, window: { time: »'9:00-17:00' } })",
        "invalid_window",
        'write "09:00-17:00"',
    ),
    "a zone nobody knows": (
        ECHO + "echo.schedule(1, { delay: 1, window: { timezone: »'Mars/Base' } })",
        "invalid_window",
        "Mars/Base",
    ),
    "an offset that is too far": (
        ECHO + "echo.schedule(1, { delay: 1, window: { timezoneOffset: »900 } })",
        "invalid_window",
        "900",
    ),
    "a mistyped part of a window": (
        ECHO + "echo.schedule(1, { delay: 1, window: { »days: 'monday' } })",
        "invalid_window",
        'did you mean "day"?',
    ),
    "a window of two zones": (
        ECHO + "echo.schedule(1, { delay: 1, window: »{ timezone: 'Asia/Tokyo', timezoneOffset: 0 } })",
        "invalid_window",
        "one is allowed",
    ),
    "a window that is no object": (
        ECHO + "echo.schedule(1, { delay: 1, window: »'monday' })",
        "invalid_window",
        "is not an object",
    ),
    "both delay and time": (
        ECHO + "echo.schedule(1, { delay: 1, »time: '2026-03-07T00:00Z' })",
        "delay_and_time",
        "leave one out",
    ),
    "a refusal that is caught and logged": (
        ECHO + "echo.schedule(1, { delay: »'soon' }).catch(options.log.error)",
        "invalid_delay",
        "soon",
    ),
    "neither delay nor time": (
        ECHO + "echo.schedule(1, »{ key: 'k' })",
        "no_delay_or_time",
        "neither delay nor time",
    ),
    "no options at all": (ECHO + "echo.»schedule({ a: 1 })", "no_delay_or_time", "neither delay nor time"),
    "a delay of null": (
        ECHO + "echo.schedule(1, »{ delay: null })",
        "no_delay_or_time",
        "neither delay nor time",
    ),
    "a flag in quotes": (
        ECHO + "echo.schedule(1, { delay: 1, cancelOnConversion: »'true' })",
        "invalid_parameter",
        "without quotes",
    ),
    "a word that is none of its values": (
        ECHO + "echo.schedule(1, { delay: 1, ifExists: »'never' })",
        "invalid_parameter",
        'write "replace"',
    ),
    "a key that is a number": (ECHO + "echo.schedule(1, { delay: 1, key: »7 })", "invalid_key", "key 7"),
    "an empty key": (ECHO + "echo.schedule(1, { delay: 1, key: »{} })", "invalid_key", "is empty"),
    "a cancel without a key": (ECHO + "echo.cancel(»{ reason: 'x' })", "invalid_key", "cancel has no key"),
    "a cancel without anything": (ECHO + "echo.»cancel()", "invalid_key", "cancel has no key"),
    "a timeout of nothing": (ECHO + "echo(1, { timeout: »0 })", "invalid_parameter", "timeout 0"),
    "an integration that is not there": (
        HEAD + "options.integration('»ehco')",
        "unknown_integration",
        "ehco",
    ),
    "a module that is not there": (
        HEAD + "»require('lodash')",
        "module_not_found",
        'cannot find module "lodash"',
    ),
    "a file that is not there": (HEAD + "const u = »require('./utilz')", "module_not_found", "./utilz"),
    "a file outside the folder": (HEAD + "»require('../utils')", "module_not_found", "../utils"),
    "an import()": (HEAD + "»import('./utils')", "module_not_found", "write require("),
    "the page": (
        HEAD + "  »document.querySelector('a')",
        "script_error",
        "document is not defined: there is no page here",
    ),
    "jQuery": (HEAD + "  »$('a').hide()", "script_error", "$ is not defined"),
    "fetch": (
        HEAD + "  return »fetch('https://example.com')",
        "script_error",
        "options.integration('webhook')",
    ),
    "a store": (HEAD + "  »localStorage.getItem('a')", "script_error", "options.cookies"),
}

FOUND_LATER: Mapping[str, tuple[str, str, str]] = {
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
    "a mistyped member of another name": (
        "module.exports = o => {\n  o.»emitCustomGaol('x')",
        "script_error",
        "did you mean options.emitCustomGoal?",
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
}

FOUND = {**FOUND, **FOUND_LATER}

# what only running can tell, or what is right
SILENT: Mapping[str, str] = {
    "another object's cancel": HEAD + "poller.cancel({ reson: 1 }); options.poll.schedule(1, { dely: 1 })",
    "a name that may be something else": ECHO + "echo.schedule(1, { dely: 1 }); echo = other",
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
    "a delay of a minute": ECHO + "echo.schedule(1, { delay: 60000 })",
    "a require that is tried": HEAD + "try { require('lodash') } catch (error) {}",
    "a require of a name": HEAD + "require(name)",
}


def found(
    lab: Lab, files: str | Mapping[str, str]
) -> list[tuple[str, str | None, int | None, int | None, str]]:
    problems, _ = find_all(lab.bundle(files), lab.registry, NOW)
    return [(each.code, each.file, each.line, each.column, each.message) for each in problems]


@pytest.mark.parametrize(("text", "code", "part"), FOUND.values(), ids=FOUND.keys())
def test_a_mistake_is_found_at_its_place(lab: Lab, text: str, code: str, part: str) -> None:
    before = text.partition("»")[0]
    line, column = before.count("\n") + 1, len(before.rpartition("\n")[2]) + 1

    problems = found(lab, text.replace("»", "") + "\n}\n")

    assert [each[:4] for each in problems] == [(code, "variation.js", line, column)], problems
    assert part in problems[0][4]


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT.keys())
def test_what_may_be_right_is_passed_over(lab: Lab, text: str) -> None:
    assert found(lab, text + "\n}\n") == []


@pytest.mark.parametrize(
    "name",
    [
        name
        for name in FOUND
        if ("schedule(" in FOUND[name][0] or "cancel(" in FOUND[name][0]) and name not in FOUND_LATER
    ],
)
def test_what_is_found_in_a_call_is_what_the_run_refuses(lab: Lab, name: str) -> None:
    text, code, _ = FOUND[name]
    body = re.sub(r"\b(x|more|dely|key|a)\b(?=\s*[,})])", "undefined", text.replace("»", ""))
    if "dely, time" in text or "...more" in text or ", key }" in text:
        body = (
            text.replace("»", "")
            .replace("x })", "1 })")
            .replace("...more", "...{}")
            .replace("dely,", "dely: 1,")
            .replace(", key }", " }")
        )
    tail = "\n}\n"
    report = lab.run(body.replace("function variation", "async function variation") + tail)

    refused = [call["error"]["code"] for call in report.calls if "error" in call]
    assert refused == [code], (report.error, report.calls)


def test_every_file_is_read_and_named(lab: Lab) -> None:
    call = "options.integration('echo').cancel()"
    problems = found(
        lab,
        {
            "variation.js": f"module.exports = options => {call}",
            "triggers.js": f"\nmodule.exports = options => {call}",
            "utils.js": f"\n\nexports.a = options => {call}",
            "common.js": "exports.b = 1",
            "global.js": f"function a (options) {{ {call} }}",
        },
    )

    assert [each[1:3] for each in problems] == [
        ("variation.js", 1),
        ("triggers.js", 2),
        ("utils.js", 3),
        ("global.js", 1),
    ]


def test_what_is_in_the_folder_can_be_required(lab: Lab) -> None:
    text = "['./utils', './common', './utils.js', './texts', './texts.json'].map(name => name)\n" + "".join(
        f"require('{name}')\n"
        for name in ("./utils", "./common", "./utils.js", "./texts", "./texts.json", *PACKAGES)
    )

    assert found(lab, {"variation.js": text, "utils.js": "", "texts.json": "{}"}) == []


@pytest.mark.parametrize("name", sorted(PACKAGES))
def test_what_check_lets_pass_can_be_required(lab: Lab, name: str) -> None:
    assert lab.run(f"module.exports = () => {{ require('{name}') }}").outcome == "ran"


@pytest.mark.parametrize(
    "sample", sorted((ROOT / "sample_experiences").iterdir()), ids=lambda path: path.name
)
def test_a_sample_has_no_finding(sample: Path) -> None:
    assert find_all(Bundle(load_experience(sample)), Registry(Settings()), NOW) == ([], [])


PACKAGE: Mapping[str, tuple[str, int, int, str]] = {
    "a list": ("»[]", 1, 1, "package.json is not an object"),
    "a number": ("\n 3", 2, 2, "package.json is not an object"),
    "a meta that is a number": ('{\n  "meta": 3\n}', 2, 11, "meta 3 is not an object"),
    "a meta that is a list": ('{"meta": []}', 1, 10, "meta [] is not an object"),
    "links that are a text": (
        '{"meta": {\n  "qfns": "slack-update"}}',
        2,
        11,
        'meta.qfns "slack-update" is not an object',
    ),
    "a visitor that is a number": ('{"meta": {"visitor": 3}}', 1, 22, "meta.visitor 3"),
    "variations that are a list": ('{"meta": {"variations": [1]}}', 1, 25, "meta.variations [1]"),
    "a variation that is a number": (
        '{"meta": {"variations": {"variation-1": 4}}}',
        1,
        41,
        'meta.variations["variation-1"] 4',
    ),
}


@pytest.mark.parametrize(("text", "line", "column", "part"), PACKAGE.values(), ids=PACKAGE.keys())
def test_a_wrong_type_in_package_json_has_its_place(text: str, line: int, column: int, part: str) -> None:
    ((problem,), _) = find_in_package(text.replace("»", ""))

    assert (problem.code, problem.file) == ("invalid_parameter", "package.json")
    assert (problem.line, problem.column) == (line, column)
    assert part in problem.message


@pytest.mark.parametrize(
    "text",
    ["{}", '{"meta": {}}', '{"meta": null}', '{"name": "a//b", "meta": {"qfns": {}, "visitor": {"a": 1}}}'],
)
def test_a_right_package_json_has_no_finding(text: str) -> None:
    assert find_in_package(text) == ([], [])
