"""experience releases: what was released, what runs, and how to go back."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from experience_runtime.cli.common import Verbs, cli_actor, everywhere, print_json, say
from experience_runtime.cli.server import Server, at_server
from experience_runtime.documents.releases import live_document
from experience_runtime.domain.errors import InvalidParameter
from experience_runtime.domain.releases import what_runs
from experience_runtime.runtime import Runtime
from experience_runtime.settings.load import Settings

if TYPE_CHECKING:
    from experience_runtime.cli.release_doors import Door
    from experience_runtime.releasing.releasing import Act


@contextmanager
def door_of(settings: Settings, server: Server | None, *, to_look: bool = False) -> "Iterator[Door]":
    """The way to the releases; `to_look`: see `Runtime`."""
    from experience_runtime.cli.release_doors import DatabaseDoor, ServerDoor

    if server is not None:
        yield ServerDoor(server)
        return
    with Runtime(settings, to_look=to_look) as runtime:
        yield DatabaseDoor(runtime, actor=cli_actor())


@click.group(
    cls=Verbs,
    epilog="""\b
Examples:
  experience releases list reminder
  experience releases diff reminder 3 4
  experience releases rollback reminder""",
)
def releases() -> None:
    """List, compare and activate the releases of an experience, and go back."""


@releases.command(
    "list",
    epilog="""\b
Examples:
  experience releases list
  experience releases list reminder --json""",
)
@click.argument("name", required=False)
@at_server
@everywhere
def list_(name: str | None, server: Server | None, settings: Settings, as_json: bool) -> None:
    """List the releases of NAME, newest first; without it, what runs of every experience."""
    if name is None:
        if server is not None:
            raise InvalidParameter("--server is asked for one experience; write its NAME")
        _list_live(settings, as_json=as_json)
        return
    with door_of(settings, server, to_look=True) as door:
        found = door.list(name)
    if as_json:
        print_json({"live": found["live"], "releases": found["releases"]})
        return
    live = found["live"]
    state = {live["active"]: "runs", live["partial"]: f"runs for {live['share']}"}
    for kept in found["releases"]:
        say(
            f"{kept['number']:>5}  {kept['at']}  {state.get(kept['number'], ''):<13} {kept['digest'][:12]}  "
            f"{kept['actor']}  {kept['note']}".rstrip()
        )
    if live["active"] is None:
        say(f"nothing runs: {live['actor']} deactivated it at {live['at']}")


def _list_live(settings: Settings, *, as_json: bool) -> None:
    with Runtime(settings, to_look=True) as runtime:
        live = runtime.live.all()
    if as_json:
        print_json({"live": [live_document(change) for change in live.values()]})
        return
    for change in live.values():
        say(f"{change.experience:<30} {change.words}")
    for each in sorted(set(settings.served.released) - set(live)):
        say(f"{each:<30} files of {settings.served.released[each]}, as they are: for development")


@releases.command(
    epilog="""\b
Examples:
  experience releases show reminder 3
  experience releases show reminder 3 --json"""
)
@click.argument("name")
@click.argument("number", type=click.IntRange(min=1))
@at_server
@everywhere
def show(name: str, number: int, server: Server | None, settings: Settings, as_json: bool) -> None:
    """Show release NUMBER of NAME: who made it, and its files with their SHA-256."""
    with door_of(settings, server, to_look=True) as door:
        kept = door.show(name, number)
    if as_json:
        print_json(kept)
        return
    say(f"release {kept['number']} of {kept['experience']}, {kept['at']} by {kept['actor']}")
    if kept["note"]:
        say(kept["note"])
    for file in kept["files"]:
        say(f"{file['sha256']}  {file['name']}")


@releases.command(
    epilog="""\b
Examples:
  experience releases diff reminder 3 4"""
)
@click.argument("name")
@click.argument("old", type=click.IntRange(min=1))
@click.argument("new", type=click.IntRange(min=1))
@at_server
@everywhere
def diff(name: str, old: int, new: int, server: Server | None, settings: Settings, as_json: bool) -> None:
    """Show what differs between the releases OLD and NEW of NAME, as a unified diff."""
    with door_of(settings, server, to_look=True) as door:
        found = door.diff(name, old, new)
    if as_json:
        print_json(found)
        return
    for each in found["changed"]:
        for line in each["diff"]:
            say(line)
    if not found["changed"]:
        say(f"the releases {old} and {new} of {name} have the same files")


@releases.command(
    epilog="""\b
Examples:
  experience releases activate reminder 3
  experience releases activate reminder 4 --share 50%"""
)
@click.argument("name")
@click.argument("number", type=click.IntRange(min=1))
@click.option("--share", metavar="PERCENT", help='For this share of the visitors only, such as "50%".')
@at_server
@everywhere
def activate(
    name: str, number: int, share: str | None, server: Server | None, settings: Settings, as_json: bool
) -> None:
    """Let release NUMBER of NAME run, for everybody or for a share of the visitors."""
    from experience_runtime.releasing.releasing import Act

    _change(name, Act.ACTIVATE, server, settings, as_json=as_json, number=number, share=share)


@releases.command(
    epilog="""\b
Examples:
  experience releases rollback reminder
  experience releases rollback reminder --server https://runtime.example"""
)
@click.argument("name")
@at_server
@everywhere
def rollback(name: str, server: Server | None, settings: Settings, as_json: bool) -> None:
    """Let run what ran before the last change of NAME; again, and it goes back further."""
    from experience_runtime.releasing.releasing import Act

    _change(name, Act.ROLLBACK, server, settings, as_json=as_json)


@releases.command(
    epilog="""\b
Examples:
  experience releases deactivate reminder"""
)
@click.argument("name")
@at_server
@everywhere
def deactivate(name: str, server: Server | None, settings: Settings, as_json: bool) -> None:
    """Let NAME run for nobody; `rollback` undoes it. What it has scheduled stays scheduled."""
    from experience_runtime.releasing.releasing import Act

    _change(name, Act.DEACTIVATE, server, settings, as_json=as_json)


def _change(
    name: str, act: "Act", server: Server | None, settings: Settings, *, as_json: bool, **chosen: Any
) -> None:
    """Make a change to what is known to run, and tell what runs then."""
    with door_of(settings, server) as door:
        live = door.change(name, act, **chosen)
    if as_json:
        print_json(live)
    else:
        say(f"{live['experience']}: {what_runs(live['active'], live['partial'], live['share'])}")
