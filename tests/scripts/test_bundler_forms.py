# What tools write reads better unbroken.
# ruff: noqa: E501
"""Files as compilers and bundlers write them run: esbuild 0.28, rollup 4 and TypeScript 7, as they wrote these."""

from collections.abc import Mapping

import pytest
from experience_runtime.domain.errors import ScriptModuleNotFound
from experience_runtime.scripts.bundle import Bundle
from experience_runtime.scripts.loading import load_experience
from experience_runtime.scripts.rules import find_all

from tests.conftest import NOW, Lab

SAYS = "options.log.info('ran')"
ESBUILD_HELPERS = """var __defProp = Object.defineProperty;
var __getOwnPropDesc = Object.getOwnPropertyDescriptor;
var __getOwnPropNames = Object.getOwnPropertyNames;
var __hasOwnProp = Object.prototype.hasOwnProperty;
var __export = (target, all) => { for (var name in all) __defProp(target, name, { get: all[name], enumerable: true }); };
var __copyProps = (to, from, except, desc) => {
  if (from && typeof from === "object" || typeof from === "function") {
    for (let key of __getOwnPropNames(from))
      if (!__hasOwnProp.call(to, key) && key !== except)
        __defProp(to, key, { get: () => from[key], enumerable: !(desc = __getOwnPropDesc(from, key)) || desc.enumerable });
  }
  return to;
};
var __toCommonJS = (mod) => __copyProps(__defProp({}, "__esModule", { value: true }), mod);
var src_exports = {};
__export(src_exports, { default: () => variation, version: () => version });
"""
BODY = f"var version = 1;\nfunction variation(options) {{ {SAYS} }}\n"
ROLLUP_UMD = (
    "(function (global, factory) {\n"
    "\ttypeof exports === 'object' && typeof module !== 'undefined' ? factory(exports) :\n"
    "\ttypeof define === 'function' && define.amd ? define(['exports'], factory) :\n"
    "\t(global = typeof globalThis !== 'undefined' ? globalThis : global || self, factory(global.experience = {}));\n"
    "})(this, (function (exports) { 'use strict';\n"
    f"\tvar variation = async (options) => {{ {SAYS} }};\n\texports.default = variation;\n\texports.version = 1;\n"
    "\tObject.defineProperty(exports, '__esModule', { value: true });\n}));\n"
)
MARK = "Object.defineProperty(exports, '__esModule', { value: true });\n"

FORMS: Mapping[str, str] = {
    "esbuild, cjs": ESBUILD_HELPERS + "module.exports = __toCommonJS(src_exports);\n" + BODY,
    "esbuild, esm": BODY + "export {\n  variation as default,\n  version\n};",
    "esbuild, esm, minified": f"var o=1;async function r(options){{{SAYS}}}export{{r as default,o as version}};",
    "esbuild, iife with a global name": (
        f'"use strict";\nvar experience = (() => {{\n{ESBUILD_HELPERS}{BODY}return __toCommonJS(src_exports);\n}})();\n// end'
    ),
    "rollup, cjs": f"'use strict';\n\n{BODY}\nmodule.exports = variation;\n",
    "rollup, cjs with names": f"'use strict';\n\n{MARK}{BODY}\nexports.default = variation;\nexports.version = version;\n",
    "rollup, iife": f"var experience = (function () {{\n\t'use strict';\n\t{BODY}\n\treturn variation;\n\n}})();\n",
    "rollup, iife with names": (
        f"var experience = (function (exports) {{\n\t'use strict';\n\t{BODY}\n\texports.default = variation;\n"
        f"\t{MARK}\n\treturn exports;\n\n}})({{}});\n"
    ),
    "rollup, umd with names": ROLLUP_UMD,
    "TypeScript, CommonJS": f'"use strict";\n{MARK}exports.default = variation;\n{BODY}',
    "TypeScript, CommonJS with names": (
        f'"use strict";\n{MARK}exports.version = void 0;\nexports.version = 1;\nexports.default = async (options) => {{ {SAYS} }};'
    ),
    "Babel": f'"use strict";\n{MARK}exports.default = void 0;\nvar _default = exports.default = options => {{ {SAYS} }};',
    "a default alone, by hand": f"exports.default = function (options) {{ {SAYS} }}",
    "a directive above a function alone": f"'use strict'\nfunction variation (options) {{ {SAYS} }}",
    "a call that gives the function": f"(function () {{ return function (options) {{ {SAYS} }} }})()",
}


@pytest.mark.parametrize("text", FORMS.values(), ids=FORMS.keys())
def test_it_runs_as_a_variation(lab: Lab, text: str) -> None:
    script = lab.bundle(text)
    report = lab.run(script)

    assert report.outcome == "ran", report.error
    assert [line["message"] for line in report.log] == ["ran"]
    assert find_all(script, lab.registry, NOW) == ([], [])


