"""Every verb that changes something leaves one entry in the audit, with the user; a refused one none."""

import csv
import getpass
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest
from experience_runtime.cli import main
from experience_runtime.cli.common import EXIT_REFUSED
from experience_runtime.settings.stored import new_key
from experience_runtime.store.opening import open_sqlite

from .conftest import CommandLine, variation, write

SENT = {"run"}
"""What an application would send: its runs and executions are what is kept of it."""

LOOKS = {
    "agenda", "alerts list", "alerts test", "new", "simulate", "test", "backtest", "dev", "types",
    "check", "explain", "worker", "workers list", "serve", "tokens list", "releases list",
    "releases show", "releases diff", "executions list", "executions show", "runs list", "runs show",
    "runs tail", "why", "schedules list", "schedules show", "audit list", "visitors show",
    "visitors list",
    "visitors export", "integrations list", "integrations show", "integrations check",
    "integrations new", "webhooks list", "webhooks test", "migrate", "backup", "restore", "doctor",
    "schedules preview", "traffic", "settings key", "settings reseal",
}  # fmt: skip
"""What changes nothing that is in use, or the whole of a database, which nobody may be using."""


def verbs(command: click.Command, context: click.Context, words: str = "") -> set[str]:
    if not isinstance(command, click.Group):
        return {words}
    found = set()
    for name in command.list_commands(context):
        inner = command.get_command(context, name)
        assert inner is not None
        found |= verbs(inner, context, f"{words} {name}".strip())
    return found


def entries(cli: CommandLine) -> list[dict[str, Any]]:
    found = cli.json("audit", "list", "--limit", "1000")["entries"]
    assert isinstance(found, list)
    return list(reversed(found))


