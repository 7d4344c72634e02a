"""executions cancel and replay: by id, and by filter."""

import pytest

from .conftest import CommandLine


@pytest.fixture
def three(cli: CommandLine) -> list[str]:
    """Three pending executions, the first of v1, the others of v2."""
    visitors = {"a": "v1", "b": "v2", "c": "v2"}
    return [cli.schedule(key, visitor=visitor)["id"] for key, visitor in visitors.items()]


def statuses(cli: CommandLine) -> list[str]:
    return [each["status"] for each in reversed(cli.json("executions", "list")["executions"])]


def failed(cli: CommandLine) -> list[str]:
    """Two executions that failed: slack-update has no settings here."""
    ids = [cli.schedule(key, options="delay: 0")["id"] for key in ("a", "b")]
    assert cli("worker", "--until-idle").code == 0
    assert statuses(cli) == ["failed", "failed"]
    return ids


def test_several_ids_are_cancelled_at_once(cli: CommandLine, three: list[str]) -> None:
    document = cli.json("executions", "cancel", *three[:2], "--reason", "the offer ended")

    assert document == {"cancelled": 2, "ids": three[:2]}
    assert statuses(cli) == ["cancelled", "cancelled", "pending"]


def test_an_id_that_is_refused_does_not_stop_the_others(cli: CommandLine, three: list[str]) -> None:
    cli.json("executions", "cancel", three[0])

    said = cli("executions", "cancel", *three, "--json")

    assert said.code == 2
    assert said.document["ids"] == three[1:]
    (refused,) = said.document["refused"]
    assert (refused["id"], refused["code"]) == (three[0], "conflict")
    assert statuses(cli) == ["cancelled"] * 3


def test_a_filter_is_counted_first(cli: CommandLine, three: list[str]) -> None:
    assert cli.json("executions", "cancel", "--visitor", "v2", "--dry-run") == {"matching": 2}
    assert (
        cli("executions", "cancel", "--visitor", "v2", "--dry-run").out == "2 executions would be cancelled\n"
    )
    assert statuses(cli) == ["pending"] * len(three)


def test_without_a_yes_a_filter_changes_nothing(cli: CommandLine, three: list[str]) -> None:
    refusal = cli("executions", "cancel", "--visitor", "v2", "--json").refusal

    assert refusal["code"] == "invalid_parameter"
    assert (
        refusal["message"]
        == "2 executions would be cancelled; add --yes to do it, or --dry-run to count only"
    )
    assert statuses(cli) == ["pending"] * len(three)


def test_a_filter_cancels_what_it_counted(cli: CommandLine, three: list[str]) -> None:
    document = cli.json("executions", "cancel", "--visitor", "v2", "--yes")

    assert document["cancelled"] == 2
    assert set(document["ids"]) == set(three[1:])
    assert statuses(cli) == ["pending", "cancelled", "cancelled"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "nothing says what to cancel"),
        (("--dry-run",), "nothing says what to cancel"),
        (("ex_0000000000000", "--visitor", "v1"), "not both"),
        (("ex_0000000000000", "--all"), "not both"),
        (
            ("--status", "failed", "--yes"),
            "status failed cannot be cancelled; only pending executions can be",
        ),
        (("--all", "--since", "soon"), "is not ISO 8601"),
    ],
)
def test_what_is_meant_must_be_said(cli: CommandLine, words: tuple[str, ...], message: str) -> None:
    assert message in cli("executions", "cancel", *words, "--json").refusal["message"]


def test_a_failed_execution_is_replayed(cli: CommandLine) -> None:
    first, _ = failed(cli)

    assert cli.json("executions", "replay", first) == {"replayed": 1, "ids": [first]}

    assert statuses(cli) == ["pending", "failed"]
    history = cli.json("executions", "show", first)["history"]
    assert (history[-1]["from"], history[-1]["to"], history[-1]["reason"]) == (
        "failed",
        "pending",
        "replayed",
    )


def test_a_pending_execution_is_not_replayed(cli: CommandLine, three: list[str]) -> None:
    refusal = cli("executions", "replay", three[0], "--json").refusal

    assert refusal["code"] == "conflict"
    assert "is pending; only one that failed or succeeded can be replayed" in refusal["message"]


def test_what_failed_for_one_reason_is_replayed_together(cli: CommandLine) -> None:
    ids = failed(cli)

    assert cli.json("executions", "replay", "--because", "integration_failed", "--dry-run") == {"matching": 0}
    assert cli.json("executions", "replay", "--because", "not_configured", "--dry-run") == {"matching": 2}
    document = cli.json("executions", "replay", "--because", "not_configured", "--reason", "url set", "--yes")

    assert (document["replayed"], set(document["ids"])) == (2, set(ids))
    assert statuses(cli) == ["pending", "pending"]


def test_a_cancelled_execution_is_restored_once(cli: CommandLine, three: list[str]) -> None:
    assert cli("executions", "cancel", three[0]).code == 0

    document = cli.json("executions", "restore", three[0], "--reason", "the offer goes on")

    assert document == {"restored": 1, "ids": [three[0]]}
    last = cli.json("executions", "show", three[0])["history"][-1]
    assert (last["from"], last["to"], last["reason"]) == ("cancelled", "pending", "the offer goes on")
    refusal = cli("executions", "restore", three[0], "--json").refusal
    assert refusal["code"] == "conflict"
    assert "is pending; only a cancelled execution can be restored" in refusal["message"]


def test_the_instant_of_making_filters(cli: CommandLine, three: list[str]) -> None:
    assert cli.json("executions", "cancel", "--until", "2020-01-01T00:00Z", "--dry-run") == {"matching": 0}
    assert cli.json("executions", "cancel", "--since", "2020-01-01T00:00Z", "--dry-run") == {
        "matching": len(three)
    }
