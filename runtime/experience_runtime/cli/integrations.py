"""experience integrations: list, check, call."""

import json
from typing import Any

import click

from experience_runtime.app import App
from experience_runtime.cli.common import EXIT_REFUSED, Verbs, everywhere, fail, print_json, say
from experience_runtime.domain.errors import CallFailed, InvalidPayload, NotConfigured
from experience_runtime.settings import Settings


@click.group(
    cls=Verbs,
    epilog="""\b
Examples:
  experience integrations list
  experience integrations check slack-update
  experience integrations call slack-update '{"message": "a test"}'""",
)
def integrations() -> None:
    """List, check and call integrations."""


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
    with App(settings) as app:
        found = app.integrations.describe()
    if as_json:
        print_json(
            {
                "integrations": [
                    {"name": each.name, "source": each.source, "configured": each.configured, "why": each.why}
                    for each in found
                ]
            }
        )
        return
    for each in found:
        say(f"{each.name:<16} {'configured' if each.configured else 'not configured':<15} {each.source}")


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
    with App(settings) as app:
        for name in names or app.integrations.names():
            try:
                app.integrations.settings(name)
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
    try:
        value: Any = json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise InvalidPayload(
            f'the payload is not JSON: {error}; write for instance \'{{"message": "Hello"}}\''
        ) from None
    with App(settings) as app:
        execution = app.scheduler.begin_execute(name, value, key=None, visitor=None, experience=None)
        try:
            answer = app.dispatcher.call_now(execution, timeout / 1000)
        except CallFailed as error:
            if as_json:
                print_json(
                    {"id": execution.id, "ok": False, "error": {"code": error.code, "message": error.message}}
                )
            fail(f"{error.code}: {error.message}", EXIT_REFUSED)
    if as_json:
        print_json({"id": execution.id, "ok": True, "result": answer})
        return
    say(json.dumps(answer, ensure_ascii=False, indent=2))
