"""experience why: what ran for a visitor, and what came of it."""

from typing import Any

import click

from experience_runtime.cli.common import everywhere, print_json, say
from experience_runtime.cli.terminal import styled
from experience_runtime.runtime import Runtime
from experience_runtime.settings.load import Settings

_COLOURS = {
    "ran": "green",
    "succeeded": "green",
    "failed": "red",
    "refused": "red",
    "cancelled": "yellow",
    "replaced": "yellow",
    "held": "yellow",
}


@click.command(
    epilog="""\b
Examples:
  experience why v1
  experience why v1 slack-update
  experience why v1 --json

All ids of the same person count. What was kept long enough is not listed any more."""
)
@click.argument("visitor")
@click.argument("integration", required=False)
@everywhere
def why(visitor: str, integration: str | None, settings: Settings, as_json: bool) -> None:
    """Say what happened to VISITOR and why, newest first: why did they get nothing?

    What ran, and what was refused, cancelled, replaced, held or failed; with INTEGRATION, only calls of it.
    """
    with Runtime(settings, to_look=True) as runtime:
        document = runtime.lookup.runs.why(visitor, integration=integration)
    if as_json:
        print_json(document)
        return
    for line in document["now"]:
        say(f"now  {line}")
    for entry in document["entries"]:
        what = styled(f"{entry['what']:<13}", fg=_COLOURS.get(entry["what"]))
        click.echo(f"{entry['at']}  {what} " + styled(_of(entry)))
        if entry["why"]:
            say(f"        {entry['why']}")
    if not document["entries"]:
        say("nothing is kept of this visitor: no experience ran, and nothing was scheduled or converted")


def _of(entry: dict[str, Any]) -> str:
    names = (entry["experience"], entry["integration"], entry["execution"] or entry["run"])
    return "  ".join(name for name in names if name)
