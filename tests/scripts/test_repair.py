"""The published sample's mistake: refused with its place and its correction, and repaired on request."""

from pathlib import Path

import pytest
from experience_runtime.domain.experience import Experience, SourceText
from experience_runtime.running.opening import check
from experience_runtime.scripts.bundle import Bundle

from tests.conftest import Lab

SAMPLES = Path(__file__).parents[1] / "vectors" / "schedule-integrations-samples"
SCHEDULE = (SAMPLES / "schedule.js").read_text(encoding="utf-8")
CANCEL = (SAMPLES / "cancel.js").read_text(encoding="utf-8")


@pytest.mark.parametrize(("text", "line"), [(SCHEDULE, 7), (CANCEL, 6)], ids=["schedule", "cancel"])
def test_a_printed_sample_is_refused_with_its_place_one_sentence_and_the_line_as_it_should_be(
    lab: Lab, text: str, line: int
) -> None:
    problem = lab.fails(text)

    assert problem.code == "syntax_error"
    assert (problem.file, problem.line, problem.column) == ("variation.js", line, 3)
    assert problem.message == (
        '"options" is already the name of the function\'s parameter, so const cannot declare it again. '
        "Write: const scheduleOptions = {  (and pass that name to the call), or run with --repair"
    )
    assert check(lab.bundle(text), lab.pool) == problem


def test_the_repaired_schedule_sample_schedules_what_it_says(lab: Lab) -> None:
    report = lab.run(lab.bundle(SCHEDULE, repair=True))

    assert report.error is None
    (execution,) = lab.executions()
    assert execution.key == '{"foo":"bar"}'
    assert execution.payload == '{"message":"Hello!"}'
    # asked for Friday 18:30 in Paris, outside Monday to Friday, 09:00 to 17:00
    assert execution.due_at.isoformat() == "2026-03-09T08:00:00+00:00"


def test_a_repair_is_warned_about_with_the_line_to_write(lab: Lab) -> None:
    report = lab.run(lab.bundle(SCHEDULE, repair=True))

    assert report.log[0]["level"] == "warn"
    assert report.log[0]["message"] == (
        "variation.js:7: const options redeclares the parameter options; repaired for this run. "
        "Write instead: const scheduleOptions = {"
    )


def test_options_log_works_in_the_catch_of_a_repaired_sample(lab: Lab) -> None:
    refused = SCHEDULE.replace("delay: 60 * 60 * 1000", "delay: '31 days'")
    report = lab.run(lab.bundle(refused, repair=True))

    assert report.outcome == "ran"
    said = [line["message"] for line in report.log if line["logger"] == "variation"]
    assert len(said) == 1
    assert said[0].startswith("Could not schedule execution: Failed to perform schedule action: delay")


def test_the_repaired_cancel_sample_cancels_what_the_other_scheduled(lab: Lab) -> None:
    lab.run(lab.bundle(SCHEDULE, repair=True))

    report = lab.run(lab.bundle(CANCEL, repair=True))

    (execution,) = lab.executions()
    assert execution.status == "cancelled"
    assert report.calls[0]["result"] == {"cancelled": 1, "ids": [execution.id]}


REPAIRED = {
    "let": (
        "function f (o) { let o = { a: 1 } }",
        "function f (o) { o = Object.setPrototypeOf({ a: 1 }, o) }",
    ),
    "over lines": (
        "function (options) {\n  const options\n    = {\n a: {}\n}\n}",
        "function (options) {\n  options\n    = Object.setPrototypeOf({\n a: {}\n}, options)\n}",
    ),
    "the second parameter, with a default": (
        "function f (a, b = 1) { const b = {}; }",
        "function f (a, b = 1) { b = Object.setPrototypeOf({}, b); }",
    ),
    "brackets in strings inside": (
        "function f (o) { const o = { a: '}', b: `{${'}'}`, c: /}/ }\n}",
        "function f (o) { o = Object.setPrototypeOf({ a: '}', b: `{${'}'}`, c: /}/ }, o)\n}",
    ),
}


@pytest.mark.parametrize(("text", "expected"), REPAIRED.values(), ids=REPAIRED.keys())
def test_the_pattern_is_repaired(text: str, expected: str) -> None:
    (mended, warnings) = mend(text)

    assert "".join(mended.split()) == "".join(expected.split())
    assert mended.count("\n") == text.count("\n")
    assert len(warnings) == 1


def mend(text: str) -> tuple[str, list[str]]:
    """A shared file as the engine takes it, without what is put around it, and what is warned of."""
    file = SourceText("utils.js", text)
    bundle = Bundle(Experience(name="a", shared={"./utils": file}), repair=True)
    return bundle.modules["./utils"].text.partition("{\n\n")[2].removesuffix("\n}"), bundle.warnings


LEFT_ALONE = {
    "another name": "function f (options) { const other = { a: 1 } }",
    "a longer name": "function f (options) { const options2 = { a: 1 } }",
    "var": "function f (options) { var options = { a: 1 } }",
    "a string": "function f (options) { const s = 'const options = {}' }",
    "a template": "function f (options) { const s = `\nconst options = {}\n` }",
    "a template inside a template": "function f (o) { const s = `${`\nconst o = {}\n`}` }",
    "a comment": "function f (options) {\n// const options = {}\n/* const options = {} */ }",
    "a regular expression": "function f (o) { return /const o = {}/ }",
    "a nested function's own scope": "function f (options) { function g () { const options = {} } }",
    "a nested function's own parameter": "function f () { function g (options) { const options = {} } }",
    "a block": "function f (options) { if (1) { const options = {} } }",
    "an arrow function": "(options) => { const options = { a: 1 } }",
    "taking apart": "function f (options) { const {options} = x }",
    "not an object literal": "function f (options) { const options = other }",
    "part of a longer expression": "function f (options) { const options = { a: 1 }.a }",
    "a list of declarations": "function f (options) { const options = {}, b = 2 }",
    "a property": "function f (options) { x.const\noptions = {} }",
}


@pytest.mark.parametrize("text", LEFT_ALONE.values(), ids=LEFT_ALONE.keys())
def test_nothing_else_is_touched(text: str) -> None:
    assert mend(text) == (text, [])


def test_what_a_repair_does_not_cover_stays_a_syntax_error(lab: Lab) -> None:
    problem = lab.fails(lab.bundle("module.exports = (options) => { const options = {} }", repair=True))

    assert (problem.code, problem.file, problem.line) == ("syntax_error", "variation.js", 1)
    assert "Write: const scheduleOptions = {}  (and use" in problem.message


def test_positions_after_a_repair_are_the_authors(lab: Lab) -> None:
    text = "module.exports = function (options) {\n  const options = { a: 1 }\n  throw new Error('x')\n}"
    problem = lab.fails(lab.bundle(text, repair=True))

    assert (problem.line, problem.column) == (3, 13)


def test_a_file_is_left_as_it_is_on_disk(lab: Lab) -> None:
    lab.run(lab.bundle(SCHEDULE, repair=True))

    assert (lab.folder / "variation.js").read_text(encoding="utf-8") == SCHEDULE
