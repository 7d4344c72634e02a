"""experience schedules: recurring schedules from the command line."""

from datetime import datetime
from typing import Any

import pytest
from experience_runtime.clocks import SystemClock

from tests.cli.conftest import CommandLine

DIGEST = ("digest", "--integration", "slack-update", "--payload", '{"message": "Good morning"}')
DAILY = ("--daily", "09:00", "--timezone", "Europe/Paris")


def a_digest(cli: CommandLine, *words: str) -> Any:
    return cli.json("schedules", "set", *DIGEST, *(words or DAILY))


def test_set_saves_and_prints_five_instants_in_both_zones(cli: CommandLine) -> None:
    said = a_digest(cli)

    assert (said["saved"], said["is_new"]) == (True, True)
    assert "slack-update is not configured yet" in said["warnings"][0]
    assert len(said["next"]) == 5
    for instant in said["next"]:
        local, at = datetime.fromisoformat(instant["local"]), datetime.fromisoformat(instant["at"])
        assert local == at > SystemClock().now()
        assert (local.hour, local.minute) == (9, 0)
    assert said["schedule"] == {
        "name": "digest",
        "integration": "slack-update",
        "recurrence": {"daily": "09:00"},
        "timezone": "Europe/Paris",
        "window": None,
        "payload": {"message": "Good morning"},
        "skip": [],
        "catch_up": "one",
        "paused_at": None,
        "next_at": said["next"][0]["at"],
        "last": None,
        "created_at": said["schedule"]["created_at"],
        "updated_at": said["schedule"]["created_at"],
        "version": 1,
    }


@pytest.mark.parametrize(
    ("words", "recurrence"),
    [
        (("--weekly", "monday,friday 09:00"), {"weekly": "monday,friday 09:00"}),
        (("--cron", "0 9 * * 1-5"), {"cron": "0 9 * * 1-5"}),
        (
            ("--every", "2 hours", "--starting", "2026-03-02T09:00Z"),
            {"every": "2 hours", "starting": "2026-03-02T09:00:00.000Z"},
        ),
    ],
)
def test_every_way_of_saying_how_often_is_an_option(
    cli: CommandLine, words: tuple[str, ...], recurrence: dict[str, str]
) -> None:
    window = ("--window-day", "monday-friday", "--window-time", "09:00-17:00")
    rest = ("--timezone", "UTC", "--skip", "2030-12-25", "--skip", "2030-12-24", "--catch-up", "none")

    schedule = a_digest(cli, *words, *window, *rest)["schedule"]

    assert schedule["recurrence"] == recurrence
    assert schedule["window"] == {"day": "monday-friday", "time": "09:00-17:00"}
    assert (schedule["skip"], schedule["catch_up"]) == (["2030-12-24", "2030-12-25"], "none")


def test_a_dry_run_and_a_preview_save_nothing(cli: CommandLine) -> None:
    dry = a_digest(cli, *DAILY, "--dry-run")
    preview = cli.json("schedules", "preview", *DAILY)

    assert dry["saved"] is False
    assert preview == {"recurrence": {"daily": "09:00"}, "timezone": "Europe/Paris", "next": dry["next"]}
    assert cli.json("schedules", "list") == {"schedules": [], "removed": []}


