"""experience runs and experience why."""

import json
from pathlib import Path

from .conftest import CommandLine, variation, write

BROKEN = "module.exports = function () {\n  throw new Error('it broke')\n}\n"


def _broken(cli: CommandLine, visitor: str = "v1") -> None:
    write(Path("broken/variation.js"), BROKEN)
    assert cli("run", "broken", "--visitor", visitor).code == 1


def test_a_run_of_the_command_line_is_kept(cli: CommandLine) -> None:
    _broken(cli)
    made = cli.schedule("a", visitor="v2")

    ran, failed = cli.json("runs", "list")["runs"]

    assert (ran["experience"], ran["outcome"], ran["trigger"]) == ("made", "ran", "cli")
    assert (failed["outcome"], failed["code"], failed["place"]) == (
        "failed",
        "script_error",
        "variation.js:2:13",
    )
    assert ran["executions"] == [made["id"]]
    assert cli.json("executions", "show", made["id"])["run"] == ran["id"]
    assert cli.json("runs", "list", "--outcome", "failed", "--experience", "broken")["runs"] == [failed]
    assert cli.json("runs", "show", ran["id"])["id"] == ran["id"]


def test_people_read_what_failed_where(cli: CommandLine) -> None:
    _broken(cli)

    listed = cli("runs", "list").out
    id = cli.json("runs", "list")["runs"][0]["id"]
    shown = cli("runs", "show", id).out

    assert "failed" in listed
    assert "script_error at variation.js:2:13: Error: it broke" in listed
    assert "asked for by cli, files of a folder" in shown


def test_nothing_kept_says_how_to_begin(cli: CommandLine) -> None:
    assert "experience run" in cli("runs", "list").out
    assert "nothing is kept of this visitor" in cli("why", "nobody").out
    assert cli("runs", "show", "rn_0000000000001", "--json").refusal["code"] == "unknown_run"
    assert cli("runs", "show", "what", "--json").refusal["code"] == "unknown_run"


def test_the_tail_has_the_newest_last_one_document_a_line(cli: CommandLine) -> None:
    for visitor in ("v1", "v2", "v3"):
        _broken(cli, visitor)

    lines = [json.loads(line) for line in cli("runs", "tail", "--lines", "2", "--json").out.splitlines()]

    assert [each["visitor"] for each in lines] == ["v2", "v3"]
    assert cli("runs", "tail", "--lines", "0").out == ""


def test_why_says_what_became_of_a_visitors_calls(cli: CommandLine) -> None:
    _broken(cli, "ada")
    first = cli.schedule("a", visitor="ada")["id"]
    second = cli.schedule("a", visitor="ada")["id"]
    write(
        Path("refused/variation.js"), variation("return slack.schedule('hi', {delay: 'soon'}).catch(() => 0)")
    )
    cli.json("run", "refused", "--visitor", "ada")

    told = cli.json("why", "ada")
    text = cli("why", "ada", "slack-update").out

    whats = [(entry["what"], entry["execution"]) for entry in told["entries"]]
    assert ("replaced", first) in whats
    assert ("pending", second) in whats
    assert ("refused", None) in whats
    assert "invalid_delay" in text
    assert cli.json("why", "ada", "webhook")["entries"] == [
        entry for entry in told["entries"] if entry["integration"] is None
    ]


def test_a_visitor_is_exported_then_erased_when_it_is_meant(cli: CommandLine) -> None:
    cli.schedule("a", visitor="ada")

    exported = cli.json("visitors", "export", "ada")
    refused = cli("visitors", "erase", "ada", "--json").refusal
    counted = cli.json("visitors", "erase", "ada", "--dry-run")
    erased = cli("visitors", "erase", "ada", "--yes")

    assert (len(exported["executions"]), len(exported["runs"])) == (1, 1)
    assert refused["code"] == "invalid_parameter"
    assert "--yes" in refused["message"]
    assert (counted["erased"], counted["executions"], counted["cancelled"]) == (False, 1, 1)
    assert erased.out == "erased: 1 executions, 1 runs, 0 events, 0 conversions; 1 were pending\n"
    assert cli.json("executions", "list", "--visitor", "ada")["executions"] == []
    assert cli.json("runs", "list")["runs"] == []
