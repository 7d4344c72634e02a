"""Each code that the command line can reach: value, rule, fix, and nothing stored."""

from pathlib import Path
from typing import Any

import pytest

from .conftest import CommandLine, variation, write

# code, what the variation does, what the message shows
REFUSED: list[tuple[str, str, list[str]]] = [
    ("invalid_delay", "slack.schedule('hi', {delay: '1h30m5'})", ['"1h30m5"', "not a duration", "5405000"]),
    ("invalid_delay", "slack.schedule('hi', {delay: -1})", ["-1", "negative", "write"]),
    ("invalid_time", "slack.schedule('hi', {time: 'tomorrow'})", ['"tomorrow"', "ISO 8601", "write"]),
    ("invalid_time", "slack.schedule('hi', {time: 1772000000})", ["1772000000", "seconds", "1772000000000"]),
    (
        "invalid_window",
        "slack.schedule('hi', {delay: 0, window: {day: 'mon-fri'}})",
        ['"mon-fri"', '"monday-friday"'],
    ),
    ("invalid_window", "slack.schedule('hi', {delay: 0, window: {time: '9-17'}})", ['"9-17"', "09:00-17:00"]),
    ("invalid_key", "slack.schedule('hi', {delay: 0, key: 5})", ["key 5", "not an object", "write"]),
    ("invalid_key", "slack.cancel({})", ["no key", "write the key"]),
    (
        "invalid_payload",
        "slack.schedule({a: {b: () => 1}}, {delay: 0})",
        ["payload.a.b", "function", "use text"],
    ),
    (
        "invalid_payload",
        "slack.schedule({massage: 'hi'}, {delay: 0})",
        ["massage", "does not fit", "message"],
    ),
    (
        "payload_too_large",
        "slack.schedule('x'.repeat(300000), {delay: 0})",
        ["300,002", "262,144", "send an id"],
    ),
    ("delay_and_time", "slack.schedule('hi', {delay: 0, time: 1})", ["delay 0", "time 1", "leave one out"]),
    ("no_delay_or_time", "slack.schedule('hi', {})", ["neither", "exactly one", "write delay"]),
    (
        "beyond_limit",
        "slack.schedule('hi', {delay: '31 days'})",
        ['"31 days"', "limit of 30 days", "write at most"],
    ),
    (
        "beyond_limit",
        "slack.schedule('hi', {delay: 30 * 864e5 + 1})",
        ["2592000001", "30 days", "write at most"],
    ),
    (
        "in_the_past",
        "slack.schedule('hi', {time: '2020-01-01T00:00:00Z'})",
        ['"2020-01-01', "past", "or delay: 0"],
    ),
    ("invalid_parameter", "slack.schedule('hi', {delay: 0, dealy: 1})", ['"dealy"', "not known", '"delay"']),
    ("invalid_parameter", "slack.schedule('hi', {delay: 0, ifExists: 'x'})", ['"x"', "write", '"reject"']),
    (
        "unknown_visitor",
        "slack.schedule('hi', {delay: 0, cancelOnConversion: true})",
        ["true", "known visitor", "or"],
    ),
]


@pytest.mark.parametrize(("code", "call", "parts"), REFUSED)
def test_a_refused_call_shows_value_rule_and_fix_and_stores_nothing(
    cli: CommandLine, code: str, call: str, parts: list[str]
) -> None:
    write(Path("my/variation.js"), variation(f"return {call}.catch((e) => options.log.info(e.code))"))
    who = [] if code == "unknown_visitor" else ["--visitor", "v1"]

    document = cli.json("run", "my", *who)  # caught: exit code 0
    (error,) = [call["error"] for call in document["calls"]]

    verb = "cancel" if "cancel({" in call else "schedule"
    assert error["code"] == code
    assert error["message"].startswith(f"Failed to perform {verb} action: ")
    assert all(part in error["message"] for part in parts), error["message"]
    assert [line["message"] for line in document["log"] if line["logger"] == "variation"] == [code]
    assert [line["message"] for line in document["log"] if line["level"] == "error"] == [error["message"]]
    assert document["executions"] == []
    assert cli.json("executions", "list")["executions"] == []


