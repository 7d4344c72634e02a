"""experience executions: newest first, page by page, by filter; cancelling."""

from pathlib import Path

import pytest
from experience_runtime.engine import lookup

from .conftest import CommandLine, variation, write


def _made(cli: CommandLine, count: int) -> list[str]:
    """Schedule so many at once; return their ids, the newest first."""
    each = "(_, n) => slack.schedule('m' + n, {delay: '1 day'})"
    body = f"return Promise.all(Array.from({{length: {count}}}, {each}))"
    write(Path("many/variation.js"), variation(body))
    executions = cli.json("run", "many", "--visitor", "v1")["executions"]
    return [execution["id"] for execution in reversed(executions)]


def test_pages_follow_each_other_newest_first_without_gap_or_overlap(cli: CommandLine) -> None:
    newest_first = _made(cli, 7)

    seen: list[str] = []
    cursor: list[str] = []
    sizes = []
    while True:
        page = cli.json("executions", "list", "--limit", "3", *cursor)
        seen += [execution["id"] for execution in page["executions"]]
        sizes.append(len(page["executions"]))
        if page["next"] is None:
            break
        cursor = ["--cursor", page["next"]]
        if len(sizes) == 1:
            cli.schedule("newer than the first page")

    assert seen == newest_first
    assert sizes == [3, 3, 1]


def test_a_search_goes_on_by_itself_until_it_has_enough(
    cli: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lookup, "MOST_WALKED", 2)  # executions a look
    newest_first = _made(cli, 7)

    every = cli.json("executions", "list", "--payload", "m")
    three = cli.json("executions", "list", "--payload", "m", "--limit", "3")
    rest = cli.json("executions", "list", "--payload", "m", "--cursor", three["next"])
    none = cli.json("executions", "list", "--payload", "nowhere")

    assert [each["id"] for each in every["executions"]] == newest_first
    assert [each["id"] for each in three["executions"] + rest["executions"]] == newest_first
    assert none == {"executions": [], "next": None, "searched_to": None}


def test_filters_narrow_the_list(cli: CommandLine) -> None:
    first = cli.schedule("a", visitor="v1")
    second = cli.schedule("b", visitor="v2")
    cli.json("executions", "cancel", first["id"])

    def ids(*words: str) -> list[str]:
        return [execution["id"] for execution in cli.json("executions", "list", *words)["executions"]]

    assert ids() == [second["id"], first["id"]]  # all states
    assert ids("--status", "pending") == [second["id"]]
    assert ids("--status", "cancelled") == [first["id"]]
    assert ids("--status", "pending", "--status", "cancelled") == [second["id"], first["id"]]
    assert ids("--visitor", "v1") == [first["id"]]
    assert ids("--visitor", "V1") == []
    assert ids("--integration", "slack-update", "--visitor", "v2") == [second["id"]]
    assert ids("--integration", "webhook") == []
    assert ids("--experience", "made", "--status", "pending") == [second["id"]]
    assert ids("--experience", "other") == []


def test_a_replaced_execution_is_kept_with_its_reason(cli: CommandLine) -> None:
    first = cli.schedule("same")
    second = cli.schedule("same")

    shown = cli.json("executions", "show", first["id"])

    assert (shown["status"], shown["reason"]) == ("cancelled", "replaced")
    assert [change["to"] for change in shown["history"]] == ["pending", "cancelled"]
    assert cli.json("executions", "show", second["id"])["status"] == "pending"


def test_show_tells_people_the_why_and_the_history(cli: CommandLine) -> None:
    made = cli.schedule("a")
    cli.json("executions", "cancel", made["id"], "--reason", "the offer ended")

    said = cli("executions", "show", made["id"])

    assert said.code == 0
    for part in (made["id"], "visitor v1", "experience made", '"a"', 'delay "1 day"', "the offer ended"):
        assert part in said.out


def test_a_reason_may_have_1000_characters(cli: CommandLine) -> None:
    made = cli.schedule("a")

    refusal = cli("executions", "cancel", made["id"], "--reason", "x" * 1001, "--json").refusal

    assert "1000" in refusal["message"].replace(",", "")
    assert cli.json("executions", "show", made["id"])["status"] == "pending"
    assert cli.json("executions", "cancel", made["id"], "--reason", "x" * 1000)["cancelled"] == 1


def test_an_empty_list_says_how_to_begin(cli: CommandLine) -> None:
    assert "experience run" in cli("executions", "list").out
    assert cli.json("executions", "list") == {"executions": [], "next": None, "searched_to": None}


def test_the_query_of_an_address_in_a_payload_is_not_shown(cli: CommandLine) -> None:
    body = "return slack.schedule('https://x.example/?token=s3cret', {delay: 0})"
    write(Path("my/variation.js"), variation(body))
    cli.json("run", "my", "--visitor", "v1")

    (listed,) = cli.json("executions", "list")["executions"]

    assert listed["payload"] == "https://x.example/?…"
    assert "s3cret" not in cli("executions", "show", listed["id"]).out
    assert "s3cret" not in cli("executions", "show", listed["id"], "--json").out


def test_a_pending_execution_is_moved_and_run_now(cli: CommandLine) -> None:
    id = cli.schedule("a")["id"]

    moved = cli.json("executions", "move", id, "--delay", "3 days", "--reason", "a fair")
    run = cli.json("executions", "run", id)

    assert "a fair" in moved["history"][-1]["reason"]
    assert run["due_at"] < moved["due_at"]
    assert run["history"][-1]["reason"].endswith(": run now")
    cli.json("executions", "cancel", id)
    refusal = cli("executions", "run", id, "--json").refusal
    assert (refusal["code"], "only a pending execution" in refusal["message"]) == ("conflict", True)
