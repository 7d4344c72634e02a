# Guest code reads better unbroken.
"""What needs a page, used behind a name of one's own, is named where it is used: by a run and by `check`."""

from collections.abc import Mapping

import pytest
from experience_runtime.scripts.rules import find_all

from tests.conftest import NOW, Lab

# `»` stands at the place
NEEDS_A_PAGE: Mapping[str, tuple[str, str]] = {
    "jQuery, called": (
        "var $ = window.jQuery; »$('body')",
        "$ is the page's jQuery, and is undefined: there is no page here",
    ),
    "jQuery by its sign": (
        "const $ = window.$\n  »$('body').addClass('x')",
        "$ is the page's $, and is undefined",
    ),
    "jQuery, read of": (
        "const jQ = globalThis.jQuery; »jQ.ajax('/a')",
        "jQ is the page's jQuery, and is undefined",
    ),
    "jQuery, taken apart": (
        "const { jQuery: $ } = window\n  »$('body')",
        "$ is the page's jQuery, and is undefined",
    ),
    "jQuery in a block": (
        "const $ = window.jQuery\n  if (options) { »$('body') }",
        "$ is the page's jQuery, and is undefined",
    ),
    "the place": (
        "const l = window.location; if (»l.href === 'x') return",
        "l is the page's location, and is undefined: there is no browser",
    ),
}


@pytest.mark.parametrize(("body", "said"), NEEDS_A_PAGE.values(), ids=NEEDS_A_PAGE.keys())
def test_a_name_for_something_of_the_page_is_named(lab: Lab, body: str, said: str) -> None:
    text = f"module.exports = function variation (options) {{\n  {body}\n}}"
    before = text.partition("»")[0].split("\n")
    script = lab.bundle(text.replace("»", ""))

    problem = lab.fails(script)
    found, doubts = find_all(script, lab.registry, NOW)

    place = ("variation.js", len(before), len(before[-1]) + 1)
    assert (problem.file, problem.line, problem.column) == place
    assert said in problem.message
    assert [(each.file, each.line, each.column) for each in found] == [place]
    assert said in found[0].message
    assert doubts == []


@pytest.mark.parametrize(
    "body",
    [
        "const $ = window.jQuery; if ($) $('body')",
        "const $ = window.jQuery || (() => {}); $('body')",
        "let $ = window.jQuery; $ = () => {}; $('body')",
        "const $ = window.jQuery; try { $('body') } catch (error) {}",
        "if (!window.jQuery) return; const $ = window.jQuery; $('body')",
        "const window = { jQuery: () => {} }; const $ = window.jQuery; $('body')",
        "window.jQuery = () => {}; const $ = window.jQuery; $('body')",
        "const l = window.location; l?.href",
    ],
)
def test_a_name_that_is_looked_for_or_made_is_no_finding(lab: Lab, body: str) -> None:
    script = lab.bundle(f"module.exports = function variation (options) {{ {body} }}")

    assert find_all(script, lab.registry, NOW)[0] == []
    assert lab.run(script).outcome == "ran"


POLLER = "const poller = require('@qubit/poller')\n"
SELECTORS: Mapping[str, tuple[str, tuple[int, int], tuple[int, int]]] = {
    "a callback by its name": (
        POLLER + "module.exports = () => { poller('.x', cb) }\nfunction cb () {}",
        (2, 26),
        (2, 33),
    ),
    "a list": (
        POLLER + "module.exports = () => { poller(['.x', '#y'], cb) }\nfunction cb () {}",
        (2, 26),
        (2, 34),
    ),
    "an import": (
        "import poll from '@qubit/poller'\nexport default () => poll('.x').then(() => 1)",
        (2, 22),
        (2, 27),
    ),
    "of options": ("module.exports = o => o.poll('.x', later)\nvar later = { timeout: 1 }", (1, 25), (1, 30)),
}


@pytest.mark.parametrize(("text", "called_at", "found_at"), SELECTORS.values(), ids=SELECTORS.keys())
def test_a_poll_of_a_selector_is_found(
    lab: Lab, text: str, called_at: tuple[int, int], found_at: tuple[int, int]
) -> None:
    script = lab.bundle(text)
    problem = lab.fails(script)
    found, _ = find_all(script, lab.registry, NOW)

    assert (problem.line, problem.column) == called_at
    assert 'the selector ".x" needs a DOM' in problem.message
    assert (found[0].line, found[0].column) == found_at
    assert 'the selector ".x" needs a page' in found[0].message


@pytest.mark.parametrize("called", ["register(['x'], r => r)", "render('x', () => 1)", "getReact()"])
def test_react_is_found(lab: Lab, called: str) -> None:
    script = lab.bundle(
        f"module.exports = function variation (options) {{\n  return options.react.{called}\n}}"
    )
    name = called.partition("(")[0]
    problem = lab.fails(script)
    found, _ = find_all(script, lab.registry, NOW)

    assert (problem.line, problem.column, problem.message.split("; ")[0]) == (
        2,
        24,
        f"Error: options.react.{name} needs a DOM, and there is none here",
    )
    assert [(each.line, each.column) for each in found] == [(2, 24)]
    assert f"options.react.{name} needs a page" in found[0].message


def test_a_global_script_can_require_and_import(lab: Lab) -> None:
    for first in (
        "var utils = require('./utils'), prices = require('./prices')",
        "import utils from './utils'\nimport prices from './prices.json'",
    ):
        script = lab.bundle(
            {
                "global.js": f"{first}\nvar told = utils.word + prices.a",
                "utils.js": "module.exports = { word: 'hi' }",
                "prices.json": '{"a": 3}',
                "variation.js": "module.exports = options => options.log.info(told)",
            }
        )
        report = lab.run(script)

        assert [line["message"] for line in report.log] == ["hi3"]
        assert find_all(script, lab.registry, NOW) == ([], [])


def test_a_package_that_a_global_script_lacks_is_found(lab: Lab) -> None:
    script = lab.bundle(
        {"global.js": "var _ = require('lodash')", "variation.js": "module.exports = () => {}"}
    )
    found, _ = find_all(script, lab.registry, NOW)

    assert [(each.file, each.line, each.column, each.code) for each in found] == [
        ("global.js", 1, 9, "module_not_found")
    ]
