"""experience visitors: show, identify."""

import json

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
  experience visitors show v1
  experience visitors identify 3f2a9c41d07be856 customer-5512""",
)
def visitors() -> None:
    """Show visitors, and say which ids are one person."""


@visitors.command(
    "show",
    epilog="""\b
Examples:
  experience visitors show v1
  experience visitors show v1 --json

`experience executions list --visitor ID` lists the visitor's executions.""",
)
@click.argument("visitor_id", metavar="ID")
@everywhere
def show(visitor_id: str, settings: Settings, as_json: bool) -> None:
    """Show a visitor's last known zone, and the last 100 events and conversions."""
    with Runtime(settings) as runtime:
        document = runtime.lookup.visitor(visitor_id)
    if as_json:
        print_json(document)
        return
    offset = document["timezone_offset"]
    zone = document["timezone"] or ("not known" if offset is None else f"{offset} minutes behind UTC")
    say(f"{document['id']}  zone {zone}")
    for each in document["conversions"]:
        say(f"{each['at']}  conversion {each['event']}")
    for each in document["events"]:
        say(f"{each['at']}  {each['type']}  {json.dumps(each['data'], ensure_ascii=False)}")


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
