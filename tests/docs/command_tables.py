"""The tables of options on the pages of the command line, as the command line itself has them."""

import re
from collections.abc import Iterator

import click
from experience_runtime.cli import main

from .stage import ROOT

NAMES = (
    *("cli", "cli-executions", "cli-schedules", "cli-visitors"),
    *("cli-operating", "cli-integrations", "cli-telling", "cli-releases"),
)
PAGES = tuple(ROOT / "docs" / "reference" / f"{name}.md" for name in NAMES)
EVERYWHERE = "Options of every command"
_COMMON = ("--database", "--integrations", "--config", "--json")
_HEAD = ("| option | |", "| --- | --- |")


def commands() -> dict[str, click.Command]:
    """Every command that does something, by what is typed: `experience executions list`."""
    return dict(_walk(main, "experience", click.Context(main)))


def tables() -> dict[str, list[str]]:
    """The lines of the table below each heading of the pages; empty for a command without own options."""
    found = {f"`{words}`": _table(command, common=False) for words, command in commands().items()}
    return {EVERYWHERE: _table(commands()["experience check"], common=True), **found}


def refreshed(text: str) -> str:
    """The page with its tables as they are now; what it has no heading for is left to its test."""
    parts = re.split(r"^(#{2,} .+\n)", text, flags=re.MULTILINE)
    for index in range(1, len(parts), 2):
        table = tables().get(parts[index].lstrip("#").strip())
        if table is not None:
            parts[index + 1] = _with_table(parts[index + 1], table)
    return "".join(parts).rstrip("\n") + "\n"


def _with_table(section: str, table: list[str]) -> str:
    kept = [line for line in section.splitlines() if not line.startswith("| ")]
    while kept and not kept[-1]:
        kept.pop()
    fence = next((index for index, line in enumerate(kept) if line.startswith("```")), len(kept))
    before = "\n".join(kept[:fence]).strip("\n")
    after = "\n".join(kept[fence:]).strip("\n")
    return "\n" + "\n\n".join(part for part in (before, "\n".join(table), after) if part) + "\n\n"


def _walk(command: click.Command, words: str, context: click.Context) -> Iterator[tuple[str, click.Command]]:
    if not isinstance(command, click.Group):
        yield words, command
        return
    for name in command.list_commands(context):
        if (inner := command.get_command(context, name)) is not None:
            yield from _walk(inner, f"{words} {name}", context)


def _table(command: click.Command, *, common: bool) -> list[str]:
    context = click.Context(command, info_name="experience")
    rows = []
    for parameter in command.params:  # without --help
        record = parameter.get_help_record(context)
        if (
            record is None
            or isinstance(parameter, click.Argument)
            or (parameter.opts[-1] in _COMMON) is not common
        ):
            continue
        spelled, help_text = (" ".join(part.split()).replace("|", ", ") for part in record)
        rows.append(f"| `{spelled}` | {help_text} |")
    return [*_HEAD, *rows] if rows else []
