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
from tests.scripts.rules import ECHO, HEAD, ON, check_place, found

ROOT = Path(__file__).resolve().parents[2]

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


@pytest.mark.parametrize(("text", "code", "part"), FOUND.values(), ids=FOUND.keys())
def test_a_mistake_is_found_at_its_place(lab: Lab, text: str, code: str, part: str) -> None:
    check_place(lab, text, code, part)


@pytest.mark.parametrize(
    "name",
    [name for name in FOUND if "schedule(" in FOUND[name][0] or "cancel(" in FOUND[name][0]],
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
    "segments that are a word": ('{"meta": {"segments": "vip"}}', 1, 23, 'meta.segments "vip" is not a list'),
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
