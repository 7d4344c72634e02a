"""experience check: what would certainly fail in an experience, told without running it."""

import functools
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import click

from experience_runtime.cli.common import EXIT_EXPERIENCE_FAILED, everywhere, print_json
from experience_runtime.cli.shown import show_problem
from experience_runtime.cli.terminal import styled, visible
from experience_runtime.domain.errors import InvalidParameter
from experience_runtime.proving.finding import find_experiences
from experience_runtime.proving.formats import github, sarif
from experience_runtime.runtime import Runtime
from experience_runtime.scripts.check import Checked
from experience_runtime.scripts.facts import Wait
from experience_runtime.scripts.loading import prepare, source_of
from experience_runtime.settings.load import Settings


@click.command(
    epilog="""\b
Examples:
  experience check sample_experiences/basket-reminder
  experience check campaigns other/variation.js --json
  experience check campaigns --format github

Exit codes: 0 no problem found, whatever is warned of; 1 there are problems; 2 wrong use."""
)
@click.argument(
    "paths", metavar="PATH...", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path)
)
@click.option("--variation", metavar="NAME", help="Which variation file; left out, the last by name.")
@click.option("--repair", is_flag=True, help="Mend a parameter that is declared again first.")
@click.option(
    "--format",
    "output",
    type=click.Choice(["text", "github", "sarif"]),
    default="text",
    show_default=True,
    help="How to tell: for people, as GitHub's annotations, or as SARIF.",
)
@functools.partial(everywhere, reads_strangers=True)
def check(
    paths: Sequence[Path], variation: str | None, repair: bool, output: str, settings: Settings, as_json: bool
) -> None:
    """Find what would certainly fail in the experiences at each PATH; nothing runs.

    Syntax errors, integrations that are not there, mistyped options, delays, times and windows that would be
    refused, modules that cannot be required, and names that exist only in a browser, such as `document`. A
    folder that is no experience stands for all below it.
    """
    if as_json and output != "text":
        raise InvalidParameter(f"--json and --format {output} are two forms; leave one of them out")
    checked = {}
    with Runtime(settings) as runtime:
        for path in find_experiences(paths):
            one = runtime.check(partial(prepare, path, variation=variation, repair=repair))
            if settings.code_left_out is not None:
                one = one.without_doubt_of("unknown_integration")
            checked[path] = one
    _tell(checked, output="json" if as_json else output, is_one=len(paths) == 1 and [*checked] == [*paths])
    if any(one.problems for one in checked.values()):
        raise SystemExit(EXIT_EXPERIENCE_FAILED)


def _tell(checked: Mapping[Path, Checked], *, output: str, is_one: bool) -> None:
    """`is_one`: one experience was named by its own path; its document stands alone."""
    match output:
        case "json" if is_one:
            print_json(next(iter(checked.values())).document())
        case "json":
            experiences = [{"path": str(path), **one.document()} for path, one in checked.items()]
            print_json({"ok": all(each["ok"] for each in experiences), "experiences": experiences})
        case "github":
            for line in github(checked):
                click.echo(line)
        case "sarif":
            print_json(sarif(checked))
        case _:
            for path, one in checked.items():
                _show(path, one, is_one=is_one)


def _show(path: Path, checked: Checked, *, is_one: bool) -> None:
    if not is_one and (checked.problems or checked.warnings):
        click.echo(styled(str(path), bold=True))
    for problem in checked.problems:
        show_problem(problem, source=source_of(problem, path, checked.script))
    for warning in checked.warnings:
        show_problem(warning, source=source_of(warning, path, checked.script), is_warning=True)
    if checked.waits and not checked.problems:
        click.echo(styled(f"{path}: its triggers {visible(_waits_text(checked.waits))}", dim=True))
    if not checked.problems:
        click.echo(styled(f"{path}: no problem found", fg="green"))


def _waits_text(waits: Sequence[Wait]) -> str:
    """`wait for event ecView; read browser url`."""
    kinds = dict.fromkeys(wait.kind for wait in waits)
    told: dict[str, list[str]] = {}
    for kind in kinds:
        names = ", ".join(wait.name for wait in waits if wait.kind == kind)
        told.setdefault("wait for" if kind in ("event", "poll") else "read", []).append(f"{kind} {names}")
    return "; ".join(f"{verb} {' and '.join(told[verb])}" for verb in ("wait for", "read") if verb in told)
