"""experience runs: list, show, tail; what experiences did, and why they did not."""

import functools
import json
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import click

from experience_runtime.cli.common import Verbs, everywhere, print_json, say
from experience_runtime.cli.shown import log_line
from experience_runtime.cli.terminal import styled
from experience_runtime.domain.runs import OUTCOMES, RunFilter
from experience_runtime.runtime import Runtime
from experience_runtime.settings.load import Settings

_LOOK_SECONDS = 1.0
_COLOURS = {"ran": "green", "failed": "red", "pending": "yellow", "not_triggered": None}
_NAMES = ("experience", "outcome", "visitor", "code")


@click.group(
    cls=Verbs,
    epilog="""\b
Examples:
  experience runs list --outcome failed
  experience runs show rn_0bb6rczg0ryj5
  experience runs tail --experience basket-reminder --follow""",
)
def runs() -> None:
    """List, show and follow runs of experiences."""


def _filtered(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the filter options; the verb takes `wanted`, a RunFilter. Stands below `everywhere`."""

    @click.option("--experience", metavar="NAME", help="Only of this experience.")
    @click.option("--outcome", type=click.Choice(OUTCOMES), help="Only runs that ended so.")
    @click.option("--visitor", metavar="ID", help="Only this visitor's.")
    @click.option("--code", metavar="CODE", help="Only with this code: script_error, limit_cpu, …")
    @functools.wraps(command)
    def with_filter(**arguments: Any) -> Any:
        chosen = {name: arguments.pop(name) for name in _NAMES}
        return command(wanted=RunFilter(**chosen), **arguments)

    return with_filter


@runs.command(
    "list",
    epilog="""\b
Examples:
  experience runs list
  experience runs list --experience basket-reminder --outcome failed
  experience runs list --visitor v1 --json""",
)
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="How many a page.")
@click.option("--cursor", metavar="CURSOR", help="Go on where the page before ended: its `next`.")
@everywhere
@_filtered
def list_(wanted: RunFilter, limit: int, cursor: str | None, settings: Settings, as_json: bool) -> None:
    """List runs, newest first."""
    with Runtime(settings, to_look=True) as runtime:
        page = runtime.lookup.runs.list(wanted, cursor=cursor, limit=limit)
    if as_json:
        print_json(page)
        return
    for document in page["runs"]:
        _show_line(document)
    if not page["runs"]:
        say("no runs are kept; `experience run PATH` makes one")
    if page["next"] is not None:
        say(f"more: --cursor {page['next']}")


@runs.command(
    "show",
    epilog="""\b
Examples:
  experience runs show rn_0bb6rczg0ryj5
  experience runs show rn_0bb6rczg0ryj5 --json""",
)
@click.argument("run_id", metavar="ID")
@everywhere
def show(run_id: str, settings: Settings, as_json: bool) -> None:
    """Show one run: its log, its calls with their refusals, and the executions it made."""
    with Runtime(settings, to_look=True) as runtime:
        document = runtime.lookup.runs.run(run_id)
    if as_json:
        print_json(document)
        return
    _show_line(document)
    release = "files of a folder" if document["release"] is None else f"release {document['release']}"
    say(f"asked for by {document['trigger']}, {release}, {document['cpu_ms']} ms of CPU")
    for line in document["log"]:
        if "left_out" in line:
            say(f"      … and {line['left_out']} lines more, which are not kept")
        else:
            click.echo(log_line(line))
    for call in document["calls"]:
        if "left_out" in call:
            say(f"call  … and {call['left_out']} more, which are not kept")
        elif call["ok"]:
            say(f"call  {call['verb']} {call['integration']}: {_short(call.get('result'))}")
    for execution in document["executions"]:
        say(f"made  {execution}")


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 100 else f"{text[:99]}…"


@runs.command(
    epilog="""\b
Examples:
  experience runs tail
  experience runs tail --outcome failed --follow
  experience runs tail --follow --json

With --json there is one document a line. --follow ends with Ctrl-C."""
)
@click.option(
    "--lines", type=click.IntRange(0, 1000), default=10, show_default=True, help="How many of the last."
)
@click.option("--follow", is_flag=True, help="Go on with those that come.")
@everywhere
@_filtered
def tail(wanted: RunFilter, lines: int, follow: bool, settings: Settings, as_json: bool) -> None:
    """Show the last runs, the newest last."""
    with Runtime(settings, to_look=True) as runtime:
        lookup, clock = runtime.lookup.runs, runtime.clock
        newest = lookup.list(RunFilter(), limit=1)["runs"]
        after = newest[0]["id"] if newest else "rn_0000000000000"
        found = list(reversed(lookup.list(wanted, limit=lines)["runs"])) if lines else []
        never = threading.Event()
        while True:
            for document in found:
                after = max(after, document["id"])  # ids sort as their runs began
                if as_json:
                    print_json(document)
                else:
                    _show_line(document)
            if not follow:
                return
            clock.wait(clock.now() + timedelta(seconds=_LOOK_SECONDS), never, at_most=_LOOK_SECONDS)
            found = lookup.newer(wanted, after=after)["runs"]


def _show_line(document: dict[str, Any]) -> None:
    outcome = styled(f"{document['outcome']:<13}", fg=_COLOURS[document["outcome"]])
    click.echo(f"{document['at']}  {outcome} " + styled(_told(document)))
    if document["outcome"] == "failed":
        place = f" at {document['place']}" if document["place"] else ""
        say(f"        {document['code']}{place}: {document['message']}")
    for call in document["refused"]:
        place = f" at {call['place']}" if call["place"] else ""
        say(
            f"        refused: {call['integration']} {call['verb']}{place}: {call['code']}: {call['message']}"
        )


def _told(document: dict[str, Any]) -> str:
    made = len(document["executions"])
    return (
        f"{document['experience']}  {document['visitor'] or '-'}  {document['id']}"
        f"{f'  {made} made' if made else ''}"
    )
