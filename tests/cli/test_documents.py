"""Every --json document has exactly its keys, instants have milliseconds, people read stderr."""

import re
from pathlib import Path
from typing import Any

import pytest

from .conftest import CommandLine, variation, write

INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
LOCAL = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d")
RUN = {
    "experience", "visitor", "outcome", "error", "log", "calls", "executions", "events", "redirects",
}  # fmt: skip
EXECUTION = {
    "id", "integration", "key", "payload", "requested_at", "due_at", "due_local", "zone", "zone_from", "why",
    "status", "reason",
}  # fmt: skip
STORED = (
    "visitor", "experience", "release", "schedule", "window", "cancel_on_conversion", "created_at", "held",
    "zone_rules",
)  # fmt: skip
EVERYTHING = variation("""options.log.info('hello', {n: 1})
  options.uv.emit('seen', {a: 1})
  const when = {delay: '3 hours', window: {time: '09:00-17:00'}}
  return slack.schedule({message: 'Hello!'}, {key: {foo: 'bar'}, ...when})
    .then(() => slack.schedule('never', {delay: 'soon'}))
    .catch(() => {})""")


def check_execution(execution: dict[str, Any], *more: str) -> None:
    assert set(execution) == EXECUTION | set(more)
    assert INSTANT.fullmatch(execution["requested_at"])
    assert INSTANT.fullmatch(execution["due_at"])
    assert LOCAL.fullmatch(execution["due_local"])
    assert execution["why"]
    assert all(isinstance(sentence, str) for sentence in execution["why"])


@pytest.mark.parametrize("verb", ["run", "simulate"])
def test_run_and_simulate_print_the_document_of_a_run(cli: CommandLine, verb: str) -> None:
    write(Path("my/variation.js"), EVERYTHING)

    said = cli(verb, "my", "--visitor", "v1", "--timezone", "Europe/Paris", "--json")
    document = said.document

    assert said.code == 0  # the author caught the rejected call
    assert set(document) == (RUN | {"would_fail"} if verb == "simulate" else RUN)
    assert document["experience"] == "my"
    assert document["visitor"] == {"id": "v1", "timezone": "Europe/Paris", "timezone_offset": None}
    assert (document["outcome"], document["error"]) == ("ran", None)
    assert all(set(line) == {"at", "level", "logger", "message", "metadata"} for line in document["log"])
    assert all(INSTANT.fullmatch(line["at"]) for line in document["log"])
    good, bad = document["calls"]
    assert set(good) == {"integration", "verb", "ok", "result"}
    assert set(good["result"]) == {"id", "key", "time", "requestedTime", "replaced"}
    assert INSTANT.fullmatch(good["result"]["time"])
    assert set(bad) == {"integration", "verb", "ok", "error"}
    assert set(bad["error"]) == {"code", "message"}
    (execution,) = document["executions"]
    check_execution(execution, "attempts")
    assert execution["key"] == {"foo": "bar"}
    assert execution["payload"] == {"message": "Hello!"}
    assert (execution["zone"], execution["zone_from"]) == ("Europe/Paris", "visitor_zone")
    assert [event["type"] for event in document["events"]] == ["seen"]
    assert document["redirects"] == []
    assert said.err == ""


def test_attempts_of_a_simulation_have_their_keys(cli: CommandLine) -> None:
    write(Path("my/variation.js"), EVERYTHING)

    (execution,) = cli.json("simulate", "my", "--visitor", "v1")["executions"]

    (attempt,) = execution["attempts"]
    assert set(attempt) == {"at", "outcome", "status", "error"}
    assert INSTANT.fullmatch(attempt["at"])
    assert execution["status"] == "succeeded"


def test_an_error_has_its_place(cli: CommandLine) -> None:
    write(Path("my/variation.js"), variation("throw new Error('mine')"))

    said = cli("run", "my", "--json")

    assert said.code == 1
    assert said.document["outcome"] == "failed"
    error = said.document["error"]
    assert set(error) == {"code", "message", "file", "line", "column", "stack"}
    assert (error["code"], error["file"], error["line"]) == ("script_error", "variation.js", 3)
    assert "mine" in error["message"]


