"""experience executions run: now, for what is pending."""

import click

from experience_runtime.cli.common import everywhere, print_json, say
from experience_runtime.runtime import Runtime
from experience_runtime.settings.load import Settings


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
        tell_due(runtime, execution_id, as_json=as_json)


def tell_due(runtime: Runtime, execution_id: str, *, as_json: bool) -> None:
    """Say when an execution is due now."""
    document = runtime.lookup.execution(execution_id)
    if as_json:
        print_json(document)
        return
    say(f"{document['id']} is due at {document['due_at']} ({document['due_local']}, {document['zone']})")
