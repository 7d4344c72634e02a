"""experience visitors: list, show, identify, export, erase."""

import json
import sys

import click

from experience_runtime.cli.common import EXIT_REFUSED, Verbs, everywhere, fail, print_json, print_pieces, say
from experience_runtime.domain.errors import InvalidParameter
from experience_runtime.domain.values import shown
from experience_runtime.domain.visitors import check_visitor_id
from experience_runtime.engine.personal import erase as erase_person
from experience_runtime.engine.personal import export as export_person
from experience_runtime.runtime import Runtime
from experience_runtime.settings.load import Settings


@click.group(
    cls=Verbs,
    epilog="""\b
Examples:
  experience visitors list ada
  experience visitors show v1
  experience visitors identify 3f2a9c41d07be856 customer-5512
  experience visitors export customer-5512 --json
  experience visitors erase customer-5512 --dry-run""",
)
def visitors() -> None:
    """List, show, export and erase visitors, and say which ids are one person."""


@visitors.command(
    "list",
    epilog="""\b
Examples:
  experience visitors list
  experience visitors list ada --json""",
)
@click.argument("text", default="", metavar="[TEXT]")
@click.option(
    "--limit", metavar="N", type=click.IntRange(1, 50), default=20, show_default=True, help="At most."
)
@everywhere
def list_visitors(text: str, limit: int, settings: Settings, as_json: bool) -> None:
    """List the visitors seen lately, or those whose id begins with TEXT or has it in it.

    Other ids of the same person count. It says where it looked.
    """
    with Runtime(settings, to_look=True) as runtime:
        document = runtime.lookup.visitors.list(text, limit=limit, of_experiences=False)
    if as_json:
        print_json(document)
        return
    for each in document["visitors"]:
        others = [id for id in each["ids"] if id != each["id"]]
        also = f"  also {', '.join(map(shown, others))}" if others else ""
        say(f"{each['seen_at'] or 'not known when':24}  {each['id']}{also}")
    if not document["visitors"]:
        say("no visitor is found")
    say(document["searched"])


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
    """Show a visitor's last known zone, the kept state, and the last 100 events and conversions."""
    with Runtime(settings) as runtime:
        document = runtime.lookup.visitor(visitor_id)
    if as_json:
        print_json(document)
        return
    offset = document["timezone_offset"]
    zone = document["timezone"] or ("not known" if offset is None else f"{offset} minutes behind UTC")
    say(f"{document['id']}  zone {zone}")
    if document["state"]:
        say(f"state {json.dumps(document['state'], ensure_ascii=False)}")
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
            check_visitor_id(visitor), check_visitor_id(person), now=runtime.clock.now(), by_hand=True
        )
    if as_json:
        print_json({"visitor": visitor, "ids": ids})
        return
    say(f"one person from now on: {', '.join(map(shown, ids))}")


@visitors.command(
    epilog="""\b
Examples:
  experience visitors export customer-5512 --json >customer-5512.json"""
)
@click.argument("visitor_id", metavar="ID")
@everywhere
def export(visitor_id: str, settings: Settings, as_json: bool) -> None:  # noqa: ARG001 - it is JSON anyhow
    """Print everything that is kept of a person, over all of their ids, as JSON."""
    with Runtime(settings, to_look=True) as runtime:
        print_pieces(export_person(runtime.store, runtime.lookup, visitor_id, redact=settings.redact))


@visitors.command(
    epilog="""\b
Examples:
  experience visitors erase customer-5512 --dry-run
  experience visitors erase customer-5512 --yes

All ids of the same person are erased. What is pending never runs. A recurring schedule whose payload has one
of the ids as a text is removed, with what it fired for them; --dry-run names it. What stays is that somebody
was erased, when, and how much. A backup that was made before still has it all."""
)
@click.argument("visitor_id", metavar="ID")
@click.option("--dry-run", is_flag=True, help="Only count what there is.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@everywhere
def erase(visitor_id: str, dry_run: bool, yes: bool, settings: Settings, as_json: bool) -> None:
    """Erase a person: their executions, runs, events, conversions, zone, keys and kept answers."""
    with Runtime(settings) as runtime:
        if not dry_run and not yes:
            if as_json or not sys.stdin.isatty():
                raise InvalidParameter(
                    f"{shown(visitor_id)} would be erased for good; add --yes to do it, or --dry-run to count"
                )
            if not click.confirm(f"Erase {shown(visitor_id)} for good?", err=True):
                fail("nothing was erased", EXIT_REFUSED)
        document = erase_person(runtime.store, runtime.clock, visitor_id, dry_run=dry_run)
    if as_json:
        print_json(document)
        return
    counts = ", ".join(f"{document[name]} {name}" for name in ("executions", "runs", "events", "conversions"))
    say(f"{'would be erased' if dry_run else 'erased'}: {counts}; {document['cancelled']} were pending")
    if names := document["schedules"]:
        say(f"recurring schedules that {'name' if dry_run else 'named'} them: {', '.join(names)}")
