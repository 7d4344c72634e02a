"""What is allowed and seldom meant is warned of in the log, with the line of the call."""

import pytest
from experience_runtime.domain.visitors import Visitor

from tests.conftest import Lab

DOUBTS = {
    "a forgotten await": (
        "echo.schedule({ a: { b: Promise.resolve(1) } }, { delay: 0 })",
        "payload.a.b is a Promise",
    ),
    "a forgotten await around it all": (
        "echo.schedule((async () => 1)(), { delay: 0 })",
        "payload is a Promise",
    ),
    "a Map": ("echo.schedule([1, new Map([[1, 2]])], { delay: 0 })", "payload[1] is a Map"),
    "a Set in a call that runs now": ("echo({ a: new Set([1]) })", "payload.a is a Set"),
    "a RegExp": (
        "echo.schedule({ a: /x/ }, { delay: 0 })",
        "payload.a is a RegExp, which goes out as an empty",
    ),
    "an Error": ("echo.schedule({ a: new TypeError('x') }, { delay: 0 })", "payload.a is an Error"),
    "a WeakMap": ("echo.schedule({ a: new WeakMap() }, { delay: 0 })", "payload.a is a WeakMap"),
    "a delay that is a text without a unit": ("echo.schedule(1, { delay: '90' })", 'write "90 s", "90 min"'),
    "a delay of seconds": ("echo.schedule(1, { delay: 3600 })", "write 3600000"),
    "a date alone": ("echo.schedule(1, { time: '2026-03-07' })", "has no time of day"),
    "a window of a minute": (
        "echo.schedule(1, { delay: 0, window: { time: '09:00-09:00' } })",
        "one minute long",
    ),
    "the visitor's offset turned round": (
        "echo.schedule(1, { delay: 0, window: { timezoneOffset: 60 } })",
        "write timezoneOffset: -60",
    ),
    "a cancel that finds nothing": (
        "echo.cancel({ key: { id: '7' } })",
        "nothing was pending under this key",
    ),
    "a window's offset in hours": (
        "echo.schedule(1, { delay: 0, window: { timezoneOffset: 2 } })",
        "write -120 for UTC+2",
    ),
    "a default that execute does not keep": (
        "options.integration('echo', { delay: '1h', key: 'k' })(1)",
        'execute runs now, whatever the default says: delay "1h"',
    ),
    "an unknown option of execute": ("echo(1, { zebra: 1 })", 'option "zebra" has no effect in execute'),
}


@pytest.mark.parametrize(("call", "part"), DOUBTS.values(), ids=DOUBTS.keys())
def test_a_doubt_is_logged_with_its_line(lab: Lab, call: str, part: str) -> None:
    report = lab.does(f"\nawait {call}")

    assert report.outcome == "ran"
    warned = [line for line in report.log if line["level"] == "warn" and part in line["message"]]
    assert len(warned) == 1, report.log
    assert "variation.js:3:" in warned[0]["metadata"]["stack"]


@pytest.mark.parametrize(
    "payload",
    [
        "{}",
        "{ a: {} }",
        "[]",
        "new (class A {})",
        "Object.create(null)",
        "await Promise.resolve({ a: 1 })",
        "new Date(0)",
    ],
)
def test_what_is_plainly_empty_is_not_doubted(lab: Lab, payload: str) -> None:
    report = lab.does(f"await echo.schedule({payload}, {{ delay: 0, key: 'k' }})")

    assert [line["message"] for line in report.log if line["level"] == "warn"] == []


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("{ id: 5 }", "{ id: '5' }"),
        ("{ id: '5' }", "{ id: 5 }"),
        ("{ a: [{ b: '1.5', c: 'x' }] }", "{ a: [{ b: 1.5, c: 'x' }] }"),
        ("{ new: 'true', id: '7' }", "{ new: true, id: 7 }"),
    ],
)
@pytest.mark.parametrize("apart", [False, True], ids=["in one run", "in another run"])
def test_a_key_whose_values_differ_in_type_from_a_pending_ones_is_warned_of(
    lab: Lab, first: str, second: str, apart: bool
) -> None:
    pending = f"await echo.schedule(1, {{ delay: '1d', key: {first} }})"
    later = (
        f"\nawait echo.schedule(2, {{ delay: '2d', key: {second} }})",
        f"\nawait echo.cancel({{ key: {second} }})",
    )
    for call in reversed(later):
        lab.does(pending)
        report = lab.does(call if apart else pending + call)

        said = [line["message"] for line in report.log if line["level"] == "warn"]
        assert len(said) == 1, report.log
        assert "under which an execution is pending: their values differ in type" in said[0]
        assert ("nothing was replaced" in said[0]) is ("schedule" in call)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("{ id: 5 }", "{ id: 6 }"),
        ("{ id: 5 }", "{ id: 5 }"),
        ("{ id: '05' }", "{ id: 5 }"),
        ("{ id: null }", "{ id: 'null' }"),
        ("'5'", "'6'"),
    ],
)
def test_a_key_that_says_something_else_is_not_warned_of(lab: Lab, first: str, second: str) -> None:
    report = lab.does(
        f"await echo.schedule(1, {{ delay: '1d', key: {first} }})\n"
        f"await echo.schedule(2, {{ delay: '2d', key: {second} }})"
    )

    assert [line for line in report.log if line["level"] == "warn"] == []


def test_another_visitors_key_of_another_type_is_not_warned_of(lab: Lab) -> None:
    lab.does("await echo.schedule(1, { delay: '1d', key: { id: 5 } })")
    lab.visitor = Visitor(id="eve")

    report = lab.does("await echo.schedule(2, { delay: '2d', key: { id: '5' } })")

    assert [line for line in report.log if line["level"] == "warn"] == []