@pytest.mark.parametrize(
    ("triggers", "outcome"),
    [("cb(false)", "not_triggered"), ("", "pending"), ("cb()", "ran")],
)
def test_outcomes_of_triggers_are_no_failure(cli: CommandLine, triggers: str, outcome: str) -> None:
    write(Path("my/variation.js"), variation(""))
    write(Path("my/triggers.js"), f"module.exports = function triggers (options, cb) {{ {triggers} }}")

    assert cli.json("run", "my")["outcome"] == outcome


def test_check_prints_ok_and_problems(cli: CommandLine) -> None:
    write(Path("good/variation.js"), variation(""))
    write(Path("bad/variation.js"), variation("options.integration('slak-update')"))

    assert cli.json("check", "good") == {"ok": True, "problems": [], "warnings": [], "waits": []}
    said = cli("check", "bad", "--json")

    assert said.code == 1
    assert said.document["ok"] is False
    (problem,) = said.document["problems"]
    assert set(problem) == {"code", "message", "file", "line", "column"}
    assert (problem["code"], problem["file"], problem["line"]) == ("unknown_integration", "variation.js", 3)
    assert 'did you mean "slack-update"?' in problem["message"]


def test_check_says_what_triggers_wait_for(cli: CommandLine) -> None:
    write(Path("my/variation.js"), variation(""))
    listens = "o.uv.on('ec\\u001bView', () => o.getBrowserState().then(b => cb(b.url)))"
    write(Path("my/triggers.js"), f"module.exports = (o, cb) => {{\n  {listens} }}")

    event, url = cli.json("check", "my")["waits"]

    assert event == {"kind": "event", "name": "ec\x1bView", "file": "triggers.js", "line": 2, "column": 3}
    assert (url["kind"], url["name"], url["line"]) == ("browser", "url", 2)
    assert cli("check", "my").out.splitlines() == [
        "my: its triggers wait for event ec\\u001bView; read browser url",
        "my: no problem found",
    ]


def test_explain_prints_the_plan(cli: CommandLine) -> None:
    # a Friday; 18:00 in New York is past the window, the next opening is Monday 09:00, still at -05:00
    words = (
        "--time",
        "2026-03-06T23:00:00Z",
        "--at",
        "2026-03-01T00:00:00Z",
        "--window-day",
        "monday-friday",
    )
    window = ("--window-time", "09:00-17:00", "--timezone", "America/New_York")

    document = cli.json("explain", *words, *window)

    assert set(document) == {"requested_at", "due_at", "due_local", "zone", "zone_from", "why"}
    assert document["requested_at"] == "2026-03-06T23:00:00.000Z"
    assert document["due_at"] == "2026-03-09T13:00:00.000Z"  # daylight saving began on the 8th
    assert document["due_local"] == "2026-03-09T09:00:00.000-04:00"
    assert (document["zone"], document["zone_from"]) == ("America/New_York", "visitor_zone")


def test_executions_list_and_show_print_executions(cli: CommandLine) -> None:
    made = cli.schedule("a")

    listed = cli.json("executions", "list")
    shown = cli.json("executions", "show", made["id"])

    assert set(listed) == {"executions", "next", "searched_to"}
    assert listed["next"] is None
    (execution,) = listed["executions"]
    check_execution(execution, *STORED)
    check_execution(shown, *STORED, "attempts", "history", "run", "run_is_kept", "diagnosis", "same_key")
    assert {name: shown[name] for name in (*EXECUTION, *STORED)} == execution
    (change,) = shown["history"]
    assert set(change) == {"at", "from", "to", "reason", "actor", "payload_changed", "payload_before"}
    assert INSTANT.fullmatch(change["at"])
    assert (change["from"], change["to"]) == (None, "pending")


def test_convert_prints_what_it_cancelled(cli: CommandLine) -> None:
    made = cli.schedule("a", options="delay: '1 day', cancelOnConversion: true")
    cli.schedule("b")

    assert cli.json("convert", "v1") == {"visitor": "v1", "cancelled": 1, "ids": [made["id"]]}
    assert cli.json("convert", "v1") == {"visitor": "v1", "cancelled": 0, "ids": []}
    assert cli.json("executions", "show", made["id"])["reason"] == "conversion"


