"""experience executions move and run: another instant for what is pending."""

import click

from experience_runtime.cli.common import everywhere, print_json, say
from experience_runtime.runtime import Runtime
from experience_runtime.settings.load import Settings


@click.command(
    epilog="""\b
Examples:
  experience executions move ex_0bb6rczg0ryj5 --time 2026-03-09T09:00+01:00
  experience executions move ex_0bb6rczg0ryj5 --delay "2 hours" --reason "the shop is closed"

At most 30 days ahead; outside its window it waits for the next opening."""
)
@click.argument("execution_id", metavar="ID")
@click.option("--time", metavar="ISO", help="Run at this instant.")
@click.option("--delay", metavar="DURATION", help='Run so long from now: "2 hours".')
@click.option("--reason", metavar="TEXT", help="Kept in the history.")
@everywhere
def move(
    execution_id: str,
    time: str | None,
    delay: str | None,
    reason: str | None,
    settings: Settings,
    as_json: bool,
) -> None:
    """Let a pending execution run at another instant."""
    with Runtime(settings) as runtime:
        runtime.operations.move(execution_id, {"time": time, "delay": delay}, reason=reason)
        _tell(runtime, execution_id, as_json=as_json)


@click.command(
    "run",
    epilog="""\b
Examples:
  experience executions run ex_0bb6rczg0ryj5
  experience executions run ex_0bb6rczg0ryj5 --reason "the customer waits"

A worker starts it; outside its window it waits for the next opening.""",
)
@click.argument("execution_id", metavar="ID")
@click.option("--reason", metavar="TEXT", default="run now", show_default=True, help="Kept in the history.")
@everywhere
def run_now(execution_id: str, reason: str, settings: Settings, as_json: bool) -> None:
    """Let a pending execution run now, and not at its instant."""
    with Runtime(settings) as runtime:
        runtime.operations.run_now(execution_id, reason=reason)
        _tell(runtime, execution_id, as_json=as_json)


def _tell(runtime: Runtime, execution_id: str, *, as_json: bool) -> None:
    document = runtime.lookup.execution(execution_id)
    if as_json:
        print_json(document)
        return
    say(f"{document['id']} is due at {document['due_at']} ({document['due_local']}, {document['zone']})")
