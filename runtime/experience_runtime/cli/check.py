"""experience check: what would certainly fail in an experience, told without running it."""

import functools
from pathlib import Path

import click

from experience_runtime.cli.common import EXIT_EXPERIENCE_FAILED, everywhere, print_json, styled
from experience_runtime.cli.shown import show_problem
from experience_runtime.runtime import Runtime
from experience_runtime.scripts.check import check_experience
from experience_runtime.scripts.loading import source_of
from experience_runtime.settings.load import Settings


@click.command(
    epilog="""\b
Examples:
  experience check sample_experiences/basket-reminder
  experience check variation.js --json

Exit codes: 0 no problem found, whatever is warned of; 1 there are problems; 2 wrong use."""
)
@click.argument("path", type=click.Path(exists=True, path_type=Path))
@click.option("--variation", metavar="NAME", help="Which variation file; left out, the last by name.")
@click.option("--repair", is_flag=True, help="Mend a parameter that is declared again first.")
@functools.partial(everywhere, reads_strangers=True)
def check(path: Path, variation: str | None, repair: bool, settings: Settings, as_json: bool) -> None:
    """Find what would certainly fail in the experience at PATH; nothing runs.

    Syntax errors, integrations that are not there, mistyped options, delays, times and windows that would be
    refused, modules that cannot be required, and names that exist only in a browser, such as `document`.
    """
    with Runtime(settings) as runtime:
        checked = check_experience(
            path,
            variation=variation,
            repair=repair,
            sandbox=runtime.sandbox,
            integrations=runtime.integrations,
            now=runtime.clock.now(),
        )
    if settings.code_left_out is not None:
        checked = checked.without_doubt_of("unknown_integration")
    if as_json:
        print_json(checked.document())
    else:
        for problem in checked.problems:
            show_problem(problem, source=source_of(problem, path, checked.script))
        for warning in checked.warnings:
            show_problem(warning, source=source_of(warning, path, checked.script), is_warning=True)
        if not checked.problems:
            click.echo(styled(f"{path}: no problem found", fg="green"))
    if checked.problems:
        raise SystemExit(EXIT_EXPERIENCE_FAILED)
