"""integrations pause and resume: what is due waits, says so, and goes on."""

from pathlib import Path

from .conftest import CommandLine, write


def test_a_paused_integration_keeps_what_is_due_waiting(cli: CommandLine) -> None:
    made = cli.schedule("a", options="delay: 0")

    paused = cli.json("integrations", "pause", "slack-update", "--reason", "the channel is being moved")
    cli("worker", "--until-idle")

    assert (paused["integration"], paused["pending"]) == ("slack-update", 1)
    assert paused["paused_at"]
    (execution,) = cli.json("executions", "list")["executions"]
    assert (execution["status"], execution["due_at"]) == ("pending", made["due_at"])
    assert execution["why"][-1].startswith(
        f"slack-update is paused since {paused['paused_at']}: the channel is"
    )
    assert "the channel is being moved" in cli("executions", "show", made["id"]).out


def test_a_worker_says_what_is_paused(cli: CommandLine) -> None:
    cli.json("integrations", "pause", "slack-update")

    assert "slack-update is paused since" in cli("worker", "--until-idle").err


def test_a_resumed_integration_goes_on(cli: CommandLine) -> None:
    cli.schedule("a", options="delay: 0")
    cli.json("integrations", "pause", "slack-update")

    resumed = cli.json("integrations", "resume", "slack-update")
    cli("worker", "--until-idle")

    assert resumed == {"integration": "slack-update", "paused_at": None, "reason": None, "pending": 1}
    (execution,) = cli.json("executions", "list")["executions"]
    assert (execution["status"], execution["reason"]) == ("failed", "not_configured")


def test_a_pause_is_shown_in_the_list(cli: CommandLine) -> None:
    cli.json("integrations", "pause", "slack-update")

    listed = {each["name"]: each for each in cli.json("integrations", "list")["integrations"]}

    assert listed["slack-update"]["held"].startswith("slack-update is paused since")
    assert listed["webhook"]["held"] is None
    assert "slack-update is paused since" in cli("integrations", "list").out


def test_pausing_twice_and_resuming_what_runs_are_refused(cli: CommandLine) -> None:
    cli.json("integrations", "pause", "slack-update")

    assert cli("integrations", "pause", "slack-update", "--json").refusal["code"] == "conflict"
    assert cli("integrations", "resume", "webhook", "--json").refusal["code"] == "conflict"
    assert cli("integrations", "pause", "carrier-pigeon", "--json").refusal["code"] == "unknown_integration"


def test_listing_integrations_makes_no_database(cli: CommandLine) -> None:
    cli.json("integrations", "list")

    assert not Path("experience.db").exists()


def test_until_idle_waits_for_a_rate(cli: CommandLine) -> None:
    write(Path("experience.toml"), "[delivery.slack-update]\nper_second = 5\n")
    for key in ("a", "b", "c"):
        cli.schedule(key, options="delay: 0")

    cli("worker", "--until-idle")

    assert {each["status"] for each in cli.json("executions", "list")["executions"]} == {"failed"}


def test_a_delivery_table_of_no_integration_is_told_by_the_worker(cli: CommandLine) -> None:
    write(Path("experience.toml"), "[delivery.slack-updat]\nper_second = 5\n")

    assert 'names no integration; did you mean "slack-update"?' in cli("worker", "--until-idle").err


def test_a_broken_integration_file_stops_no_conversion_and_no_cancel(cli: CommandLine) -> None:
    first, second = cli.schedule("a", options="delay: '1 day', cancelOnConversion: true"), cli.schedule("b")
    write(Path("drafts/draft.py"), "def (:\n")

    assert cli("convert", "v1", "--integrations", "drafts").code == 0
    assert cli("executions", "cancel", second["id"], "--integrations", "drafts").code == 0

    shown = cli.json("executions", "list")["executions"]
    assert {each["id"]: each["status"] for each in shown} == dict.fromkeys(
        (first["id"], second["id"]), "cancelled"
    )