def test_a_refusal_that_nobody_catches_is_exit_code_1(cli: CommandLine) -> None:
    write(Path("my/variation.js"), variation("return slack.schedule('hi', {delay: 'soon'})"))

    said = cli("run", "my", "--visitor", "v1", "--json")

    assert said.code == 1
    assert said.document["outcome"] == "failed"
    assert "soon" in said.document["error"]["message"]
    assert "soon" in cli("run", "my", "--visitor", "v1").err


def _errors(document: dict[str, Any]) -> list[dict[str, str]]:
    return [call["error"] for call in document["calls"] if not call["ok"]]


def test_already_scheduled_names_the_other_and_keeps_it(cli: CommandLine) -> None:
    first = cli.schedule("k")
    write(
        Path("my/variation.js"),
        variation("return slack.schedule('b', {delay: '2d', key: 'k', ifExists: 'reject'}).catch(() => {})"),
    )

    (error,) = _errors(cli.json("run", "my", "--visitor", "v1"))

    assert error["code"] == "already_scheduled"
    assert first["id"] in error["message"]
    assert "cancel it first" in error["message"]
    (kept,) = cli.json("executions", "list")["executions"]
    assert (kept["id"], kept["payload"]) == (first["id"], "hi")


def test_execute_says_not_configured_then_rate_limited(cli: CommandLine) -> None:
    body = "return slack('a', {key: 'k'}).catch(() => slack('b', {key: 'k'})).catch(() => {})"
    write(Path("my/variation.js"), variation(body))

    document = cli.json("run", "my", "--visitor", "v1")

    first, second = _errors(document)
    assert first["code"] == "not_configured"
    assert "EXPERIENCE_INTEGRATION__SLACK_UPDATE__URL" in first["message"]
    assert second["code"] == "rate_limited"
    assert "less than 60 s ago" in second["message"]
    (execution,) = document["executions"]
    assert (execution["status"], execution["reason"]) == ("failed", "not_configured")


@pytest.mark.parametrize(
    ("url", "code", "parts"),
    [
        ("http://127.0.0.1:9/T0SECRETPATH0000", "blocked_address", ["127.0.0.1", "allow_private"]),
        ("http://10.0.0.1/T0SECRETPATH0000", "blocked_address", ["10.0.0.1", "allow_private"]),
    ],
)
def test_a_private_address_is_blocked(cli: CommandLine, url: str, code: str, parts: list[str]) -> None:
    env = {"EXPERIENCE_INTEGRATION__SLACK_UPDATE__URL": url}

    said = cli("integrations", "call", "slack-update", '"hi"', "--json", env=env)

    assert said.code == 2
    assert said.document["error"]["code"] == code
    assert all(part in said.document["error"]["message"] for part in parts)
    assert "T0SECRETPATH0000" not in said.out + said.err


SLOW = """
import threading
from experience_runtime.integration import Integration, IntegrationFailed

class Slow(Integration):
    name = "slow"
    def call(self, payload, context):
        if payload == "fail":
            raise IntegrationFailed("the other side said no", may_pass=False)
        threading.Event().wait(1)
"""


def test_integration_failed_and_integration_timeout(cli: CommandLine) -> None:
    write(Path("mine/slow.py"), SLOW)
    write(
        Path("my/variation.js"),
        "module.exports = (options) => { const slow = options.integration('slow')\n"
        "return Promise.allSettled([slow('fail'), slow('wait', {timeout: 50})]) }",
    )

    document = cli.json("run", "my", "--integrations", "mine")
    by_code = {error["code"]: error["message"] for error in _errors(document)}

    assert set(by_code) == {"integration_failed", "integration_timeout"}
    assert "the other side said no" in by_code["integration_failed"]
    assert "0.05 s" in by_code["integration_timeout"]
    assert "raise timeout" in by_code["integration_timeout"]
    assert {execution["status"] for execution in document["executions"]} == {"failed"}


