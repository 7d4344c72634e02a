# Guest code reads better unbroken.
# ruff: noqa: E501
"""What options.integration refuses: each code with its value, rule and fix. Source: reference/codes."""

import json
import re
from collections.abc import Mapping

import pytest

from tests.conftest import Lab

# each call of `echo` below that must be refused -> its code, and what its message says: value, rule, fix
REFUSED: Mapping[str, tuple[str, str, str]] = {
    "a delay nobody can read": (
        "echo.schedule(1, { delay: '1h30m5' })",
        "invalid_delay",
        r'delay "1h30m5" .*write',
    ),
    "a negative delay": ("echo.schedule(1, { delay: -1 })", "invalid_delay", r"delay -1 .*write"),
    "a delay that is no number": (
        "echo.schedule(1, { delay: Infinity })",
        "invalid_delay",
        r"options\.delay is Infinity, which JSON cannot carry; use",
    ),
    "a time nobody can read": ("echo.schedule(1, { time: 'soon' })", "invalid_time", r'time "soon" .*write'),
    "a time in seconds": (
        "echo.schedule(1, { time: 1772900000 })",
        "invalid_time",
        r"time 1772900000 is in seconds.*write 1772900000000",
    ),
    "a window nobody can read": (
        "echo.schedule(1, { delay: 1, window: { day: 'mon' } })",
        "invalid_window",
        r'"mon" is not a day of the week in full; did you mean "monday"',
    ),
    "a window with an unknown part": (
        "echo.schedule(1, { delay: 1, window: { dayz: 'monday' } })",
        "invalid_window",
        r'"dayz"; did you mean "day"',
    ),
    "a window with a function": (
        "echo.schedule(1, { delay: 1, window: { day () {} } })",
        "invalid_window",
        r"options\.window\.day is a function",
    ),
    "a key that is no object": ("echo.schedule(1, { delay: 1, key: 7 })", "invalid_key", r"key 7 .*write"),
    "a key with a function": (
        "echo.schedule(1, { delay: 1, key: { a () {} } })",
        "invalid_key",
        r"options\.key\.a is a function",
    ),
    "a key with a forgotten await": (
        "echo.schedule(1, { delay: 1, key: { id: Promise.resolve(7) } })",
        "invalid_key",
        r"options.key.id is a Promise; write await",
    ),
    "a cancel without a key": ("echo.cancel({})", "invalid_key", r"cancel has no key; write the key"),
    "a cancel without anything": ("echo.cancel()", "invalid_key", r"cancel has no key; write the key"),
    "a payload with a function": (
        "echo.schedule({ a: [{ b () {} }] }, { delay: 1 })",
        "invalid_payload",
        r"payload\.a\[0\]\.b is a function, which JSON cannot carry; use",
    ),
    "a payload with NaN": (
        "echo.schedule({ 'my price': NaN }, { delay: 1 })",
        "invalid_payload",
        r'payload\["my price"\] is NaN',
    ),
    "a payload with a BigInt": (
        "echo.schedule([1n], { delay: 1 })",
        "invalid_payload",
        r"payload\[0\] is a BigInt",
    ),
    "a payload with a Symbol": (
        "echo.schedule({ a: Symbol() }, { delay: 1 })",
        "invalid_payload",
        r"payload\.a is a Symbol",
    ),
    "a payload with a cycle": (
        "const a = { b: {} }; a.b.c = a; return echo.schedule(a, { delay: 1 })",
        "invalid_payload",
        r"payload\.b\.c is a cycle",
    ),
    "a payload with a getter that throws": (
        "echo.schedule({ get a () { throw new Error('no') } }, { delay: 1 })",
        "invalid_payload",
        r"payload is unreadable: Error: no",
    ),
    "a payload nested too deep": (
        "let a = {}; for (let i = 0; i < 1000; i++) a = [a]; return echo.schedule(a, { delay: 1 })",
        "invalid_payload",
        r"is nested deeper than",
    ),
    "options in the payload": (
        "echo.schedule({ message: 'a', delay: '1h' })",
        "no_delay_or_time",
        r"delay stands in the payload; options are the second value: schedule\({…}, { delay: … }\)",
    ),
    "an invalid Date in a payload": (
        "echo.schedule({ at: [new Date(NaN)] }, { delay: 1 })",
        "invalid_payload",
        r"payload\.at\[0\] is an invalid Date: something that it is made of is missing",
    ),
    "an invalid Date as the time": (
        "const at = new Date(1e12); at.setHours(undefined); return echo.schedule(1, { time: at })",
        "invalid_time",
        r"time is an invalid Date: something that it is made of is missing, or no date; look at that before",
    ),
    "a payload that is left out": ("echo.schedule()", "invalid_payload", r"payload is undefined"),
    "a payload whose toJSON says nothing": (
        "echo.schedule({ toJSON () {} }, { delay: 1 })",
        "invalid_payload",
        r"payload is undefined",
    ),
    "a payload of more than 256 KiB": (
        "echo.schedule('x'.repeat(262143), { delay: 1 })",
        "payload_too_large",
        r"262,145 bytes.*262,144; send",
    ),
    "a payload of several MiB": (
        "echo.schedule('x'.repeat(3e6), { delay: 1 })",
        "payload_too_large",
        r"more than 256 KiB.*send less",
    ),
    "both delay and time": (
        "echo.schedule(1, { delay: 5, time: Date.now() })",
        "delay_and_time",
        r"delay 5 and time 177\d+ are both set; exactly one is allowed: leave one out",
    ),
    "neither delay nor time": ("echo.schedule(1, {})", "no_delay_or_time", r"neither delay nor time.*write"),
    "a delay beyond 30 days": (
        "echo.schedule(1, { delay: '31 days' })",
        "beyond_limit",
        r'delay "31 days" is more than the limit of 30 days; write at most',
    ),
    "a time beyond 30 days": (
        "echo.schedule(1, { time: Date.now() + 30 * 864e5 + 1 })",
        "beyond_limit",
        r"time 177\d+ is more than the limit of 30 days ahead; write at most",
    ),
    "a time in the past": (
        "echo.schedule(1, { time: Date.now() - 60001 })",
        "in_the_past",
        r"time 177\d+ is in the past.*write",
    ),
    "a key that is pending": (
        "await echo.schedule(1, { delay: 1, key: 'k' }); return echo.schedule(1, { delay: 1, key: 'k', ifExists: 'reject' })",
        "already_scheduled",
        r".+",
    ),
    "an option with a wrong value": (
        "echo.schedule(1, { delay: 1, ifExists: 'never' })",
        "invalid_parameter",
        r'ifExists "never" .*write "replace"',
    ),
    "an option that is mistyped": (
        "echo.schedule(1, { delay: 1, cancelOnConvertion: true })",
        "invalid_parameter",
        r'did you mean "cancelOnConversion"',
    ),
    "options that are no object": (
        "echo.schedule(1, 'soon')",
        "invalid_parameter",
        r'"soon" is not an object; write',
    ),
    "options that are a function": (
        "echo.schedule(1, () => 1)",
        "invalid_parameter",
        r"options is a function",
    ),
    "a timeout that is none": (
        "echo({}, { timeout: 0 })",
        "invalid_parameter",
        r"timeout 0 is not .*write 5000",
    ),
    "execute with an option of schedule": (
        "echo({}, { tiemout: 5 })",
        "invalid_parameter",
        r'"tiemout".*did you mean "timeout"',
    ),
    "a second execute of one key within a minute": (
        "await echo(1, { key: 'k' }); return echo(1, { key: 'k' })",
        "rate_limited",
        r"executed for the key .*less than 60 s ago; wait",
    ),
    "a cancel whose reason is no text": (
        "echo.cancel({ key: 'k', reason: 7 })",
        "invalid_parameter",
        r"reason 7 .*write",
    ),
}