def test_every_verb_that_changes_something_leaves_one_entry(
    cli: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EXPERIENCE_SETTINGS_KEY", new_key())
    monkeypatch.setenv("EXPERIENCE_SERVE_SETTINGS", "database")
    pending = [cli.schedule(f"k{number}")["id"] for number in range(3)]
    write(Path("failing/variation.js"), variation("return slack.execute('x')"))
    cli("run", "failing", "--visitor", "v1", may_trace=True)
    failed = cli.json("executions", "list", "--status", "failed")["executions"][0]["id"]
    write(Path("reminder/variation.js"), variation("return null"))
    daily = (
        "schedules",
        "set",
        "daily",
        "--integration",
        "slack-update",
        "--daily",
        "09:00",
        "--timezone",
        "UTC",
    )
    cases: dict[str, tuple[tuple[str, ...], str, str]] = {
        "executions cancel": ((pending[0], "--reason", "over"), "execution cancel", pending[0]),
        "executions restore": ((pending[0],), "execution restore", pending[0]),
        "executions replay": ((failed,), "execution replay", failed),
        "executions move": ((pending[0], "--delay", "2 days"), "execution move", pending[0]),
        "executions run": ((pending[0],), "execution move", pending[0]),
        "schedules set": ((*daily[2:], "--payload", '{"message": "hi"}'), "schedule set", "daily"),
        "schedules pause": (("daily",), "schedule pause", "daily"),
        "schedules resume": (("daily",), "schedule resume", "daily"),
        "schedules run": (("daily",), "schedule run", "daily"),
        "schedules remove": (("daily",), "schedule remove", "daily"),
        "schedules restore": (("daily",), "schedule restore", "daily"),
        "integrations pause": (("slack-update", "--reason", "moving"), "integration pause", "slack-update"),
        "integrations resume": (("slack-update",), "integration resume", "slack-update"),
        "hold all": (("--reason", "look"), "deliveries hold", ""),
        "resume all": ((), "deliveries resume", ""),
        "release": (("reminder", "--name", "reminder"), "experience release", "reminder"),
        "releases activate": (("reminder", "1"), "experience activate", "reminder"),
        "releases deactivate": (("reminder",), "experience deactivate", "reminder"),
        "releases rollback": (("reminder",), "experience rollback", "reminder"),
        "tokens create": (("ops", "--scope", "operator"), "token create", "ops"),
        "tokens revoke": (("ops",), "token revoke", "ops"),
        "purge": (("--older-than", "90d", "--kind", "runs", "--yes"), "data purge", "runs"),
        "integrations set": (("segment", "write_key=x"), "integration settings", "segment"),
        "integrations call": (("slack-update", '"hi"'), "integration call", "slack-update"),
        "visitors identify": (("v1", "ada"), "visitor identify", ""),
        "convert": (("v1",), "visitor convert", ""),
        "visitors erase": (("v1", "--yes"), "visitor erase", ""),
    }
    assert verbs(main, click.Context(main)) - SENT - LOOKS == set(cases), (
        "a verb that changes needs a line here"
    )

    for verb, (words, what, object) in cases.items():
        before = len(entries(cli))
        said = cli(*verb.split(), *words)
        assert said.code == (EXIT_REFUSED if verb == "integrations call" else 0), (verb, said)
        made = [(f"{each['kind']} {each['action']}", each["object"]) for each in entries(cli)[before:]]
        assert made == [(what, object)], verb
    assert {each["actor"] for each in entries(cli)} == {f"cli {getpass.getuser()}"}
    assert "ada" not in str([each for each in entries(cli) if each["kind"] == "visitor"])  # erased with them

    refused: list[Callable[[], Any]] = [
        lambda: cli("executions", "restore", pending[1]),
        lambda: cli("tokens", "revoke", "nobody"),
        lambda: cli("schedules", "remove", "nothing"),
        lambda: cli("releases", "activate", "reminder", "9"),
        lambda: cli(*daily, "--payload", "1", "--dry-run"),
        lambda: cli("purge", "--older-than", "90d", "--dry-run"),
        lambda: cli("visitors", "erase", "v2", "--dry-run"),
    ]
    before = len(entries(cli))
    for each in refused:
        each()
    assert len(entries(cli)) == before


def test_people_read_who_changed_what_and_programs_csv(cli: CommandLine) -> None:
    cli("tokens", "create", "shop", "--scope", "site", "--note", "x" * 200)
    made = cli.schedule("a")
    cli("executions", "cancel", made["id"], "--reason", "over")

    told = cli("audit", "list").out
    text = cli("audit", "list", "--kind", "token", "--csv").out
    shown = cli("executions", "show", made["id"]).out

    user = getpass.getuser()
    assert f"execution cancel  {made['id']}  by cli {user}\n" in told
    assert '        reason: "over"\n' in told
    assert f"pending -> cancelled  over  by cli {user}" in shown
    (row,) = csv.DictReader(io.StringIO(text))
    assert json.loads(row["after"])["scopes"] == ["site"]
    assert cli("audit", "list", "--json", "--csv").refusal["code"] == "invalid_parameter"
    assert (
        'did you mean "schedule"' in cli("audit", "list", "--kind", "schedules", "--json").refusal["message"]
    )


def test_no_secret_of_the_settings_is_kept(cli: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK", "https://hooks.example/T0pS3cret")
    write(Path("experience.toml"), '[integrations.slack-update]\nurl = "env:HOOK"\n')
    payload = json.dumps({"message": "post to https://hooks.example/T0pS3cret"})
    set_it = (
        "schedules",
        "set",
        "daily",
        "--integration",
        "slack-update",
        "--daily",
        "09:00",
        "--timezone",
        "UTC",
    )

    assert cli(*set_it, "--payload", payload).code == 0
    cli("integrations", "pause", "slack-update", "--reason", "https://hooks.example/T0pS3cret leaked")

    assert "T0pS3cret" not in json.dumps(entries(cli))
    store = open_sqlite("experience.db")
    kept = store.database.look(lambda read: read("audit", {"below": 99, "limit": 99}))
    store.close()
    assert len(kept) == 2
    assert "leaked" in str(kept)
    assert "T0pS3cret" not in str(kept)
