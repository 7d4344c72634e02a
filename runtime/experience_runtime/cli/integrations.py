"""experience integrations: list, show, check, call, new."""

import functools
import json
import os
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from experience_runtime.cli.common import EXIT_REFUSED, Verbs, everywhere, fail, print_json, read_payload, say
from experience_runtime.cli.holds import pause, resume
from experience_runtime.cli.integration_settings import set_
from experience_runtime.cli.integration_template import integration_text, module_of, own_test_text
from experience_runtime.domain.errors import (
    CallFailed,
    Conflict,
    InvalidParameter,
    NotConfigured,
)
from experience_runtime.runtime import Runtime
from experience_runtime.settings.load import Settings

DEFAULT_FOLDER = Path("my-integrations")

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_NAME_LENGTH = 50
_TAKEN = frozenset(
    {"conftest", "test", "pytest", "pydantic", "experience_runtime", "experience_integrations"}
)


@click.group(
    cls=Verbs,
    epilog="""\b
Examples:
  experience integrations list
  experience integrations check slack-update
  experience integrations call slack-update '{"message": "a test"}'
  experience integrations new send-sms""",
)
def integrations() -> None:
    """List, show, check, set, call, pause, resume and begin integrations."""


integrations.add_command(pause)
integrations.add_command(resume)
integrations.add_command(set_)


@integrations.command(
    "list",
    epilog="""\b
Examples:
  experience integrations list
  experience integrations list --integrations my-integrations --json""",
)
@everywhere
def list_(settings: Settings, as_json: bool) -> None:
    """List the registered integrations, where each comes from and whether it is configured."""
    with Runtime(settings, to_look=True) as runtime:
        found = runtime.lookup_without_database.integrations()
    if as_json:
        print_json(found)
        return
    for each in found["integrations"]:
        state = "configured" if each["configured"] else "broken" if each["broken"] else "not configured"
        say(f"{each['name']:<16} {state:<15} {each['source']}")
        if each["broken"]:
            say(f"    {each['why']}")
            continue
        if each["held"]:
            say(f"    {each['held']}")


@integrations.command(
    "show",
    epilog="""\b
Examples:
  experience integrations show slack-update
  experience integrations show slack-update --json

Of a setting, only whether it is set is shown; never its value.""",
)
@click.argument("name")
@everywhere
def show(name: str, settings: Settings, as_json: bool) -> None:
    """Show one integration: its settings, how it may be called, and what waits for it."""
    with Runtime(settings, to_look=True) as runtime:
        document = runtime.lookup_without_database.integration(name)
    if as_json:
        print_json(document)
        return
    say(f"{name}  {document['source']}")
    say(document["why"] or "configured")
    if document["held"]:
        say(document["held"])
    for each in document["settings"]:
        state = "set" if each["is_set"] else "not set"
        needed = ", required" if each["required"] else ""
        variable = f", the variable {each['missing_variable']} is missing" if each["missing_variable"] else ""
        file = f", the file {each['missing_file']} cannot be used" if each["missing_file"] else ""
        unknown = "" if each["known"] else ", the integration does not know it"
        say(f"  {each['name']:<24} {state}{needed}{variable}{file}{unknown}")
    if document["settings_in"] == "database":
        say(f"  they stand in the database, version {document['settings_version']}")
    for line in policy_lines(document["policy"]):
        say(line)
    say(f"site keys may{'' if document['site'] else ' not'} call it")
    say(f"{document['pending']} pending, {document['schedules']} recurring schedules")


def policy_lines(policy: dict[str, Any]) -> Iterator[str]:
    """How an integration may be called, in words."""
    if policy["concurrency"] is not None:
        yield f"at most {policy['concurrency']} calls at a time"
    if policy["rate"] is not None:
        yield f"at most {policy['rate']['count']} calls in {policy['rate']['seconds']} s"
    if policy["breaker"] is not None:
        failures, seconds = policy["breaker"]["failures"], policy["breaker"]["seconds"]
        yield f"the circuit breaker opens after {failures} failures in a row, for {seconds} s"