@pytest.mark.parametrize("text", FORMS.values(), ids=FORMS.keys())
def test_it_decides_as_triggers(lab: Lab, text: str) -> None:
    decides = text.replace(SAYS, "return false")
    script = lab.bundle({"variation.js": "module.exports = o => o.log.info('ran')", "triggers.js": decides})

    found, doubts = find_all(script, lab.registry, NOW)
    assert (found, doubts) == ([], [])
    if "async" not in text:
        assert lab.run(script).outcome == "not_triggered"


def test_a_bundle_that_keeps_its_function_is_told_the_format(lab: Lab) -> None:
    problem = lab.fails(f"(() => {{\n  function variation(options) {{ {SAYS} }}\n}})();")

    assert "or let the bundler write its format cjs or esm" in problem.message


NO_FUNCTION: Mapping[str, str] = {
    "": "nothing",
    "// later": "nothing",
    "const decide = (options, cb) => cb(false)": "nothing",
    "module.exports = {}": "nothing",
    "module.exports = { a: 1 }": "object",
    "module.exports = true": "boolean",
    "module.exports = null": "null",
    "exports.triggers = (options, cb) => cb(false)": "object",
}


@pytest.mark.parametrize(("text", "kind"), NO_FUNCTION.items())
def test_triggers_that_export_no_function_are_warned_of(lab: Lab, text: str, kind: str) -> None:
    script = lab.bundle({"variation.js": "module.exports = o => o.log.info('ran')", "triggers.js": text})
    report = lab.run(script)
    found, doubts = find_all(script, lab.registry, NOW)

    assert [(line["level"], line["logger"]) for line in report.log] == [
        ("warn", "triggers"),
        ("info", "variation"),
    ]
    assert (
        f"the triggers export {kind}, not a function, so the variation runs for everybody"
        in report.log[0]["message"]
    )
    assert found == []
    assert [(each.file, each.line) for each in doubts] == [("triggers.js", 1)]
    assert (
        "export no function, so the variation runs for everybody; write module.exports =" in doubts[0].message
    )


@pytest.mark.parametrize(
    "text",
    [
        "module.exports = require('./utils').triggers",
        "module.exports = make()\nfunction make () { return () => false }",
        "(() => { module.exports = () => false })()",
        "const target = module\ntarget.exports = () => false",
        "module.exports = {}\nmodule['exports'] = () => false",
        "Object.assign(exports, { default: () => false })",
    ],
)
def test_what_only_running_can_tell_is_no_doubt(lab: Lab, text: str) -> None:
    files = {
        "triggers.js": text,
        "utils.js": "exports.triggers = () => false",
        "variation.js": "module.exports = () => {}",
    }
    script = lab.bundle(files)

    assert find_all(script, lab.registry, NOW) == ([], [])
    assert lab.run(script).outcome == "not_triggered"


OLD_NAMES: Mapping[tuple[str, ...], str] = {
    ("activation.js", "execution.js"): "rename activation.js to triggers.js and execution.js to variation.js",
    ("activation.js", "variation.js"): "rename activation.js to triggers.js",
    ("execution.js", "triggers.js"): "rename execution.js to variation.js",
}


@pytest.mark.parametrize(("names", "advice"), OLD_NAMES.items())
def test_files_by_older_names_are_told_their_names_of_today(
    lab: Lab, names: tuple[str, ...], advice: str
) -> None:
    with pytest.raises(ScriptModuleNotFound, match=f"{advice}$"):
        lab.bundle(dict.fromkeys(names, ""))


@pytest.mark.parametrize(
    ("name", "outcome"),
    [("triggers.js", "not_triggered"), ("triggers.ts", "not_triggered"), ("my.js", "ran")],
)
def test_triggers_alone_are_triggers_and_say_so(lab: Lab, name: str, outcome: str) -> None:
    lab.bundle("")
    (lab.folder / name).write_text("module.exports = (options, cb) => { if (cb) cb(false) }")
    report = lab.run(Bundle(load_experience(lab.folder / name)))

    assert report.outcome == outcome
    said = f"{name} alone only decides; name its folder to run its variation too"
    assert [line["message"] for line in report.log] == ([said] if outcome == "not_triggered" else [])


@pytest.mark.parametrize(
    ("name", "today"), [("activation.js", "triggers.js"), ("execution.js", "variation.js")]
)
def test_a_file_alone_by_an_older_name_is_told_its_name_of_today(lab: Lab, name: str, today: str) -> None:
    lab.bundle("")
    (lab.folder / name).write_text("module.exports = () => {}")

    with pytest.raises(ScriptModuleNotFound, match=f"rename {name} to {today}$"):
        load_experience(lab.folder / name)
