"""experience types: what an editor needs to know of experiences, stories and settings."""

import functools
from pathlib import Path

import click

from experience_runtime.cli.common import everywhere, print_json, say
from experience_runtime.cli.schemas import FILES, text_of
from experience_runtime.runtime import Runtime
from experience_runtime.settings.load import Settings


@click.command(
    epilog="""\b
Examples:
  experience types > experience.d.ts
  experience types story > story.schema.json
  experience types --to my-experience/.experience"""
)
@click.argument("what", type=click.Choice(list(FILES)), default="experience")
@click.option(
    "--to", "folder", metavar="DIR", type=click.Path(path_type=Path), help="Write all of them into a folder."
)
@functools.partial(everywhere, reads_strangers=True)
def types(what: str, folder: Path | None, settings: Settings, as_json: bool) -> None:
    """Print TypeScript's types of an experience's code, or the JSON schema of another file.

    WHAT: experience (left out), story, package, or settings, the schema of experience.toml. The payloads are
    those of the integrations that are registered here.
    """
    with Runtime(settings) as runtime:
        names = FILES if folder is not None else {what: FILES[what]}
        texts = {file: text_of(each, runtime.integrations) for each, file in names.items()}
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        for file, text in texts.items():
            (folder / file).write_text(text, encoding="utf-8")
    if as_json:
        print_json({"files": texts} if folder is None else {"files": [str(folder / file) for file in texts]})
    elif folder is None:
        click.echo(texts[FILES[what]], nl=False)
    else:
        for file in texts:
            say(str(folder / file))