FAULTS: list[tuple[str, str, list[str]]] = [
    (
        "not_linked",
        "options.integration('nope')",
        ['The integration "nope" is not linked to this experience'],
    ),
    ("script_error", "throw new Error('mine')", ["mine"]),
    ("script_error", "return Promise.reject(new Error('mine'))", ["mine"]),
    ("module_not_found", "require('lodash')", ["lodash", "can require"]),
    ("syntax_error", "const x = (", ['closes the "(" of line 3']),
    ("limit_cpu", "for (;;) Math.abs(1)", ["250 ms", "loop"]),
    ("limit_memory", "const a = []; for (;;) a.push('x'.repeat(1e5) + a.length)", ["32 MiB", "keep less"]),
    ("limit_calls", "for (let i = 0; i < 1001; i++) slack.schedule('a', {delay: '1d'})", ["1000", "await"]),
    (
        "limit_log",
        "for (let i = 0; i < 2000; i++) options.log.info('x'.repeat(1000))",
        ["1024 KiB", "write less"],
    ),
]


@pytest.mark.parametrize(("code", "body", "parts"), FAULTS)
def test_a_fault_of_the_script_is_exit_code_1_with_its_place(
    cli: CommandLine, code: str, body: str, parts: list[str]
) -> None:
    write(Path("my/variation.js"), variation(body))

    said = cli("run", "my", "--visitor", "v1", "--json")
    error = said.document["error"]

    assert said.code == 1
    assert (said.document["outcome"], error["code"]) == ("failed", code)
    assert all(part in error["message"] for part in parts), error
    assert error["file"] == "variation.js"
    if code == "syntax_error":
        assert error["line"] == 4  # found where the file goes on instead
    elif code != "limit_cpu":  # whose place is the last call before it
        assert error["line"] == 3
    assert error["column"] >= 1
    place = f"variation.js:{error['line']}:{error['column']}"
    assert place in cli("run", "my", "--visitor", "v1").err
    assert cli.json("executions", "list")["executions"] == []


def test_a_timer_left_alone_is_limit_wall(cli: CommandLine) -> None:
    write(Path("my/variation.js"), variation("setInterval(() => {}, 1000)"))

    said = cli("simulate", "my", "--json")

    assert said.code == 1
    assert said.document["error"]["code"] == "limit_wall"
    assert "clear the timers" in said.document["error"]["message"]


def test_unknown_integration_of_a_linked_name(cli: CommandLine) -> None:
    write(Path("my/package.json"), '{"meta": {"qfns": {"gone": "MTIzOmdvbmU6MQ=="}}}')  # 123:gone:1
    write(
        Path("my/variation.js"),
        "module.exports = (options) => "
        "options.integration('gone').schedule('hi', {delay: 0}).catch(() => {})",
    )

    (error,) = _errors(cli.json("run", "my", "--visitor", "v1"))

    assert error["code"] == "unknown_integration"
    assert '"gone"' in error["message"]
    assert "slack-update" in error["message"]  # those there are


def test_conflict_names_the_state(cli: CommandLine) -> None:
    made = cli.schedule("k")
    cli.json("executions", "cancel", made["id"])

    refusal = cli("executions", "cancel", made["id"], "--json").refusal

    assert refusal["code"] == "conflict"
    assert "cancelled" in refusal["message"]


def test_the_published_sample_is_refused_with_the_corrected_line_and_mended_by_repair(
    cli: CommandLine,
) -> None:
    sample = """module.exports = function variation (options) {
  const integration = options.integration('slack-update')
  const payload = { message: 'Hello!' }
  const options = {
    key: { foo: 'bar' },
    delay: 60 * 60 * 1000
  }
  integration.schedule(payload, options).catch((err) => {
    options.log.error(`Could not schedule execution: ${err.message}`)
  })
}
"""
    write(Path("my/variation.js"), sample)

    refused = cli("run", "my", "--visitor", "v1", "--json")
    mended = cli.json("run", "my", "--visitor", "v1", "--repair")

    assert refused.code == 1
    error = refused.document["error"]
    assert (error["code"], error["file"], error["line"]) == ("syntax_error", "variation.js", 4)
    assert "--repair" in error["message"]
    assert cli("check", "my").code == 1
    assert cli("check", "my", "--repair").code == 0
    assert [execution["key"] for execution in mended["executions"]] == [{"foo": "bar"}]
    assert "warn" in {line["level"] for line in mended["log"]}
