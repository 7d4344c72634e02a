"""What `check` finds where a file exports nothing by a name that is nearly right."""

from collections.abc import Mapping

import pytest

from tests.conftest import Lab
from tests.scripts.rules import check_place, found

FOUND: Mapping[str, str] = {
    "an s that lacks": "»module.export = function variation (options) {",
    "an s too many": "»modules.exports = function variation (options) {",
    "letters the wrong way round": "»module.exprots = (options) => {",
    "exports alone": "const a = 1\n»exports = function variation (options) {",
}
PASSED_OVER: Mapping[str, str] = {
    "both": "exports = module.exports = function variation (options) {}",
    "one beside the right one": "module.exports = function variation (options) {}\nmodule.exportz = 1",
    "an ES module": "export default function variation (options) {}",
    "a bare function": "function variation (options) {}",
    "a default of a compiler": "exports.default = function variation (options) {}",
}


@pytest.mark.parametrize("text", FOUND.values(), ids=FOUND.keys())
def test_an_export_under_another_name_is_found_where_it_stands(lab: Lab, text: str) -> None:
    check_place(lab, text, "script_error", "exports nothing; write module.exports = …")


@pytest.mark.parametrize("text", PASSED_OVER.values(), ids=PASSED_OVER.keys())
def test_what_exports_a_function_is_passed_over(lab: Lab, text: str) -> None:
    assert found(lab, text) == []


def test_triggers_are_looked_at_too(lab: Lab) -> None:
    files = {"variation.js": "module.exports = () => {}", "triggers.js": "module.export = (o, cb) => cb()"}

    assert [each[:4] for each in found(lab, files)] == [("script_error", "triggers.js", 1, 1)]


NO_FUNCTION: Mapping[str, tuple[str, str]] = {
    "a name of its own": (
        "»exports.variation = (options) => {",
        "variation.js exports one function; write module",
    ),
    "an object": (
        "»module.exports = { variation () {}",
        "this exports no function; write module.exports =",
    ),
    "a number": ("»return 5; function helper () {", "this exports no function; write module.exports ="),
}


@pytest.mark.parametrize(("text", "said"), NO_FUNCTION.values(), ids=NO_FUNCTION.keys())
def test_a_variation_that_certainly_exports_no_function_is_found(lab: Lab, text: str, said: str) -> None:
    check_place(lab, text, "script_error", said)
