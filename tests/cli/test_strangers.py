"""What strangers' code and texts cannot do: show a secret, forge a line, or spoil the one JSON document."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from .conftest import CommandLine, write

ACCOUNT = "100200300"
OPTIONS = ("--integrations", "mine")
HOOK = {"EXPERIENCE_INTEGRATION__WEBHOOK__URL": f"https://hooks.example/x?account={ACCOUNT}"}
SHOUTING = """
import logging
from experience_runtime.integration import Integration, IntegrationFailed

print("imported")

class Shouting(Integration):
    name = "shouting"

    def check(self, payload, settings):
        print("checked")

    def call(self, payload, context):
        print("called")
        context.logger.warning("slow\\n2026-03-02 12:00:00 INFO all is well")
        if payload == "fail":
            raise IntegrationFailed("bad\\n2026-03-02T12:00:00.000Z  attempt: succeeded 200", may_pass=False)
        if payload == "raise":
            raise ValueError("bad\\n2026-03-02 12:00:00 INFO all is well")
        return payload
"""
SECRETIVE = {
    "order": int(ACCOUNT),
    "about": [f"of {ACCOUNT}"],
    f"for {ACCOUNT}": None,
    "amount": 1.5,
    "is": True,
}


def test_a_secret_that_is_a_number_is_redacted_and_the_document_stays_one(cli: CommandLine) -> None:
    payload = json.dumps(SECRETIVE)
    made = cli("integrations", "call", "webhook", payload, "--timeout", "1", "--json", env=HOOK)

    listed = cli("executions", "list", "--json", env=HOOK).document["executions"]
    shown = cli("executions", "show", made.document["id"], env=HOOK)

    assert listed[0]["payload"] == {
        "order": "[redacted]",
        "about": ["of [redacted]"],
        "for [redacted]": None,
        "amount": 1.5,
        "is": True,
    }
    assert ACCOUNT not in shown.out


def test_a_key_is_shown_without_secrets(cli: CommandLine) -> None:
    made = cli.schedule(ACCOUNT)

    listed = cli("executions", "list", "--json", env=HOOK).document["executions"]
    shown = cli("executions", "show", made["id"], env=HOOK)

    assert listed[0]["key"] == "[redacted]"
    assert 'key "[redacted]"' in shown.out


@pytest.mark.parametrize(
    "words",
    [
        ("list", "--json"),
        ("show", "digest"),
        ("show", "digest", "--json"),
        ("run", "digest", "--json"),
        ("pause", "digest", "--json"),
        ("resume", "digest", "--json"),
    ],
)
def test_the_payload_of_a_schedule_is_shown_without_secrets(cli: CommandLine, words: tuple[str, ...]) -> None:
    when = ("--daily", "09:00", "--timezone", "UTC")
    cli("schedules", "set", "digest", "--integration", "webhook", "--payload", json.dumps(SECRETIVE), *when)

    said = cli("schedules", *words, env=HOOK)

    assert said.code == 0
    assert "[redacted]" in said.out
    assert ACCOUNT not in said.out


def test_a_failure_cannot_forge_a_line_of_the_history(cli: CommandLine) -> None:
    write(Path("mine/shouting.py"), SHOUTING)
    made = cli("integrations", "call", "shouting", '"fail"', *OPTIONS, "--json").document

    said = cli("executions", "show", made["id"], *OPTIONS)

    assert not re.search(r"^\S+ +attempt: succeeded", said.out, re.MULTILINE)
    assert "attempt: failed bad\\n2026-03-02T12:00:00.000Z" in said.out


def test_nothing_forges_a_line_of_the_log_and_a_trace_stays_readable(cli: CommandLine) -> None:
    write(Path("mine/shouting.py"), SHOUTING)

    said = cli("integrations", "call", "shouting", '"raise"', *OPTIONS, may_trace=True)

    assert not re.search("^2026-03-02", said.err, re.MULTILINE)
    assert re.search(r"slow\\n2026-03-02 12:00:00 INFO all is well \[ex_\w+\]\n", said.err)
    assert "    Traceback (most recent call last):\n" in said.err
    assert "\n    ValueError: bad\n    2026-03-02 12:00:00 INFO all is well\n" in said.err


@pytest.mark.parametrize(
    ("words", "printed"),
    [
        (("integrations", "list"), "imported"),
        (("integrations", "check"), "imported"),
        (("integrations", "call", "shouting", "1"), "called"),
        (("integrations", "call", "shouting", '"fail"'), "checked"),
        (
            ("schedules", "set", "x", "--integration", "shouting", "--payload", "1", "--daily", "09:00"),
            "checked",
        ),
        (("integrations", "call", "nobody", "1"), "imported"),
    ],
)
def test_the_document_is_alone_on_stdout_whatever_an_integration_prints(
    cli: CommandLine, words: tuple[str, ...], printed: str
) -> None:
    write(Path("mine/shouting.py"), SHOUTING)

    said = cli(*words, *OPTIONS, "--json")

    assert isinstance(said.document, dict)
    assert printed in said.err


HEADERS = {"url": "https://hooks.example/"}
BOTS: dict[str, Any] = {"url": "https://bots.example/", "api_key": "k", "api_secret": "s"}


@pytest.mark.parametrize(
    ("name", "table", "part"),
    [
        ("slack-update", {"url": "https://"}, "url is wrong: must name a host"),
        ("slack-update", {"url": "http://ann:pw-of-ann@x.example/"}, "must hold no user name or password"),
        ("slack-update", {"url": "https://x.example/a\nb"}, "must hold no control character"),
        ("slack-update", {"url": "https://x.example/" + "a" * 2048}, "must have at most 2048 characters"),
        ("webhook", {**HEADERS, "headers": {"host": "x"}}, "is set by the runtime; leave it out"),
        ("webhook", {**HEADERS, "headers": {"a b": "x"}}, "is not the name of one"),
        ("webhook", {**HEADERS, "headers": {"x": "a\nb"}}, "headers.x is wrong: holds a line break"),
        ("broadcast", {**BOTS, "api_key": "k\nk"}, "api_key is wrong: holds a line break"),
        ("broadcast", {**BOTS, "api_key": "\n"}, "api_key is wrong"),
    ],
)
def test_check_refuses_what_every_call_would_refuse(
    cli: CommandLine, name: str, table: dict[str, Any], part: str
) -> None:
    write(Path("experience.toml"), f"[integrations.{name}]\n" + _toml(table))

    said = cli("integrations", "check", name)

    assert said.code == 2
    assert part in said.out


@pytest.mark.parametrize(
    ("name", "table"),
    [
        ("slack-update", {"url": " https://x.example/hook\n"}),
        ("webhook", {**HEADERS, "headers": {"x": "Bearer t0ken\n"}}),
        ("broadcast", {**BOTS, "api_key": "k\n"}),
    ],
)
def test_the_line_break_at_the_end_of_a_mounted_secret_does_no_harm(
    cli: CommandLine, name: str, table: dict[str, Any]
) -> None:
    write(Path("experience.toml"), f"[integrations.{name}]\n" + _toml(table))

    assert cli("integrations", "check", name).code == 0


def test_one_integration_that_cannot_be_made_does_not_hide_the_others(cli: CommandLine) -> None:
    write(Path("mine/shouting.py"), SHOUTING + "\n    def __init__(self):\n        raise KeyError('no')\n")

    said = cli("integrations", "check", *OPTIONS, "--json")

    assert said.code == 2
    assert {each["integration"] for each in said.document["problems"]} >= {"shouting", "slack-update"}


def _toml(table: dict[str, Any]) -> str:
    return "".join(
        f"{name} = {{ {', '.join(f'{json.dumps(n)} = {json.dumps(v)}' for n, v in value.items())} }}\n"
        if isinstance(value, dict)
        else f"{name} = {json.dumps(value)}\n"
        for name, value in table.items()
    )
