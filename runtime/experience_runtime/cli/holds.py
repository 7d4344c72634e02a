"""experience integrations pause and resume: hold one integration's deliveries, and let them go on."""

import click

from experience_runtime.cli.common import everywhere, print_json, say
from experience_runtime.domain.executions import Filter, Status
from experience_runtime.domain.instants import iso
from experience_runtime.runtime import Runtime
from experience_runtime.settings.load import Settings


@click.command(
    epilog="""\b
Examples:
  experience integrations pause slack-update
  experience integrations pause slack-update --reason "the channel is being moved"

What is due waits, keeps its time, and says so; what runs already is not stopped. Scheduling, cancelling and
conversions go on."""
)
@click.argument("name")
@click.option("--reason", metavar="TEXT", help="Shown wherever an execution waits for it.")
@everywhere
def pause(name: str, reason: str | None, settings: Settings, as_json: bool) -> None:
    """Start no execution of integration NAME until it is resumed."""
    with Runtime(settings) as runtime:
        state = runtime.operations.pause(name, reason=reason)
        waiting = _waiting(runtime, name)
    if as_json:
        paused_at = None if state.paused_at is None else iso(state.paused_at)
        print_json(
            {"integration": name, "paused_at": paused_at, "reason": state.pause_reason, "pending": waiting}
        )
        return
    say(f"{name} is paused; {_pending(waiting)}")


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
        waiting = _waiting(runtime, name)
    if as_json:
        print_json({"integration": name, "paused_at": None, "pending": waiting})
        return
    say(f"{name} goes on; {_pending(waiting)}")


def _waiting(runtime: Runtime, name: str) -> int:
    return runtime.store.count(Filter(statuses=[Status.PENDING], integration=name))


def _pending(count: int) -> str:
    return f"{count} execution{' is' if count == 1 else 's are'} pending"
