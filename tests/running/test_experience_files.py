# Guest code reads better unbroken.
# ruff: noqa: E501
"""The table of files, and the module forms: one row after the other. Source: reference/experiences#files."""

import base64
import json

import pytest
from experience_runtime.running.report import Report
from experience_runtime.scripts.bundle import Bundle
from experience_runtime.scripts.loading import load_experience

from tests.conftest import Lab


def messages(report: Report) -> list[str]:
    assert report.error is None, report.error
    return [line["message"] for line in report.log]


def test_variation_js(lab: Lab) -> None:
    report = lab.run(
        {"variation.js": "module.exports = function variation (options) { options.log.info('ran') }"}
    )

    assert messages(report) == ["ran"]


def test_variation_master_id_js(lab: Lab) -> None:
    text = "module.exports = options => options.log.info(options.meta.variationMasterId)"

    assert messages(lab.run({"variation-4711.js": text})) == ["4711"]


def test_a_single_file_is_a_variation_linked_to_everything(lab: Lab) -> None:
    path = lab.folder / "greeting.js"
    path.write_text("module.exports = o => { o.integration('echo'); o.log.info('ran') }", encoding="utf-8")

    report = lab.run(Bundle(load_experience(path)))

    assert (report.experience, messages(report)) == ("greeting", ["ran"])


def test_triggers_js_decides_whether_the_variation_runs(lab: Lab) -> None:
    files = {
        "triggers.js": "module.exports = function triggers (options, cb) { cb(false) }",
        "variation.js": "module.exports = o => o.log.info('ran')",
    }

    assert lab.run(files).outcome == "not_triggered"


@pytest.mark.parametrize("file", ["utils.js", "common.js"])
@pytest.mark.parametrize("asked", ["./utils", "./common", "./utils.js"])
def test_utils_js_or_common_js(lab: Lab, file: str, asked: str) -> None:
    files = {
        file: "exports.greeting = 'hello'",
        "variation.js": f"module.exports = o => o.log.info(require('{asked}').greeting)",
    }

    assert messages(lab.run(files)) == ["hello"]


def test_global_js_runs_once_before_the_triggers(lab: Lab) -> None:
    files = {
        "global.js": "var runs = (window.runs || 0) + 1; order = ['global']",
        "triggers.js": "module.exports = (o, cb) => { order.push('triggers'); cb() }",
        "variation.js": "module.exports = o => o.log.info(order.join(), runs)",
    }
    run = lab.open(files)
    run.start()
    run.receive("ecView", {})  # the page's own
    run.receive("ecView", {})
    report = run.finish()

    assert messages(report) == ["global,triggers 1", "global,triggers,triggers 1"]


def test_what_global_js_throws_is_logged_and_never_fatal(lab: Lab) -> None:
    report = lab.run(
        {
            "global.js": "throw new Error('oh')",
            "variation.js": "module.exports = o => o.log.info('ran')",
        }
    )

    assert report.outcome == "ran"
    assert [(line["level"], line["logger"], line["message"]) for line in report.log] == [
        ("error", "global", "Error: oh"),
        ("info", "variation", "ran"),
    ]


def test_package_json_meta(lab: Lab) -> None:
    qfn = base64.b64encode(b"123:echo:1").decode()
    meta = {"experienceId": 7, "templateData": {"colour": "red"}, "qfns": {"echo": qfn}}
    files = {
        "package.json": json.dumps({"meta": meta}),
        "variation.js": (
            "module.exports = o => { o.integration('echo'); o.log.info(o.meta.experienceId, o.data.colour)\n"
            "  try { o.integration('broken') } catch (e) { o.log.info(e.code) } }"
        ),
    }

    assert messages(lab.run(files)) == ["7 red", "not_linked"]


def test_a_control_has_triggers_and_no_variation(lab: Lab) -> None:
    files = {
        "triggers.js": (
            "module.exports = (options, cb) => {\n"
            "  options.onActivation(() => options.log.info('active', options.meta.variationIsControl)); cb() }"
        )
    }
    report = lab.run(files)

    assert (report.outcome, messages(report)) == ("ran", ["active true"])


FORMS = {
    "CommonJS": "module.exports = function variation (options) { options.log.info('ran') }",
    "CommonJS, an async function": "module.exports = async options => options.log.info('ran')",
    "an ES export default": "export default function variation (options) { options.log.info('ran') }",
    "a bare function expression": "function (options) { options.log.info('ran') }",
    "a bare function expression in brackets": "(function (options) { options.log.info('ran') })",
    "a bare named function": "function execution (options) { options.log.info('ran') }",
    "a bare async function": "async function (options) { await null; options.log.info('ran') }",
    "a bare arrow function": "options => options.log.info('ran')",
    "a comment before a bare function": "// for the shop\nfunction (options) { options.log.info('ran') }",
}


@pytest.mark.parametrize("text", FORMS.values(), ids=FORMS.keys())
def test_module_form(lab: Lab, text: str) -> None:
    assert messages(lab.run(text)) == ["ran"]


@pytest.mark.parametrize("text", ["// nothing yet\n", "/* nothing */"])
def test_a_blank_file_is_an_empty_function(lab: Lab, text: str) -> None:
    report = lab.run(text)

    assert (report.outcome, report.log) == ("ran", [])


@pytest.mark.parametrize("text", ["", " \n\n"])
def test_an_empty_file_is_warned_of_and_runs(lab: Lab, text: str) -> None:
    report = lab.run(text)

    assert report.outcome == "ran"
    assert [(line["level"], line["message"]) for line in report.log] == [
        ("warn", "variation.js is empty, so nothing runs")
    ]


def test_code_is_sloppy_and_shares_one_global_scope(lab: Lab) -> None:
    files = {
        "global.js": "var fromGlobal = 'g'",
        "triggers.js": "module.exports = (o, cb) => { implicit = 'i'; window.named = 'n'; (function () { this.own = 'o' })(); cb() }",
        "variation.js": (
            "module.exports = o => o.log.info(fromGlobal, implicit, named, own, window.fromGlobal, self.named,\n"
            "  window === globalThis, window.window === self, Object.keys(window).indexOf('window'))"
        ),
    }

    assert messages(lab.run(files)) == ["g i n o g n true true -1"]