def test_the_other_verbs_print_one_document_too(cli: CommandLine) -> None:
    made = cli.schedule("a")

    cancelled = cli.json("executions", "cancel", made["id"], "--reason", "enough")
    listed = cli.json("integrations", "list")
    doctor = cli.json("doctor")

    assert cancelled == {"cancelled": 1, "ids": [made["id"]]}
    assert cli.json("executions", "show", made["id"])["history"][-1]["reason"] == "enough"
    assert {"slack-update", "webhook"} <= {each["name"] for each in listed["integrations"]}
    assert all(
        set(each) == {"name", "source", "configured", "broken", "why", "held", "schedules"}
        for each in listed["integrations"]
    )
    assert set(doctor) == {"ok", "checks"}
    assert doctor["ok"] is True
    assert all(set(each) == {"name", "ok", "detail"} for each in doctor["checks"])


def test_alerts_print_how_each_stands_and_what_a_test_came_to(cli: CommandLine) -> None:
    Path("experience.toml").write_text('[alerts.ops]\nintegration = "slack-update"\non = ["lag > 90 s"]\n')

    (alert,) = cli.json("alerts", "list")["alerts"]
    tested = cli("alerts", "test", "ops", "--json")
    unknown = cli("alerts", "test", "opps", "--json").refusal
    checks = {each["name"]: each for each in cli("doctor", "--json").document["checks"]}

    assert set(alert) == {"name", "integration", "on", "every_seconds", "firing", "sent_at", "error"}
    assert (alert["on"], alert["every_seconds"]) == (["lag > 90 s"], 900)
    assert (tested.code, set(tested.document)) == (2, {"alert", "integration", "ok", "error"})
    assert (tested.document["ok"], tested.document["error"]["code"]) == (False, "not_configured")
    assert 'did you mean "ops"?' in unknown["message"]
    assert not checks["alerts"]["ok"]
    assert 'alerts.ops tells nobody: the integration "slack-update" is not' in checks["alerts"]["detail"]


def test_webhooks_print_whom_they_tell_and_what_a_test_came_to(cli: CommandLine) -> None:
    Path("experience.toml").write_text('[webhooks.crm]\nurl = "env:CRM"\nintegrations = ["webhook"]\n')

    listed = cli.json("webhooks", "list")
    tested = cli("webhooks", "test", "crm", "--json")
    unknown = cli("webhooks", "test", "crn", "--json").refusal

    ends = ["execution.succeeded", "execution.failed", "execution.cancelled"]
    crm = {"name": "crm", "on": ends, "integrations": ["webhook"], "behind": 0}
    crm |= {"last": None, "succeeded": 0, "failed": 0, "waiting": 0}
    assert listed == {"webhooks": [crm], "waiting": 0}
    assert (tested.code, set(tested.document)) == (2, {"webhook", "ok", "error"})
    assert (tested.document["ok"], tested.document["error"]["code"]) == (False, "not_configured")
    assert "webhooks.crm.url refers to the environment variable CRM" in tested.document["error"]["message"]
    assert 'did you mean "crm"?' in unknown["message"]


def test_integrations_check_says_what_is_missing(cli: CommandLine) -> None:
    said = cli("integrations", "check", "slack-update", "--json")

    assert said.code == 2
    assert said.document["ok"] is False
    (problem,) = said.document["problems"]
    assert problem["integration"] == "slack-update"
    assert "url is missing" in problem["message"]


@pytest.mark.parametrize(
    "words",
    [
        ("executions", "list"),
        ("explain", "--delay", "1h"),
        ("integrations", "list"),
        ("convert", "v1"),
        ("doctor",),
    ],
)
def test_without_json_people_read_stdout(cli: CommandLine, words: tuple[str, ...]) -> None:
    said = cli(*words)

    assert said.code == 0
    assert said.out.strip()
    assert not said.out.startswith("{")
    assert said.err == ""
