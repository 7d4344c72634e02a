"""integrations pause and resume: what is due waits, says so, and goes on."""

from pathlib import Path

from .conftest import CommandLine


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

    assert resumed == {"integration": "slack-update", "paused_at": None, "pending": 1}
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
