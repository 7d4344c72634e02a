"""What an experience takes of a shared file that does not export it: told by `check`, and by a run."""

from collections.abc import Mapping

import pytest

from tests.conftest import Lab
from tests.scripts.rules import found

MODULE = "export function greet () { return 'hi' }\nexport const one = 1, { two } = { two: 2 }\n"
COMMONJS = "module.exports = { greet: () => 'hi', one: 1, two () {} }\n"

WRONG: Mapping[str, tuple[str, str, tuple[int, int], str]] = {
    "an import": (
        "import { one, grete } from './utils'\nexport default () => grete()",
        MODULE,
        (1, 15),
        "greet",
    ),
    "under another name": (
        "import { grete as g } from './utils.js'\nexport default () => g()",
        MODULE,
        (1, 10),
        "greet",
    ),
    "of CommonJS": (
        "import { grete } from './utils'\nexport default () => grete()",
        COMMONJS,
        (1, 10),
        "greet",
    ),
    "a default": (
        "import greet from './utils'\nexport default () => greet()",
        MODULE,
        (1, 8),
        "write import {",
    ),
    "a default by its name": (
        "import { default as g } from './utils'\nexport default () => g()",
        MODULE,
        (1, 10),
        "write import {",
    ),
    "nothing is exported": (
        "import { greet } from './utils'\nexport default () => greet()",
        "const a = 1",
        (1, 10),
        "nothing",
    ),
    "of an older name": ("import { tow } from './common'\nexport default () => tow", MODULE, (1, 10), "two"),
}
ONLY_CALLED: Mapping[str, tuple[str, str, tuple[int, int], str]] = {
    "taken out": (
        "const { grete } = require('./utils')\nmodule.exports = () => grete()",
        COMMONJS,
        (1, 9),
        "greet",
    ),
    "a member": (
        "const utils = require('./utils')\nmodule.exports = () => utils.grete()",
        COMMONJS,
        (2, 30),
        "greet",
    ),
    "a member of all": (
        "import * as utils from './utils'\nexport default () => utils.grete()",
        MODULE,
        (2, 28),
        "greet",
    ),
}
RIGHT: Mapping[str, tuple[str, str]] = {
    "all there": (
        "import all, { greet, two } from './utils'\nexport default () => { greet(); two; all.one }",
        COMMONJS,
    ),
    "a default of CommonJS": ("import all from './utils'\nexport default () => all.greet()", COMMONJS),
    "its default by name": (
        "import { default as a } from './utils'\nexport default () => a.greet()",
        COMMONJS,
    ),
    "a default beside others": (
        "import d, { one } from './utils'\nexport default () => d(one)",
        MODULE + "export default () => 3",
    ),
    "members added later": (
        "import { late } from './utils'\nexport default () => late()",
        "const all = {}\nall.late = () => 1\nmodule.exports = all",
    ),
    "members of this": ("import { late } from './utils'\nexport default () => late()", "this.late = () => 1"),
    "spread": (
        "import { late } from './utils'\nexport default () => late()",
        "const a = { late: () => 1 }\nmodule.exports = { ...a }",
    ),
    "one by one": (
        "import { late } from './utils'\nexport default () => late()",
        "exports.late = exports.other = () => 1",
    ),
    "looked for": (
        "const u = require('./utils')\nmodule.exports = () => { if (u.grete) u.grete(); u.toString() }",
        COMMONJS,
    ),
    "looked for by its name": (
        "const { grete } = require('./utils')\nmodule.exports = () => { if (grete) grete() }",
        COMMONJS,
    ),
    "given a member": (
        "const u = require('./utils')\nmodule.exports = () => { u.grete = () => 1; u.grete() }",
        COMMONJS,
    ),
    "all of another file": (
        "import { a } from './utils'\nexport default () => a()",
        "export * from './common'",
    ),
}


@pytest.mark.parametrize(
    ("text", "shared", "at", "hint"), {**WRONG, **ONLY_CALLED}.values(), ids=[*WRONG, *ONLY_CALLED]
)
def test_a_name_that_is_not_exported_is_found_where_it_is_taken(
    lab: Lab, text: str, shared: str, at: tuple[int, int], hint: str
) -> None:
    told = found(lab, {"variation.js": text, "utils.js": shared})

    assert [each[:4] for each in told] == [("script_error", "variation.js", *at)]
    assert hint in told[0][4]


@pytest.mark.parametrize(("text", "shared", "at", "hint"), WRONG.values(), ids=WRONG.keys())
def test_a_run_ends_at_the_import_of_a_name_that_is_not_exported(
    lab: Lab, text: str, shared: str, at: tuple[int, int], hint: str
) -> None:
    problem = lab.fails({"variation.js": text, "utils.js": shared})

    assert (problem.code, problem.file, problem.line, problem.column) == ("script_error", "variation.js", *at)
    assert " exports no " in problem.message
    assert hint in problem.message


@pytest.mark.parametrize(("text", "shared"), RIGHT.values(), ids=RIGHT.keys())
def test_what_is_there_may_be_there_or_is_looked_for_is_passed_over(lab: Lab, text: str, shared: str) -> None:
    files = {"variation.js": text, "utils.js": shared, "common.js": "exports.a = () => 1"}

    assert found(lab, files) == []
    assert lab.run(files).outcome == "ran"


def test_an_import_of_types_needs_nobody_to_export_them(lab: Lab) -> None:
    files = {
        "utils.ts": "export interface Shape { a: number }\nexport const one = 1",
        "variation.ts": (
            "import { Shape, one } from './utils'\nexport default (o: any) => { const s: Shape = { a: one } }"
        ),
    }

    assert found(lab, files) == []
    assert lab.run(files).outcome == "ran"


def test_one_shared_file_exports_what_the_other_has(lab: Lab) -> None:
    files = {
        "variation.js": "import { one } from './utils'\nexport default () => one()",
        "utils.js": "export { one, twise } from './common'",
        "common.js": "export const one = () => 1, twice = 2",
    }
    told = found(lab, files)
    problem = lab.fails(files)

    assert [each[:4] for each in told] == [("script_error", "utils.js", 1, 15)]
    assert (problem.file, problem.line, problem.column) == ("utils.js", 1, 15)
    assert "did you mean twice?" in problem.message


def test_a_function_that_a_variation_returns_is_told(lab: Lab) -> None:
    report = lab.run("module.exports = () => () => 1")

    assert report.outcome == "ran"
    assert [line["message"] for line in report.log if line["level"] == "warn"] == [
        "the variation returned a function, which nobody calls; call it in the variation, "
        "or write return { remove: … } for what is to be taken back"
    ]


def test_every_lost_value_of_a_payload_is_named_up_to_a_bound(lab: Lab) -> None:
    report = lab.does(
        "await echo.schedule({ a: new Map(), b: { c: [new Set(), Promise.resolve(1)] },"
        " d: Array.from({ length: 9 }, () => new Map()) }, { key: 'k', delay: '1h' })"
    )

    told = [line["message"] for line in report.log if line["level"] == "warn"]
    assert [each.partition(",")[0] for each in told[:3]] == [
        "payload.a is a Map",
        "payload.b.c[0] is a Set",
        "payload.b.c[1] is a Promise",
    ]
    assert len(told) == 11
    assert told[-1] == "2 more values of this payload go out as empty objects"
