"""experience release: check an experience, keep its files in the database, and let visitors have it."""

from pathlib import Path

import click

from experience_runtime.cli.common import cli_actor, everywhere, print_json, say
from experience_runtime.documents.releases import live_document, release_document
from experience_runtime.domain.releases import share_text
from experience_runtime.runtime import Runtime
from experience_runtime.settings.load import Settings


@click.command(
    epilog="""\b
Examples:
  experience release experiences/reminder --name reminder
  experience release experiences/reminder --name reminder --note "two hours, not one"
  experience release experiences/reminder --name reminder --share 10%

What the check or a story finds refuses the release, and nothing is stored then. Every server of the database
runs the new files within a second; what is changed on the disk later reaches nobody before it is released."""
)
@click.argument("path", type=click.Path(exists=True, path_type=Path))
@click.option("--name", required=True, help="The experience that it is a release of.")
@click.option("--note", default="", metavar="TEXT", help="What is new; lists show it.")
@click.option("--share", metavar="PERCENT", help='For this share of the visitors only, such as "10%".')
@everywhere
def release(path: Path, name: str, note: str, share: str | None, settings: Settings, as_json: bool) -> None:
    """Check the experience at PATH, play its stories, keep its files as a release, and let it run."""
    from experience_runtime.releasing.releasing import Wanted
    from experience_runtime.releasing.releasing import release as put
    from experience_runtime.scripts.loading import files_of

    with Runtime(settings) as runtime:
        made, change = put(
            runtime,
            Wanted(experience=name, files=files_of(path), actor=cli_actor(), note=note, share=share),
        )
    if as_json:
        print_json(release_document(made) | {"live": live_document(change)})
        return
    whom = "everybody" if change.share is None else f"{share_text(change.share)} of the visitors"
    say(f"release {made.number} of {name} runs for {whom} ({len(made.files)} files, {made.digest[:12]})")
