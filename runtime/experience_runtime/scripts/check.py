"""Checks: what would certainly fail in an experience, told without running it."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from experience_runtime.domain.errors import ScriptFault
from experience_runtime.domain.json_faults import json_fault, json_place
from experience_runtime.engine.ports import Integrations
from experience_runtime.running.guest import Problem, Sandbox
from experience_runtime.running.opening import check as compile_all
from experience_runtime.running.report import problem_document
from experience_runtime.scripts.bundle import Bundle, without_file
from experience_runtime.scripts.facts import Wait
from experience_runtime.scripts.loading import fault_problem
from experience_runtime.scripts.rules import find_all, find_in_package, waits_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What a check came to; `script` is None for an experience that cannot be read at all."""

    problems: Sequence[Problem]
    warnings: Sequence[Problem] = ()
    script: Bundle | None = None
    waits: Sequence[Wait] = ()

    def without_doubt_of(self, code: str) -> "Checked":
        """The same where problems of a code are warnings: it is not known whether they are any."""
        doubtful = [problem for problem in self.problems if problem.code == code]
        certain = [problem for problem in self.problems if problem.code != code]
        return replace(self, problems=certain, warnings=[*self.warnings, *doubtful])

    def document(self) -> dict[str, Any]:
        """The document of `check --json`."""
        return {
            "ok": not self.problems,
            "problems": [_document(problem) for problem in self.problems],
            "warnings": [_document(warning) for warning in self.warnings],
            "waits": [asdict(wait) for wait in self.waits],
        }


def check_script(
    make: Callable[[], Bundle], *, sandbox: Sandbox, integrations: Integrations, now: datetime
) -> Checked:
    """Find what would certainly fail in the experience that `make` reads, and what is doubtful."""
    try:
        script = make()
    except ScriptFault as fault:
        return Checked(problems=[fault_problem(fault)])
    text = script.experience.package_text
    problems, warnings = find_in_package(text) if text else ([], [])
    waits: dict[Wait, None] = {}
    for name in script.experience.variants or (None,):
        try:
            each = script if name is None else script.variant(name)
        except ScriptFault as fault:
            problems.append(fault_problem(fault))
            continue
        problems += _broken_json(each.experience.json_files)
        broken = _syntax_errors(each, sandbox)
        found, doubts = find_all(each, integrations, now)
        files = {problem.file for problem in broken}
        # of a file that is none yet, what else is wrong may be its syntax error once more
        problems += [*broken, *(problem for problem in found if problem.file not in files)]
        warnings += doubts
        waits |= dict.fromkeys(waits_of(each))
    if script.experience.variants:  # what they share was looked at with each of them
        problems, warnings = list(dict.fromkeys(problems)), list(dict.fromkeys(warnings))
    return Checked(problems=problems, warnings=warnings, script=script, waits=[*waits])


def _broken_json(files: Mapping[str, str]) -> Iterator[Problem]:
    """The JSON files that the code may require and that are none."""
    for name, text in files.items():
        try:
            json.loads(text)
        except json.JSONDecodeError as error:
            said, line, column = json_place(error)
            yield Problem(
                code="syntax_error",
                message=f"{name} is not JSON: {said}",
                file=name.removeprefix("./"),
                line=line,
                column=column,
            )
        except (ValueError, RecursionError) as fault:
            message = f"{name} is not JSON: {json_fault(fault)}"
            yield Problem(code="syntax_error", message=message, file=name.removeprefix("./"))


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


def _document(problem: Problem) -> dict[str, Any]:
    return {name: value for name, value in problem_document(problem).items() if name != "stack"}
