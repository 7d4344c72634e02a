"""experience integrations pause and resume: hold one integration's deliveries, and let them go on."""

import click

from experience_runtime.cli.common import everywhere, print_json, say
from experience_runtime.runtime import Runtime
from experience_runtime.settings.load import Settings


@click.command(
    epilog="""\b
Examples:
  experience integrations pause slack-update
  experience integrations pause slack-update --reason "the channel is being moved"

What is due waits, and the lists say why; what already runs goes on. Scheduling, cancelling and conversions
work as before."""
)
@click.argument("name")
@click.option("--reason", metavar="TEXT", help="Shown wherever an execution waits for it.")
@everywhere
def pause(name: str, reason: str | None, settings: Settings, as_json: bool) -> None:
    """Start no execution of integration NAME until it is resumed."""
    with Runtime(settings) as runtime:
        runtime.operations.pause(name, reason=reason)
        document = runtime.lookup.hold(name)
    if as_json:
        print_json(document)
        return
    say(f"{name} is paused; {_pending(document['pending'])}")


@click.command(
    epilog="""\b
Examples:
  experience integrations resume slack-update

An open circuit breaker is closed as well."""
)
@click.argument("name")
@everywhere
def resume(name: str, settings: Settings, as_json: bool) -> None:
    """Let the executions of integration NAME go on; what is due starts at once, inside its window."""
    with Runtime(settings) as runtime:
        runtime.operations.resume(name)
        document = runtime.lookup.hold(name)
    if as_json:
        print_json(document)
        return
    say(f"{name} goes on; {_pending(document['pending'])}")


def _pending(count: int) -> str:
    return f"{count} execution{' is' if count == 1 else 's are'} pending"
