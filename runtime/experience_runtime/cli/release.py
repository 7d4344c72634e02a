"""experience release: check an experience, keep its files in the database, and let visitors have it."""

from pathlib import Path

import click

from experience_runtime.cli.common import everywhere, print_json, say
from experience_runtime.cli.releases import door_of
from experience_runtime.cli.server import Server, at_server
from experience_runtime.settings.load import Settings


@click.command(
    epilog="""\b
Examples:
  experience release experiences/reminder --name reminder
  experience release experiences/reminder --name reminder --note "two hours, not one"
  experience release experiences/reminder --name reminder --share 10%
  experience release experiences/reminder --name reminder --server https://runtime.example

What the check or a story finds refuses the release, and nothing is stored then. Every server of the database
runs the new files within a second; what is changed on the disk later reaches nobody before it is released.
With --server the files are sent there, and it checks and plays them with its own integrations."""
)
@click.argument("path", type=click.Path(exists=True, path_type=Path))
@click.option("--name", required=True, help="The experience that it is a release of.")
@click.option("--note", default="", metavar="TEXT", help="What is new; lists show it.")
@click.option("--share", metavar="PERCENT", help='For this share of the visitors only, such as "10%".')
@at_server
@everywhere
def release(
    path: Path,
    name: str,
    note: str,
    share: str | None,
    server: Server | None,
    settings: Settings,
    as_json: bool,
) -> None:
    """Check the experience at PATH, play its stories, keep its files as a release, and let it run."""
    from experience_runtime.scripts.loading import files_of

    files = files_of(path)
    with door_of(settings, server) as door:
        made = door.release(name, files, note=note, share=share)
    if as_json:
        print_json(made)
        return
    part = made["live"].get("share")
    whom = "everybody" if part is None else f"{part} of the visitors"
    say(f"release {made['number']} of {name} runs for {whom} ({len(files)} files, {made['digest'][:12]})")