@pytest.mark.parametrize(("call", "code", "pattern"), REFUSED.values(), ids=REFUSED.keys())
def test_a_refusal_rejects_with_its_code_and_stores_nothing(
    lab: Lab, call: str, code: str, pattern: str
) -> None:
    verb = "execute" if re.match(r"(await )?echo\(", call) else "cancel" if ".cancel(" in call else "schedule"
    attempt = call if "return" in call else f"return {call}"
    report = lab.does(
        f"await (async () => {{ {attempt} }})().then(() => options.log.info('resolved'), error =>\n"
        "  options.log.info(JSON.stringify([error instanceof Error, error.code, error.message])))"
    )

    assert report.outcome == "ran"
    said = [line["message"] for line in report.log if line["logger"] == "variation"]
    is_error, got_code, message = json.loads(said[0])
    assert (is_error, got_code) == (True, code)
    assert message.startswith(f"Failed to perform {verb} action: ")
    assert re.search(pattern, message), message
    # logged at error although the author caught it, and in the document
    assert message in [line["message"] for line in report.log if line["level"] == "error"]
    assert report.calls[-1]["error"] == {"code": code, "message": message}
    assert len(lab.executions()) == len(report.calls) - 1


def test_a_null_key_of_execute_means_the_default_key(lab: Lab) -> None:
    lab.does("await options.integration('echo', { key: 'k' }).execute({}, { key: null })")
    (execution,) = lab.executions()

    assert execution.key == '"k"'
