"""Rejections that nobody handles: logged with their place, and the run has failed."""
# Guest code reads better unbroken.
# ruff: noqa: E501

import pytest

from tests.conftest import Lab

UNHANDLED = {
    "an async function that nobody awaits": ";(async () => { throw new Error('lost') })()",
    "a promise": "Promise.reject(new Error('lost'))",
    "a timer": "setTimeout(async () => { throw new Error('lost') }, 5)",
    "a timer's own promise": "setTimeout(() => { Promise.reject(new Error('lost')) }, 5)",
    "a microtask": "queueMicrotask(async () => { throw new Error('lost') })",
    "a listener": "options.uv.on('a', async () => { throw new Error('lost') }); options.uv.emit('a')",
    "a then without a catch": "Promise.resolve().then(() => { throw new Error('lost') })",
    "a finally": "Promise.reject(new Error('lost')).finally(() => {})",
}


@pytest.mark.parametrize("body", UNHANDLED.values(), ids=UNHANDLED.keys())
def test_it_fails_the_run_and_is_logged_with_its_place(lab: Lab, body: str) -> None:
    report = lab.does(body)

    assert report.outcome == "failed"
    assert report.error is not None
    assert (report.error.code, report.error.file, report.error.line) == ("script_error", "variation.js", 2)
    (line,) = report.log
    assert line["level"] == "error"
    assert line["message"].endswith("Error: lost")
    assert "variation.js:2:" in line["metadata"]["stack"]


HANDLED = {
    "a catch": "Promise.reject(new Error('x')).catch(() => {})",
    "a catch that comes later": "const p = Promise.reject(new Error('x')); await null; p.catch(() => {})",
    "a catch in a later turn": "const p = Promise.reject(new Error('x')); setTimeout(() => p.catch(() => {}), 50)",
    "an await": "try { await Promise.reject(new Error('x')) } catch (e) {}",
    "allSettled": "await Promise.allSettled([Promise.reject(1), echo.schedule(1)])",
}


@pytest.mark.parametrize("body", HANDLED.values(), ids=HANDLED.keys())
def test_one_that_is_handled_before_the_run_ends_fails_nothing(lab: Lab, body: str) -> None:
    assert lab.does(body).outcome == "ran"


def test_a_refused_call_that_nobody_catches_has_its_own_code_and_one_line(lab: Lab) -> None:
    report = lab.does(
        "echo.schedule(1, { delay: '1 minute', key: 'kept' })\necho.schedule(1, { delay: 'soon' })"
    )

    assert report.outcome == "failed"
    assert report.error is not None
    assert (report.error.code, report.error.line) == ("invalid_delay", 3)
    (line,) = [line for line in report.log if line["level"] == "error"]
    assert line["logger"] == "integration:echo"
    assert "variation.js:3:" in line["metadata"]["stack"]
    assert [each.key for each in lab.executions()] == ['"kept"']


def test_many_of_them_are_counted(lab: Lab) -> None:
    report = lab.does("for (let i = 0; i < 500; i++) Promise.reject(new Error('e' + i))")

    assert [line["message"] for line in report.log][-1] == "nobody handled 490 more rejections"
    assert len(report.log) == 11
    assert report.error is not None
    assert report.error.message.startswith("Error: e0")


def test_a_hostile_reason_ends_by_a_limit_or_in_words(lab: Lab) -> None:
    for reason, code in (
        ("{ get a () { for (;;) {} } }", "script_error"),
        ("new Proxy({}, { getPrototypeOf () { throw 1 }, ownKeys () { throw 2 } })", "script_error"),
        ("null", "script_error"),
        ("Object.assign(new Error('x'), { code: 'limit_cpu' })", "script_error"),
    ):
        assert lab.fails(f"module.exports = () => {{ Promise.reject({reason}) }}").code == code