def test_people_read_the_instants_in_two_columns(cli: CommandLine) -> None:
    said = cli("schedules", "preview", "--weekly", "monday 09:00", "--timezone", "America/New_York")

    assert said.code == 0
    lines = said.out.splitlines()
    assert lines[0] == "weekly on monday at 09:00"
    assert lines[1].split() == ["America/New_York", "UTC"]
    assert [line.split()[0] for line in lines[2:]] == ["Monday"] * 5
    assert all("09:00 -0" in line and line.endswith(":00:00.000Z") for line in lines[2:])


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--timezone", "UTC"), "invalid_parameter", "does not say how often"),
        (("--daily", "9:00", "--timezone", "UTC"), "invalid_parameter", '"09:00"'),
        (
            ("--daily", "09:00", "--every", "5 minutes", "--timezone", "UTC"),
            "invalid_parameter",
            "every and daily",
        ),
        (("--cron", "0 0 9 * * *", "--timezone", "UTC"), "invalid_parameter", "without seconds"),
        (("--daily", "09:00"), "missing_parameter", "timezone is not set"),
        (("--daily", "09:00", "--timezone", "Paris"), "invalid_parameter", "Europe/Paris"),
        ((*DAILY, "--skip", "tomorrow"), "invalid_parameter", '"tomorrow"'),
        ((*DAILY, "--window-day", "mon"), "invalid_window", "monday"),
        ((*DAILY, "--payload", "{"), "invalid_payload", "is not JSON"),
        ((*DAILY, "--payload", "{}"), "invalid_payload", ""),
        ((*DAILY, "--integration", "slack"), "unknown_integration", "slack-update"),
    ],
)
def test_set_refuses_with_a_code_and_saves_nothing(
    cli: CommandLine, words: tuple[str, ...], code: str, said: str
) -> None:
    refusal = cli("schedules", "set", *DIGEST, *words, "--json").refusal

    assert refusal["code"] == code
    assert said in refusal["message"]
    assert cli.json("schedules", "list") == {"schedules": [], "removed": []}


@pytest.mark.parametrize("verb", ["show", "pause", "resume", "run", "remove"])
def test_every_verb_refuses_an_unknown_name(cli: CommandLine, verb: str) -> None:
    refusal = cli("schedules", verb, "nightly", "--json").refusal

    assert refusal["code"] == "unknown_schedule"
    assert "experience schedules list" in refusal["message"]


def test_pause_resume_and_remove(cli: CommandLine) -> None:
    next_at = a_digest(cli)["schedule"]["next_at"]

    paused = cli.json("schedules", "pause", "digest")
    resumed = cli.json("schedules", "resume", "digest")
    removed = cli.json("schedules", "remove", "digest")

    assert paused["paused_at"] is not None
    assert (paused["next_at"], paused["next"]) == (None, [])
    assert (resumed["paused_at"], resumed["next_at"], len(resumed["next"])) == (None, next_at, 5)
    assert removed == {"removed": "digest"}
    listed = cli.json("schedules", "list")
    assert listed["schedules"] == []
    assert [each["name"] for each in listed["removed"]] == ["digest"]
    assert "`experience schedules restore digest` takes that back" in cli("schedules", "list").out
    restored = cli.json("schedules", "restore", "digest")
    assert (restored["next_at"], len(restored["next"])) == (next_at, 5)
    assert cli("schedules", "restore", "digest", "--json").refusal["code"] == "unknown_schedule"


def test_run_fires_one_that_a_worker_delivers_and_show_tells_of_it(cli: CommandLine) -> None:
    a_digest(cli)

    execution = cli.json("schedules", "run", "digest")
    again = cli("schedules", "run", "digest", "--json").refusal
    cli.json("worker", "--until-idle")
    shown = cli.json("schedules", "show", "digest")

    assert execution["payload"] == {"message": "Good morning"}
    assert (again["code"], execution["id"] in again["message"]) == ("conflict", True)
    assert cli.json("executions", "show", execution["id"])["reason"] == "not_configured"
    assert shown["last"] == execution["id"]
    (run,) = shown["runs"]
    assert run == {
        "at": execution["requested_at"],
        "outcome": "fired",
        "execution": execution["id"],
        "reason": "run now",
        "count": 1,
    }


def test_people_see_the_whole_schedule(cli: CommandLine) -> None:
    a_digest(cli, *DAILY, "--window-day", "monday-friday", "--skip", "2030-12-25")
    cli.json("schedules", "run", "digest")

    said = cli("schedules", "show", "digest").out
    listed = cli("schedules", "list").out
    cli("schedules", "pause", "digest")

    for part in (
        "daily 09:00 (Europe/Paris)",
        '{"message":"Good morning"}',
        "window monday-friday 00:00-23:59",
        "skips 2030-12-25",
        "the latest missed instant runs",
        "fired",
        "run now",
    ):
        assert part in said
    assert "digest" in listed
    assert "paused" in cli("schedules", "list").out


def test_an_empty_list_says_how_to_begin(cli: CommandLine) -> None:
    assert "experience schedules set NAME" in cli("schedules", "list").out
