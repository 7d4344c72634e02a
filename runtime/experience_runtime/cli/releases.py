"""experience releases: what was released, what runs, and how to go back."""

import difflib
from collections.abc import Callable
from functools import partial

import click

from experience_runtime.cli.common import Verbs, cli_actor, everywhere, print_json, say
from experience_runtime.documents.releases import live_document, release_document
from experience_runtime.domain.errors import UnknownRelease
from experience_runtime.domain.instants import iso
from experience_runtime.domain.releases import Change, changed_files, parse_share, share_text
from experience_runtime.domain.values import shown
from experience_runtime.engine.releases import Releases
from experience_runtime.runtime import Runtime
from experience_runtime.settings.load import Settings

_LISTED = 50


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
@everywhere
def list_(name: str | None, settings: Settings, as_json: bool) -> None:
    """List the releases of NAME, newest first; without it, what runs of every experience."""
    with Runtime(settings, to_look=True) as runtime:
        live = runtime.live.all()
        found = [] if name is None else list(runtime.store.releases.releases(name, limit=_LISTED))
    if name is None:
        if as_json:
            print_json({"live": [live_document(change) for change in live.values()]})
            return
        for change in live.values():
            say(f"{change.experience:<30} {change.words}")
        for each in sorted(set(settings.served.released) - set(live)):
            say(f"{each:<30} files of {settings.served.released[each]}, as they are: for development")
        return
    change_now = live.get(name)
    if change_now is None:
        raise UnknownRelease(
            f"nothing was released as {shown(name)}; `experience release PATH --name NAME` does it"
        )
    if as_json:
        print_json(
            {"live": live_document(change_now), "releases": [release_document(each) for each in found]}
        )
        return
    for kept in found:
        state = {change_now.active: "runs", change_now.partial: f"runs for {share_text(change_now.share)}"}
        say(
            f"{kept.number:>5}  {iso(kept.at)}  {state.get(kept.number, ''):<13} {kept.digest[:12]}  "
            f"{kept.actor}  {kept.note}".rstrip()
        )
    if change_now.active is None:
        say(f"nothing runs: {change_now.actor} deactivated it at {iso(change_now.at)}")


@releases.command(
    epilog="""\b
Examples:
  experience releases show reminder 3
  experience releases show reminder 3 --json"""
)
@click.argument("name")
@click.argument("number", type=click.IntRange(min=1))
@everywhere
def show(name: str, number: int, settings: Settings, as_json: bool) -> None:
    """Show release NUMBER of NAME: who made it, and its files with their SHA-256."""
    from experience_runtime.domain.releases import Files

    with Runtime(settings, to_look=True) as runtime:
        kept = runtime.store.releases.release(name, number)
    digests = Files(texts=kept.files).digests
    if as_json:
        files = [{"name": each, "sha256": digests[each], "text": kept.files[each]} for each in digests]
        print_json(release_document(kept) | {"files": files})
        return
    say(f"release {kept.number} of {kept.experience}, {iso(kept.at)} by {kept.actor}")
    if kept.note:
        say(kept.note)
    for each, digest in digests.items():
        say(f"{digest}  {each}")


@releases.command(
    epilog="""\b
Examples:
  experience releases diff reminder 3 4"""
)
@click.argument("name")
@click.argument("old", type=click.IntRange(min=1))
@click.argument("new", type=click.IntRange(min=1))
@everywhere
def diff(name: str, old: int, new: int, settings: Settings, as_json: bool) -> None:
    """Show what differs between the releases OLD and NEW of NAME, as a unified diff."""
    with Runtime(settings, to_look=True) as runtime:
        before, after = (runtime.store.releases.release(name, number).files for number in (old, new))
    changed = {
        each: list(
            difflib.unified_diff(
                before.get(each, "").split("\n") if each in before else [],
                after.get(each, "").split("\n") if each in after else [],
                f"{old}/{each}",
                f"{new}/{each}",
                lineterm="",
            )
        )
        for each in changed_files(before, after)
    }
    if as_json:
        print_json({"changed": [{"file": each, "diff": lines} for each, lines in changed.items()]})
        return
    for lines in changed.values():
        for line in lines:
            say(line)
    if not changed:
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
@everywhere
def activate(name: str, number: int, share: str | None, settings: Settings, as_json: bool) -> None:
    """Let release NUMBER of NAME run, for everybody or for a share of the visitors."""
    parts = parse_share(share)
    _change(settings, name, lambda kept: partial(kept.activate, number, share=parts), as_json=as_json)


@releases.command(
    epilog="""\b
Examples:
  experience releases rollback reminder"""
)
@click.argument("name")
@everywhere
def rollback(name: str, settings: Settings, as_json: bool) -> None:
    """Let run what ran before the last change of NAME; again, and it goes back further."""
    _change(settings, name, lambda kept: kept.roll_back, as_json=as_json)


@releases.command(
    epilog="""\b
Examples:
  experience releases deactivate reminder"""
)
@click.argument("name")
@everywhere
def deactivate(name: str, settings: Settings, as_json: bool) -> None:
    """Let NAME run for nobody; `rollback` undoes it. What it has scheduled stays scheduled."""
    _change(settings, name, lambda kept: kept.deactivate, as_json=as_json)


def _change(
    settings: Settings, name: str, of: Callable[[Releases], Callable[..., Change]], *, as_json: bool
) -> None:
    """Make one of the changes of `Releases` to what is known to run, and tell what runs then."""
    from experience_runtime.releasing.releasing import made_by

    with Runtime(settings) as runtime:
        now = runtime.live.all().get(name)
        made = made_by(runtime, name, cli_actor())
        done = of(runtime.store.releases)(made=made, expected=0 if now is None else now.version)
    if as_json:
        print_json(live_document(done))
    else:
        say(f"{done.experience}: {done.words}")