@integrations.command(
    "check",
    epilog="""\b
Examples:
  experience integrations check
  experience integrations check slack-update --json

Exit codes: 0 configured; 2 not, or there is none of that name.""",
)
@click.argument("names", metavar="[NAME]...", nargs=-1)
@everywhere
def check(names: tuple[str, ...], settings: Settings, as_json: bool) -> None:
    """Check the settings of integrations, all of them when none is named; nothing is sent."""
    problems = {}
    with Runtime(settings) as runtime:
        for name in names or runtime.integrations.names():
            try:
                runtime.integrations.settings(name)
            except NotConfigured as refusal:
                problems[name] = refusal.message
    if as_json:
        print_json(
            {"ok": not problems, "problems": [{"integration": n, "message": m} for n, m in problems.items()]}
        )
    else:
        for message in problems.values():
            say(message)
        if not problems:
            say("every integration is configured")
    if problems:
        raise SystemExit(EXIT_REFUSED)


@integrations.command(
    "call",
    epilog="""\b
Examples:
  experience integrations call slack-update '{"message": "a test"}'""",
)
@click.argument("name")
@click.argument("payload")
@click.option(
    "--timeout",
    type=click.IntRange(1, 100_000),  # below a lease: a worker would take it for lost
    default=5000,
    show_default=True,
    metavar="MS",
    help="How long to wait.",
)
@everywhere
def call(name: str, payload: str, timeout: int, settings: Settings, as_json: bool) -> None:
    """Call NAME once, now, with PAYLOAD (JSON), and print its answer. The call is kept as an execution."""
    value = read_payload(payload)
    with Runtime(settings) as runtime:
        execution = runtime.scheduler.begin_execute(name, value, key=None, visitor=None, experience=None)
        asked = {"execution": execution.id}
        runtime.store.audit.record("integration", "call", object=name, at=runtime.clock.now(), after=asked)
        try:
            answer = runtime.dispatcher.call_now(execution, timeout / 1000)
        except CallFailed as error:
            if as_json:
                print_json(
                    {"id": execution.id, "ok": False, "error": {"code": error.code, "message": error.message}}
                )
            fail(f"{error.code}: {error.message}", EXIT_REFUSED)
    if as_json:
        print_json({"id": execution.id, "ok": True, "result": answer})
        return
    for line in json.dumps(answer, ensure_ascii=False, indent=2).split("\n"):
        say(line)


@integrations.command(
    "new",
    epilog="""\b
Examples:
  experience integrations new send-sms
  experience integrations new send-sms --integrations my-integrations""",
)
@click.argument("name")
@functools.partial(everywhere, folder_may_be_missing=True)
def new(name: str, settings: Settings, as_json: bool) -> None:
    """Write an integration that works, and its test, to change into your own.

    They go to the folder of --integrations or of the settings, else to my-integrations.
    """
    folder = settings.integrations_dir or DEFAULT_FOLDER
    _check_new_name(name, replace(settings, integrations_dir=folder if folder.is_dir() else None))
    file = folder / f"{module_of(name)}.py"
    test = folder / "tests" / f"test_{module_of(name)}.py"
    for path in (file, test):
        if os.path.lexists(path):  # also a link to nothing
            raise Conflict(f"{path} is there already, and nothing was written; choose another name")
    test.parent.mkdir(parents=True, exist_ok=True)
    for path, text in ((file, integration_text(name)), (test, own_test_text(name))):
        with path.open("x", encoding="utf-8") as opened:
            opened.write(text)
    named_for_once = click.get_current_context().params["integrations_dir"] is not None
    if as_json:
        print_json({"name": name, "file": str(file), "test": str(test)})
        return
    say(str(file))
    say(str(test))
    say()
    say(f"Test it:      pytest {test}")
    if settings.integrations_dir is None or named_for_once:
        say(f'Register it:  integrations_dir = "{folder}" in experience.toml, or --integrations {folder}')
    say(f'Configure it: url = "env:NAME" under [integrations.{name}] in experience.toml')


def _check_new_name(name: str, settings: Settings) -> None:
    if not _NAME.fullmatch(name) or len(name) > _NAME_LENGTH:
        close = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-0123456789")[:_NAME_LENGTH].rstrip("-")
        hint = f'; for instance "{close}"' if close else ""
        raise InvalidParameter(
            f'"{name[:100]}" cannot be the name of a new integration; use up to {_NAME_LENGTH} small '
            f"letters, digits and dashes, a letter first{hint}"
        )
    if module_of(name) in _TAKEN or name.startswith("test-"):
        raise InvalidParameter(
            f'"{name}" cannot be the name of a new integration: {module_of(name)}.py would be taken for '
            f'a test or another module; for instance "{name.removeprefix("test-")}-integration"'
        )
    with Runtime(settings) as runtime:
        if name in runtime.integrations.names():
            raise Conflict(f'an integration is named "{name}" already; choose another name')
