"""experience new: a folder with an experience that works, and the story that proves it."""

import os
import re
import shutil
import tempfile
from pathlib import Path

import click

from experience_runtime.cli.common import everywhere, print_json, say
from experience_runtime.cli.schemas import FILES, text_of
from experience_runtime.cli.templates import TEMPLATES, files_of, sample_names
from experience_runtime.domain.errors import Conflict, InvalidParameter
from experience_runtime.domain.values import nearest
from experience_runtime.runtime import Runtime
from experience_runtime.settings.load import Settings

TYPES_FOLDER = ".experience"
"""Where the types stand; the loader of experiences reads no hidden folder."""

_NAME = re.compile(r"[a-z0-9]+(?:[-_][a-z0-9]+)*")
_NAME_LENGTH = 50


@click.command(
    epilog="""\b
Examples:
  experience new basket-reminder
  experience new campaigns/welcome --template blank
  experience new follow-up --template business-hours-followup

TEMPLATE: basket, event, blank, or the name of a sample."""
)
@click.argument("path", metavar="NAME", type=click.Path(path_type=Path))
@click.option(
    "--template", metavar="TEMPLATE", default="basket", show_default=True, help="What to begin with."
)
@everywhere
def new(path: Path, template: str, settings: Settings, as_json: bool) -> None:
    """Write an experience that works, with the story that proves it, in a new folder NAME."""
    _check_name(path)
    _check_template(template)
    if os.path.lexists(path):  # also a link to nothing
        raise Conflict(f"{path} is there already, and nothing was written; choose another name")
    files = dict(files_of(template, path.name))
    with Runtime(settings) as runtime:
        for what, typing in FILES.items():
            if what != "settings":
                files[f"{TYPES_FOLDER}/{typing}"] = text_of(what, runtime.integrations)
    path.parent.mkdir(parents=True, exist_ok=True)
    # all of it or nothing: it gets its name when it is whole
    making = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    try:
        for name, text in files.items():
            file = making / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        making.chmod(0o777 & ~_umask())
        making.rename(path)
    except BaseException:
        shutil.rmtree(making, ignore_errors=True)
        raise
    if as_json:
        print_json({"name": path.name, "template": template, "files": [str(path / name) for name in files]})
        return
    for name in files:
        if not name.startswith(TYPES_FOLDER):
            say(str(path / name))
    say()
    say(f"See what it does:  experience simulate {path}")
    say(f"Find mistakes:     experience check {path}")
    say(f"Run it for real:   experience run {path} --visitor me --timezone Europe/Paris")


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _check_name(path: Path) -> None:
    name = path.name
    if _NAME.fullmatch(name) and len(name) <= _NAME_LENGTH:
        return
    close = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:_NAME_LENGTH].rstrip("-")
    hint = f'; for instance "{close}"' if close else ""
    raise InvalidParameter(
        f'"{name[:100]}" cannot be the name of a new experience; use up to {_NAME_LENGTH} small letters, '
        f"digits and dashes{hint}"
    )


def _check_template(template: str) -> None:
    there = [*TEMPLATES, *sample_names()]
    if template not in there:
        meant = nearest(template, there)
        hint = f"did you mean {meant}?" if meant else f"there are {', '.join(there)}"
        raise InvalidParameter(f'there is no template "{template[:100]}"; {hint}')
