"""Checks: what would certainly fail in an experience, told without running it."""

from datetime import datetime
from pathlib import Path
from typing import Any

from experience_runtime.domain.errors import ScriptFault
from experience_runtime.engine.ports import Integrations
from experience_runtime.running.guest import Problem, Sandbox
from experience_runtime.running.report import problem_document
from experience_runtime.running.run import check as compile_all
from experience_runtime.scripts.bundle import Bundle, without_file
from experience_runtime.scripts.loading import fault_problem, prepare
from experience_runtime.scripts.rules import find_all, find_in_package


def check_experience(
    path: Path,
    *,
    variation: str | None,
    repair: bool,
    sandbox: Sandbox,
    integrations: Integrations,
    now: datetime,
) -> tuple[list[Problem], Bundle | None]:
    """Find the problems of the experience at a path, and its script when it can be read at all."""
    try:
        script = prepare(path, variation=variation, repair=repair)
    except ScriptFault as fault:
        return [fault_problem(fault)], None
    problems = _package_problems(path)
    problems += _syntax_errors(script, sandbox)
    problems += find_all(script, integrations, now)
    return problems, script


def checked_document(problems: list[Problem]) -> dict[str, Any]:
    """The document of `check --json`."""
    return {"ok": not problems, "problems": [_document(problem) for problem in problems]}


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
