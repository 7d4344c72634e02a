"""experience check: what would certainly fail in an experience, told without running it."""

from pathlib import Path
from typing import Any

import click

from experience_runtime.app import App
from experience_runtime.cli.common import EXIT_EXPERIENCE_FAILED, everywhere, print_json, styled
from experience_runtime.cli.shown import show_problem
from experience_runtime.domain.errors import ScriptFault
from experience_runtime.guest import Problem, Sandbox
from experience_runtime.host import check as compile_all
from experience_runtime.prepare import fault_problem, prepare, source_of
from experience_runtime.report import problem_document
from experience_runtime.sandbox.findings import find_all, find_in_package
from experience_runtime.sandbox.modules import Bundle, without_file
from experience_runtime.settings import Settings


@click.command(
    epilog="""\b
Examples:
  experience check sample_experiences/basket-reminder
  experience check variation.js --json

Exit codes: 0 no problem found; 1 there are problems; 2 wrong use."""
)
@click.argument("path", type=click.Path(exists=True, path_type=Path))
@click.option("--variation", metavar="NAME", help="Which variation file; left out, the last by name.")
@click.option("--repair", is_flag=True, help="Mend a parameter that is declared again first.")
@everywhere
def check(path: Path, variation: str | None, repair: bool, settings: Settings, as_json: bool) -> None:
    """Find what would certainly fail in the experience at PATH; nothing runs.

    Syntax errors, integrations that are not there, mistyped options, delays, times and windows that would be
    refused, modules that cannot be required, and what only a page has.
    """
    problems: list[Problem] = []
    script: Bundle | None = None
    with App(settings) as app:
        try:
            script = prepare(path, variation=variation, repair=repair)
        except ScriptFault as fault:
            problems.append(fault_problem(fault))
        else:
            problems += _package_problems(path)
            problems += _syntax_errors(script, app.sandbox)
            problems += find_all(script, app.integrations, app.clock.now())
    if as_json:
        print_json({"ok": not problems, "problems": [_document(problem) for problem in problems]})
    else:
        for problem in problems:
            show_problem(problem, source=source_of(problem, path, script))
        if not problems:
            click.echo(styled(f"{path}: no problem found", fg="green"))
    if problems:
        raise SystemExit(EXIT_EXPERIENCE_FAILED)


def _syntax_errors(script: Bundle, sandbox: Sandbox) -> list[Problem]:
    """The first syntax error of each file: one that is broken hides none of another's."""
    found: list[Problem] = []
    while (problem := compile_all(script, sandbox)) is not None:
        found.append(problem)
        rest = None if problem.file is None else without_file(script.experience, problem.file)
        if rest is None:
            break
        script = Bundle(rest)
    return found


def _package_problems(folder: Path) -> list[Problem]:
    file = folder / "package.json"
    return find_in_package(file.read_text(encoding="utf-8-sig")) if file.is_file() else []


def _document(problem: Problem) -> dict[str, Any]:
    return {name: value for name, value in problem_document(problem).items() if name != "stack"}
