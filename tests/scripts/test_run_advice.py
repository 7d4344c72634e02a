# Guest code reads better unbroken.
# ruff: noqa: E501
"""What a run says of a mistake: the place that the author has to change, and what to write there."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from experience_runtime.running.problems import wall_text
from experience_runtime.scripts.bundle import Bundle
from experience_runtime.scripts.loading import load_experience

from tests.conftest import Lab

HEAD = "module.exports = async function variation (options) {\n  const echo = options.integration('echo')\n  "

# the mark » stands where the problem is told -> code, a part of the message
TOLD: Mapping[str, tuple[str, str, str]] = {
    "a member of an integration that is named there": (
        HEAD + "return options.integration('echo').»schedul('x')\n}",
        "script_error",
        "options.integration(…).schedul is not a function; did you mean schedule?",
    ),
    "a member of a part of options": (
        "module.exports = options => {\n  options.log.»inof('x')\n}",
        "script_error",
        "options.log.inof is not a function; did you mean options.log.info?",
    ),
    "a member of a part of options under other names": (
        "module.exports = o => {\n  const { uv: page } = o\n  o.log.info('x')\n  page.»onn('ecView', () => {})\n}",
        "script_error",
        "page.onn is not a function; did you mean page.on?",
    ),
    "a member of a part of options that is like none": (
        "module.exports = options => {\n  options.uv.»subscribe('ecView')\n}",
        "script_error",
        "options.uv.subscribe is not a function; it has emit",
    ),
    "a class": ("»module.exports = class Variation {}", "script_error", "it is a class; export a function"),
    "a const that is changed": (
        HEAD + "const a = 1\n  »a = 2\n  return a\n}",
        "script_error",
        "declare it with let",
    ),
    "a const that is changed at the top": (
        "const a = 1\n»a = 2\nmodule.exports = () => {}",
        "script_error",
        "with let",
    ),
    "a const that counts": (HEAD + "const a = 1; »a++\n}", "script_error", "declare it with let"),
    "a regular expression": (
        HEAD + "return »/a(/.test('x')\n}",
        "syntax_error",
        "look at the regular expressions",
    ),
    "one of two regular expressions": (
        HEAD + "return /a/.test('x') || »/b(/.test('y')\n}",
        "syntax_error",
        "look at the regular expressions",
    ),
    "module.export": ("\n»module.export = function () {}", "script_error", "write module.exports ="),
    "exports by itself": ("\n»exports = function () {}", "script_error", "write module.exports ="),
    "an export by a name": (
        "»exports.variation = () => {}",
        "script_error",
        "exports one function; write module.exports",
    ),
    "import()": (HEAD + "const u = await »import('./utils')\n}", "script_error", "write require('./utils')"),
    "await outside every function": (
        "const a = »await b()\nmodule.exports = () => {}",
        "syntax_error",
        "await stands outside every function",
    ),
    "a named export alone": (
        "»export const variation = async (options) => {\n}",
        "syntax_error",
        "write: export default async (options) => {",
    ),
    "what only browsers have": (HEAD + "»FormData()\n}", "script_error", "it belongs to browsers"),
    "an integration by a variable": (
        HEAD + "const name = 'ehco'; options.integration(»name)\n}",
        "not_linked",
        "did you mean echo?",
    ),
    "a delay, caught by nobody": (
        HEAD
        + "await echo.schedule({ a: 'x'.toUpperCase() }, {\n    key: String('k').toUpperCase(),\n    delay: »'1 month' })\n}",
        "invalid_delay",
        "30 days",
    ),
    "a name of an option": (
        HEAD + "await echo.schedule(1, { »dely: 5 })\n}",
        "invalid_parameter",
        'did you mean "delay"?',
    ),
    "a part of a window": (
        HEAD + "await echo.schedule(1, { delay: 1, window: { day: »'weekdays', time: '09:00-17:00' } })\n}",
        "invalid_window",
        'write "monday-friday"',
    ),
    "a key of cancel": (HEAD + "await echo.cancel({ key: »5 })\n}", "invalid_key", "key 5"),
    "an option of a call of the integration itself": (
        HEAD + "await echo(1, { timeout: »0 })\n}",
        "invalid_parameter",
        "timeout 0",
    ),
    "options behind a name": (
        HEAD + "const given = { delay: 'soon' }\n  await echo.schedule(1, »given)\n}",
        "invalid_delay",
        "soon",
    ),
}


@pytest.mark.parametrize(("text", "code", "part"), TOLD.values(), ids=TOLD.keys())
def test_a_mistake_is_told_where_it_is_to_be_mended(lab: Lab, text: str, code: str, part: str) -> None:
    before = text.partition("»")[0]
    place = before.count("\n") + 1, len(before.rpartition("\n")[2]) + 1

    problem = lab.fails(text.replace("»", ""))

    assert (problem.code, problem.file, (problem.line, problem.column)) == (code, "variation.js", place), (
        problem
    )
    assert part in problem.message


def test_a_file_named_without_its_folder_is_told_of_what_stands_beside_it(lab: Lab) -> None:
    lab.bundle({"variation.js": "require('./utils'); module.exports = () => {}", "utils.js": ""})

    problem = lab.fails(Bundle(load_experience(Path(lab.folder) / "variation.js")))

    assert problem.code == "module_not_found"
    assert problem.message.endswith(
        "utils.js stands beside it: name the folder, not the file, to bring it along"
    )


def test_a_file_of_another_name_is_told_where_its_code_may_stand(lab: Lab) -> None:
    problem = lab.fails({"variation.js": "require('./helper'); module.exports = () => {}", "helper.js": ""})

    assert problem.message.endswith(
        "helper.js is there, but of an author's own files only utils.js can be required: put its code there"
    )


def test_a_run_that_took_too_long_is_told_of_its_calls_where_there_were_many() -> None:
    assert "clear the timers it does not need" in wall_text(10, 99)
    assert "100 calls were answered by then; make fewer" in wall_text(10, 100)
