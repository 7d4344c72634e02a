# Guest code reads better unbroken.
# ruff: noqa: E501
"""Triggers: one row of the outcome table after the other. Source: reference/triggers#what-triggers-answer."""

import pytest

from tests.conftest import Lab

VARIATION = "module.exports = o => o.log.info('variation ran')"

# what the body of `function triggers (options, cb)` does -> whether the variation runs
TABLE = {
    "cb()": ("cb()", True),
    "cb(true)": ("cb(true)", True),
    "cb(undefined)": ("cb(undefined)", True),
    "cb(false)": ("cb(false)", False),
    "cb(null)": ("cb(null)", False),
    "cb('')": ("cb('')", False),
    "the first cb counts": ("cb(false); cb(true)", False),
    "cb later": ("setTimeout(cb, 1000)", True),
    "cb(false) later": ("setTimeout(() => cb(false), 1000)", False),
    "returns true": ("return true", True),
    "returns false": ("return false", False),
    "returns false, which wins over cb()": ("cb(); return false", False),
    "returns true, which wins over cb(false)": ("cb(false); return true", True),
    "a promise of undefined": ("return Promise.resolve()", True),
    "a promise of true": ("return Promise.resolve(true)", True),
    "a promise of something truthy": ("return Promise.resolve('yes')", True),
    "a promise of an object": ("return Promise.resolve({})", True),
    "a promise of {execute: true}": ("return Promise.resolve({ execute: true })", True),
    "a promise of false": ("return Promise.resolve(false)", False),
    "a promise of null": ("return Promise.resolve(null)", False),
    "a promise of 0": ("return Promise.resolve(0)", False),
    "a promise of {execute: false}": ("return Promise.resolve({ execute: false })", False),
    "a thenable of false": ("return { then (ok) { ok(false) } }", False),
    "a promise of undefined after cb(false)": ("cb(false); return Promise.resolve()", False),
    "async, cb(false) and then undefined": (
        "return (async () => { await null; cb(false); await null })()",
        False,
    ),
    "async, cb(false) in a timer that is awaited": (
        "return new Promise(ok => setTimeout(() => { cb(false); ok() }, 1000))",
        False,
    ),
    "async, cb(false) after its promise gave undefined": (
        "setTimeout(() => cb(false), 1000); return Promise.resolve()",
        True,
    ),
    "async, cb(false) and then true": ("return (async () => { cb(false); return true })()", True),
    "hooks and cb()": ("cb(); return { remove () {}, onActivation () {}, runAcrossViews: true }", True),
    "hooks and cb(false) later": ("setTimeout(() => cb(false)); return { remove () {} }", False),
}


@pytest.mark.parametrize(("body", "runs"), TABLE.values(), ids=TABLE.keys())
def test_triggers_decide_whether_the_variation_runs(lab: Lab, body: str, runs: bool) -> None:
    files = {
        "triggers.js": f"module.exports = function triggers (options, cb) {{ {body} }}",
        "variation.js": VARIATION,
    }
    report = lab.run(files)

    assert report.error is None
    assert report.outcome == ("ran" if runs else "not_triggered")
    assert [line["message"] for line in report.log] == (["variation ran"] if runs else [])


@pytest.mark.parametrize(
    "text", ["", "var a = 1", "module.exports = {}", "module.exports = true", "exports.a = 1"]
)
def test_what_exports_no_function_lets_the_variation_run(lab: Lab, text: str) -> None:
    log = lab.run({"triggers.js": text, "variation.js": VARIATION}).log

    assert [line["level"] for line in log] == ["warn", "info"]
    assert log[1]["message"] == "variation ran"


@pytest.mark.parametrize(
    "text",
    [
        "module.exports = () => { throw new Error('x') }",
        "module.exports = (o, cb) => { cb(); throw new Error('x') }",
        "module.exports = async () => { throw new Error('x') }",
        "module.exports = async (o, cb) => { await null; throw new Error('x') }",
        "module.exports = () => ({ get then () { throw new Error('x') } })",
        "throw new Error('x')",
    ],
)
def test_what_throws_or_rejects_keeps_the_variation_from_running_and_is_logged(lab: Lab, text: str) -> None:
    report = lab.run({"triggers.js": text, "variation.js": VARIATION})

    assert report.outcome == "failed"
    assert report.error is not None
    assert (report.error.code, report.error.message, report.error.file) == (
        "script_error",
        "Error: x",
        "triggers.js",
    )
    assert [(line["logger"], line["level"], line["message"]) for line in report.log] == [
        ("triggers", "error", "Error: x")
    ]


@pytest.mark.parametrize("text", ["module.exports = (options, cb) => {}", "module.exports = function () {}"])
def test_what_never_answers_is_pending(lab: Lab, text: str) -> None:
    report = lab.run({"triggers.js": text, "variation.js": VARIATION})

    assert (report.outcome, report.error) == ("pending", None)
    assert [line["message"] for line in report.log] == ["pending: triggers never called back"]


@pytest.mark.parametrize(
    "text",
    [
        "module.exports = function triggers (cb) { cb.log.info(cb.meta.visitorId, typeof cb.integration); cb() }",
        "module.exports = cb => { cb.log.info(cb.meta.visitorId, typeof cb.integration); cb() }",
        "module.exports = async cb => { cb.log.info(cb.meta.visitorId, typeof cb.integration); cb() }",
        "module.exports = function (cb /* , b */) { cb.log.info(cb.meta.visitorId, typeof cb.integration); cb() }",
    ],
)
def test_one_parameter_is_the_callback_that_carries_the_options(lab: Lab, text: str) -> None:
    report = lab.run({"triggers.js": text, "variation.js": VARIATION})

    assert [line["message"] for line in report.log] == ["ada function", "variation ran"]


@pytest.mark.parametrize(
    "parameters", ["options, cb = 1", "...all", "{ meta }, cb", "options, [cb]", "options, cb,"]
)
def test_two_parameters_are_counted_in_whatever_form(lab: Lab, parameters: str) -> None:
    body = (
        "(typeof cb === 'function' ? cb : () => {})()" if "cb" in parameters and "[" not in parameters else ""
    )
    text = f"module.exports = function ({parameters}) {{ {body}; return arguments.length === 2 }}"
    if "[" in parameters:
        text = text.replace("[cb]", "cb")

    assert lab.run({"triggers.js": text, "variation.js": VARIATION}).outcome == "ran"


def test_triggers_may_schedule(lab: Lab) -> None:
    text = "module.exports = async (o, cb) => { await o.integration('echo').schedule(1, { delay: 5 }); cb(false) }"
    report = lab.run({"triggers.js": text, "variation.js": VARIATION})

    assert report.outcome == "not_triggered"
    assert len(lab.executions()) == 1
