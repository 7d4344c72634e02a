"""experience hold all and resume all: let nothing be delivered, by any worker, until somebody says so."""

from contextlib import suppress

import click

from experience_runtime.cli.common import Verbs, everywhere, print_json, say
from experience_runtime.domain.errors import Conflict
from experience_runtime.runtime import Runtime
from experience_runtime.settings.load import Settings


@click.group(
    cls=Verbs,
    epilog="""\b
Examples:
  experience hold all --reason "a backup was restored" """,
)
def hold() -> None:
    """Hold all deliveries."""


@click.group(
    cls=Verbs,
    epilog="""\b
Examples:
  experience resume all""",
)
def resume() -> None:
    """Let deliveries go on."""


@hold.command(
    "all",
    epilog="""\b
Examples:
  experience hold all
  experience hold all --reason "the shop is closed for stocktaking"

Every worker of the database stops starting within a second. What is due waits, and keeps its time; what
already runs goes on. Scheduling, cancelling and conversions work as before; execute is refused.""",
)
@click.option("--reason", metavar="TEXT", help="Shown wherever an execution waits for it.")
@everywhere
def hold_all(reason: str | None, settings: Settings, as_json: bool) -> None:
    """Start nothing more, of any integration, until `experience resume all`."""
    with Runtime(settings) as runtime:
        runtime.operations.hold_all(reason=reason)
        document = runtime.lookup.hold_of_all()
    if as_json:
        print_json(document)
        return
    say(f"everything is held; {_pending(document['pending'])}, and `experience resume all` lets it go on")


@resume.command(
    "all",
    epilog="""\b
Examples:
  experience resume all

Look first: `experience executions list --status pending --due-before 2026-03-02T08:00Z` has what starts at
once. An integration that was paused by itself stays paused.""",
)
@everywhere
def resume_all(settings: Settings, as_json: bool) -> None:
    """Let everything go on; what is due starts at once, inside its window."""
    with Runtime(settings) as runtime:
        runtime.operations.resume_all()
        document = runtime.lookup.hold_of_all()
    if as_json:
        print_json(document)
        return
    say(f"deliveries go on; {_pending(document['pending'])}")


def hold_unless_held(runtime: Runtime, *, reason: str = "started with --paused") -> None:
    """Hold everything before a worker begins; who held it first keeps their reason."""
    with suppress(Conflict):  # it is held already: nothing else conflicts
        runtime.operations.hold_all(reason=reason)


def _pending(count: int) -> str:
    return f"{count} execution{' is' if count == 1 else 's are'} pending"
