# Guest code reads better unbroken.
# ruff: noqa: E501
"""Modules: the forms an author's file may have, what it can require, and where its errors are."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from experience_runtime.domain.errors import ScriptModuleNotFound, ScriptSyntaxError
from experience_runtime.running.opening import check
from experience_runtime.scripts.bundle import Bundle
from experience_runtime.scripts.loading import load_experience

from tests.conftest import Lab

SAY = "options.log.info('ran')"

FORMS = {
    "CommonJS": f"module.exports = function variation (options) {{ {SAY} }}",
    "an arrow function": f"module.exports = options => {{ {SAY} }}",
    "an async function": f"module.exports = async options => {{ await null; {SAY} }}",
    "exports by another name": f"exports = module.exports = function (options) {{ {SAY} }}",
    "export default": f"export default function (options) {{ {SAY} }}",
    "export default, async and indented": f"  export default async function variation (options) {{ {SAY} }}",
    "export default of an arrow function": f"export  default (options) => {{ {SAY} }}",
    "export default after other code": "const word = 'ran'\nexport default o => { o.log.info(word) }",
    "export default below one in a comment": f"/*\nexport default 1\n*/\nexport default options => {{ {SAY} }}",
    "a bare function": f"function (options) {{ {SAY} }}",
    "a bare named function": f"function variation (options) {{ {SAY} }}\n",
    "a bare function in parentheses": f"(function (options) {{ {SAY} }})",
    "a bare arrow function": f"(options) => {{ {SAY} }}",
    "a bare arrow function of one name": f"options => {{ {SAY} }}",
    "a bare async function": f"async function (options) {{ {SAY} }}",
    "a bare async arrow function": f"async (options) => {{ {SAY} }}",
    "a bare function below comments": f"\n// one\n/* module.exports\n */ // two\n\nfunction (options) {{ {SAY} }}",
    "a last line that is a comment": f"module.exports = function (options) {{ {SAY} }} // end",
    "a regular expression with a quote": "const q = /['\"`]/\nmodule.exports = o => { q.test('') || o.log.info('ran') }",
}


@pytest.mark.parametrize("text", FORMS.values(), ids=FORMS.keys())
def test_a_form_is_accepted(lab: Lab, text: str) -> None:
    report = lab.run(text)

    assert report.error is None
    assert [line["message"] for line in report.log] == ["ran"]


@pytest.mark.parametrize("text", ["", "\n\n", "// nothing yet\n", "/* nothing */", "'use strict'\n"])
def test_a_blank_file_is_an_empty_function(lab: Lab, text: str) -> None:
    assert lab.run(text).outcome == "ran"


def test_blank_triggers_export_nothing_and_so_the_variation_runs(lab: Lab) -> None:
    assert lab.run({"triggers.js": " \n", "variation.js": "module.exports = () => {}"}).outcome == "ran"


def test_a_file_that_exports_something_else_is_told_what_to_write(lab: Lab) -> None:
    problem = lab.fails("module.exports = { variation: 1 }")

    assert problem.code == "script_error"
    assert "exports object, not a function; write module.exports = function variation" in problem.message


# form -> (file, line, column) of the `throw` or of the mistake
PLACES: Mapping[str, tuple[Mapping[str, str], str, tuple[str, int, int]]] = {
    "an error": (
        {"variation.js": "module.exports = function () {\n\n    throw new Error('x')\n}"},
        "script_error",
        ("variation.js", 3, 15),
    ),
    "an error on the first line of a bare function": (
        {"variation.js": "function () { throw new Error('x') }"},
        "script_error",
        ("variation.js", 1, 25),
    ),
    "an error on the line of an export default": (
        {"variation.js": "\nexport default function () { throw new Error('x') }"},
        "script_error",
        ("variation.js", 2, 40),
    ),
    "an error in triggers": (
        {"variation.js": "function () {}", "triggers.js": "module.exports = (o, cb) => {\n  null.x\n}"},
        "script_error",
        ("triggers.js", 2, 3),
    ),
    "an error in utils": (
        {
            "variation.js": "const utils = require('./utils')\nmodule.exports = () => utils.fail()",
            "utils.js": "\n\nexports.fail = () => {\n  missing()\n}",
        },
        "script_error",
        ("utils.js", 4, 3),
    ),
    "an error in the body of utils": (
        {"variation.js": "require('./utils'); module.exports = () => {}", "utils.js": "nothing.here"},
        "script_error",
        ("utils.js", 1, 1),
    ),
    "a rejected await": (
        {"variation.js": "module.exports = async () => {\n  await null\n  throw new Error('x')\n}"},
        "script_error",
        ("variation.js", 3, 13),
    ),
    "a syntax error": (
        {"variation.js": "module.exports = function () {\n  let a = ;\n}"},
        "syntax_error",
        ("variation.js", 2, 11),
    ),
    "a syntax error in triggers": (
        {"variation.js": "function () {}", "triggers.js": "\n\nmodule.exports = (o, cb) => { cb( }"},
        "syntax_error",
        ("triggers.js", 3, 35),
    ),
    "a syntax error in utils": (
        {"variation.js": "function () {}", "utils.js": "exports.a = 1\nconst b = 'half"},
        "syntax_error",
        ("utils.js", 2, 11),
    ),
    "a file that ends too early": (
        {"variation.js": "module.exports = function () {\n  if (1) {\n}\n"},
        "syntax_error",
        ("variation.js", 2, 10),
    ),
}


@pytest.mark.parametrize(("files", "code", "place"), PLACES.values(), ids=PLACES.keys())
def test_an_error_carries_file_line_and_column(
    lab: Lab, files: Mapping[str, str], code: str, place: tuple[str, int, int]
) -> None:
    problem = lab.fails(files)

    assert problem.code == code
    assert (problem.file, problem.line, problem.column) == place


def test_check_finds_the_same_syntax_error_and_runs_nothing(lab: Lab) -> None:
    files, code, place = PLACES["a syntax error"]
    problem = check(lab.bundle(files), lab.pool)

    assert problem is not None
    assert (problem.code, (problem.file, problem.line, problem.column)) == (code, place)
    assert check(lab.bundle("throw new Error('never')\nmodule.exports = 1"), lab.pool) is None


def test_check_finds_a_syntax_error_in_the_global_script(lab: Lab) -> None:
    problem = check(lab.bundle({"variation.js": "", "global.js": "var a = 1\nvar b = ;"}), lab.pool)

    assert problem is not None
    assert (problem.code, problem.file, problem.line) == ("syntax_error", "global.js", 2)


def test_a_stack_has_the_authors_frames_only(lab: Lab) -> None:
    problem = lab.fails(
        "function inner () {\n  throw new Error('x')\n}\nmodule.exports = function variation () {\n  inner()\n}"
    )

    assert problem.stack == "    at inner (variation.js:2:13)\n    at variation (variation.js:5:3)"


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_line_ends_and_a_byte_order_mark_move_nothing(lab: Lab, newline: str) -> None:
    lab.bundle("")
    text = newline.join(
        ["\ufeffmodule.exports = function () {", "  // é", "  throw new Error(`a", "b`)", "}"]
    )
    (lab.folder / "variation.js").write_bytes(text.encode())
    problem = lab.fails(Bundle(load_experience(lab.folder)))

    assert (problem.line, problem.column) == (3, 13)
    assert problem.message == "Error: a\nb"


def test_a_nul_is_refused_with_its_line(lab: Lab) -> None:
    for name in ("variation.js", "global.js", "utils.js"):
        with pytest.raises(ScriptSyntaxError, match="a NUL character cannot stand in a script") as raised:
            lab.bundle({"variation.js": "", name: "\n\0"})
        assert (raised.value.file, raised.value.line) == (name, 2)


def test_a_file_that_is_not_utf_8_is_refused_with_its_line(lab: Lab) -> None:
    lab.bundle("")
    (lab.folder / "variation.js").write_bytes(b"\n\n'\xe9'")

    with pytest.raises(ScriptSyntaxError, match="not UTF-8; save the file as UTF-8") as raised:
        load_experience(lab.folder)
    assert (raised.value.file, raised.value.line) == ("variation.js", 3)


class TestRequire:
    def test_utils_and_the_older_name_common_are_one_module(self, lab: Lab) -> None:
        for file in ("utils.js", "common.js"):
            report = lab.run(
                {
                    file: "exports.count = 0",
                    "variation.js": (
                        "require('./utils').count++; require('./common').count++; require('./utils.js').count++\n"
                        "module.exports = options => options.log.info(require('./common').count)"
                    ),
                }
            )

            assert [line["message"] for line in report.log] == ["3"]

    def test_triggers_and_variation_share_it(self, lab: Lab) -> None:
        report = lab.run(
            {
                "utils.js": "module.exports = { seen: [] }",
                "triggers.js": "module.exports = (o, cb) => { require('./utils').seen.push('t'); cb() }",
                "variation.js": "module.exports = o => o.log.info(require('./utils').seen.join())",
            }
        )

        assert [line["message"] for line in report.log] == ["t"]

    def test_json_is_read(self, lab: Lab) -> None:
        files = {"prices.json": '{"a": [1, "é"]}', "package.json": '{"meta": {"vertical": "ret"}}'}
        for name in ("./prices", "./prices.json"):
            text = (
                f"module.exports = o => o.log.info(require('{name}').a, require('./package').meta.vertical)"
            )
            report = lab.run({**files, "variation.js": text})

            assert [line["message"] for line in report.log] == ['[1,"é"] ret']

    def test_json_in_a_folder_may_be_named_at_run_time(self, lab: Lab) -> None:
        bundle_text = "module.exports = o => o.log.info(require('./texts/' + 'en').hello)"
        lab.bundle(bundle_text)
        texts = lab.folder / "texts"
        texts.mkdir()
        (texts / "en.json").write_text('{"hello": "Hello!"}', encoding="utf-8")
        report = lab.run(Bundle(load_experience(lab.folder)))
        (texts / "en.json").unlink()
        texts.rmdir()

        assert [line["message"] for line in report.log] == ["Hello!"]

    def test_json_that_is_none_is_named(self, lab: Lab) -> None:
        problem = lab.fails(
            {"prices.json": "{a: 1}", "variation.js": "require('./prices'); function x () {}"}
        )

        assert problem.code == "script_error"
        assert problem.message.startswith("SyntaxError: ./prices.json is not JSON")
        assert (problem.file, problem.line) == ("variation.js", 1)

    @pytest.mark.parametrize(
        "name",
        [
            "lodash",
            "fs",
            "variation",
            "triggers",
            "./variation",
            "../secret",
            "/etc/passwd",
            "constructor",
            "",
        ],
    )
    def test_anything_else_is_refused_and_what_can_be_required_is_named(self, lab: Lab, name: str) -> None:
        problem = lab.fails({"utils.js": "", "variation.js": f"\nconst a = require('{name}')"})

        assert problem.code == "module_not_found"
        assert (
            f'cannot find module {name}; this experience can require "./utils", "./common"' in problem.message
        )
        assert (problem.file, problem.line) == ("variation.js", 2)

    def test_with_nothing_beside_it_that_is_said(self, lab: Lab) -> None:
        problem = lab.fails("require('./utils')")

        assert 'this experience can require "@qubit/poller", ' in problem.message
        assert problem.message.endswith('"sync-p"; there is no utils.js or JSON file beside it')

    def test_nothing_outside_the_folder_is_read(self, lab: Lab, tmp_path: Path) -> None:
        secret = tmp_path / "secret.json"
        secret.write_text('{"password": 1}', encoding="utf-8")
        lab.bundle("require('./secret')")
        (lab.folder / "secret.json").symlink_to(secret)

        assert lab.fails(Bundle(load_experience(lab.folder))).code == "module_not_found"

        (lab.folder / "utils.js").symlink_to(secret)
        with pytest.raises(ScriptModuleNotFound, match="leads out of its folder"):
            load_experience(lab.folder)


class TestOneGlobalScope:
    def test_code_is_sloppy_and_implicit_globals_are_shared(self, lab: Lab) -> None:
        report = lab.run(
            {
                "global.js": "var fromGlobal = 1; function helper () { return 4 }\nimplicit = 2",
                "triggers.js": "module.exports = function (o, cb) { fromTriggers = 3; cb() }",
                "variation.js": (
                    "module.exports = function (o) {\n"
                    "  o.log.info(fromGlobal, implicit, fromTriggers, helper(), this === globalThis)\n"
                    "}"
                ),
            }
        )

        assert [line["message"] for line in report.log] == ["1 2 3 4 true"]

    def test_a_const_of_the_global_script_is_seen_by_all(self, lab: Lab) -> None:
        report = lab.run(
            {
                "global.js": "const NAME = 'Ada'; let n = 1; class A {}",
                "variation.js": "module.exports = o => { n++; o.log.info(NAME, n, new A() instanceof A) }",
            }
        )

        assert [line["message"] for line in report.log] == ["Ada 2 true"]

    def test_what_the_global_script_throws_is_logged_and_not_fatal(self, lab: Lab) -> None:
        for text in ("\nthrow new Error('early')", "\nmissing()", "\nvar a = ;", "\nthrow { a: 1 }"):
            report = lab.run({"global.js": text, "variation.js": "module.exports = o => o.log.info('ran')"})

            assert report.outcome == "ran"
            assert [(line["logger"], line["level"]) for line in report.log] == [
                ("global", "error"),
                ("variation", "info"),
            ]

        report = lab.run({"global.js": "\nthrow new Error('early')", "variation.js": ""})
        assert report.log[0]["message"] == "Error: early"
        assert report.log[0]["metadata"] == {"stack": "    at (global.js:2:11)"}

    def test_a_global_script_that_loops_is_limited(self, lab: Lab) -> None:
        problem = lab.fails({"global.js": "function f () { for (;;) Math.abs(1) }\nf()", "variation.js": ""})

        assert (problem.code, problem.file) == ("limit_cpu", "global.js")


class TestAFolder:
    def test_the_last_variation_by_name_is_taken_and_its_number_is_the_master_id(self, lab: Lab) -> None:
        say = "module.exports = o => o.log.info(o.meta.variationMasterId)"
        report = lab.run({"variation-11.js": "", "variation-12.js": say})

        assert [line["message"] for line in report.log] == ["12"]

    def test_a_control_has_triggers_and_no_variation(self, lab: Lab) -> None:
        assert lab.run({"triggers.js": "module.exports = (o, cb) => cb()"}).outcome == "ran"

    def test_a_folder_of_nothing_is_refused(self, lab: Lab) -> None:
        with pytest.raises(ScriptModuleNotFound, match=r"no variation\.js and no triggers\.js"):
            lab.bundle({"readme.txt": ""})

    def test_a_package_that_is_not_json_is_refused_with_its_place(self, lab: Lab) -> None:
        for text, line in (("{\n  a: 1}", 2), ('{"meta": NaN}', None), ("[" * 100_000, None)):
            with pytest.raises(ScriptSyntaxError, match=r"package\.json is not JSON: ") as raised:
                lab.bundle({"variation.js": "", "package.json": text})
            assert (raised.value.file, raised.value.line) == ("package.json", line)
