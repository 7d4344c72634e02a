"""experience visitors: who is whom."""

import click

from experience_runtime.cli.common import Verbs, everywhere, print_json, say
from experience_runtime.domain.values import shown
from experience_runtime.domain.visitors import check_visitor_id
from experience_runtime.runtime import Runtime
from experience_runtime.settings.load import Settings


@click.group(
    cls=Verbs,
    epilog="""\b
Examples:
  experience visitors identify 3f2a9c41d07be856 customer-5512""",
)
def visitors() -> None:
    """Say which ids are one person."""


@visitors.command(
    epilog="""\b
Examples:
  experience visitors identify 3f2a9c41d07be856 customer-5512
  experience visitors identify 3f2a9c41d07be856 customer-5512 --json

Keys stay as they were, and what was cancelled before stays cancelled."""
)
@click.argument("visitor")
@click.argument("person")
@everywhere
def identify(visitor: str, person: str, settings: Settings, as_json: bool) -> None:
    """Make VISITOR and PERSON one person: from now on, conversions of either count for both."""
    with Runtime(settings) as runtime:
        ids = runtime.store.identify(
            check_visitor_id(visitor), check_visitor_id(person), now=runtime.clock.now()
        )
    if as_json:
        print_json({"visitor": visitor, "ids": ids})
        return
    say(f"one person from now on: {', '.join(map(shown, ids))}")
