"""experience check: parse an experience, run nothing."""

import json
import re
from pathlib import Path
from typing import Any

import click

from experience_runtime.app import App
from experience_runtime.cli.common import EXIT_EXPERIENCE_FAILED, everywhere, print_json, styled
from experience_runtime.cli.shown import show_problem
from experience_runtime.domain.errors import ScriptFault, UnknownIntegration
from experience_runtime.host import check as compile_all
from experience_runtime.ports import Integrations, Problem, Script
from experience_runtime.prepare import fault_problem, prepare
from experience_runtime.sandbox.modules import Bundle
from experience_runtime.settings import Settings

# Comments and other texts are stepped over, so that what stands in them is no call.
_INTEGRATION_CALL = re.compile(
    r"""//[^\n]*|/\*.*?\*/"""
    r"""|\.integration\(\s*(?P<quote>['"`])(?P<name>[^'"`$\\\n]{1,200})(?P=quote)"""
    r"""|'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*\"""",
    re.DOTALL,
)


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
    """Parse the experience at PATH and name every integration it calls that is not there; nothing runs."""
    problems: list[Problem] = []
    script: Bundle | None = None
    with App(settings) as app:
        try:
            script = prepare(path, variation=variation, repair=repair)
        except ScriptFault as fault:
            problems.append(fault_problem(fault))
        else:
            problem = compile_all(script, app.sandbox)
            problems = [] if problem is None else [problem]
            problems.extend(_unlinked(script, app.integrations))
    if as_json:
        print_json({"ok": not problems, "problems": [_document(problem) for problem in problems]})
    else:
        for problem in problems:
            source = script.source(problem.file) if script is not None and problem.file else ""
            show_problem(problem, source=source)
        if not problems:
            click.echo(styled(f"{path}: no problem found", fg="green"))
    if problems:
        raise SystemExit(EXIT_EXPERIENCE_FAILED)


def _unlinked(script: Script, integrations: Integrations) -> list[Problem]:
    """The integrations that are named in the code and cannot be called."""
    experience = script.experience
    linked = experience.linked
    problems = []
    sources = [experience.variation, experience.triggers, *dict.fromkeys(experience.shared.values())]
    for source in (each for each in sources if each is not None):
        for call in (found for found in _INTEGRATION_CALL.finditer(source.text) if found["name"]):
            before = source.text[: call.start("name")]
            name = call["name"]
            place: dict[str, Any] = {
                "file": source.file,
                "line": before.count("\n") + 1,
                "column": len(before.rpartition("\n")[2]) + 1,
            }
            if linked is not None and name not in linked:
                message = (
                    f"the integration {json.dumps(name)} is not linked to this experience; "
                    "add it to meta.qfns in package.json"
                )
                problems.append(Problem(code="not_linked", message=message, **place))
            elif name not in integrations.names():
                try:
                    integrations.get(name)
                except UnknownIntegration as refusal:
                    problems.append(Problem(code=refusal.code, message=refusal.message, **place))
    return problems


def _document(problem: Problem) -> dict[str, Any]:
    return {
        "code": problem.code,
        "message": problem.message,
        "file": problem.file,
        "line": problem.line,
        "column": problem.column,
    }
