"""Formats: results for programs that know JUnit's XML, GitHub's annotations and SARIF."""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree

from experience_runtime import __version__
from experience_runtime.proving.suite import Proved
from experience_runtime.running.guest import Problem
from experience_runtime.scripts.check import Checked

_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SARIF = "https://json.schemastore.org/sarif-2.1.0.json"


def junit(results: Sequence[Proved]) -> str:
    """The report of a suite of stories in the form that CI servers read."""
    suite = ElementTree.Element(
        "testsuite",
        name="stories",
        tests=str(len(results)),
        failures=str(sum(bool(each.differences) for each in results)),
        errors=str(sum(not each.passed and not each.differences for each in results)),
        time=f"{sum(each.seconds for each in results):.3f}",
    )
    for each in results:
        case = ElementTree.SubElement(
            suite,
            "testcase",
            classname=_xml(str(each.experience)),
            name=_xml(str(each.story)),
            file=_xml(str(each.story)),
            time=f"{each.seconds:.3f}",
        )
        if not each.passed:
            lines = each.lines()
            kind = "failure" if each.differences else "error"
            ElementTree.SubElement(case, kind, message=_xml(lines[0])).text = _xml("\n".join(lines))
    whole = ElementTree.Element("testsuites")
    whole.append(suite)
    return ElementTree.tostring(whole, encoding="unicode", xml_declaration=True) + "\n"


def _xml(text: str) -> str:
    """What XML has no character for is shown by its number."""
    return _NOT_IN_XML.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def github(checked: Mapping[Path, Checked]) -> Iterator[str]:
    """Workflow commands: each stands at its line in the files of a pull request."""
    for path, each in checked.items():
        for level, problems in (("error", each.problems), ("warning", each.warnings)):
            for problem in problems:
                where = {"file": _file(path, problem), "line": problem.line, "col": problem.column}
                there = [f"{name}={_property(str(value))}" for name, value in where.items() if value]
                title = f"title={_property(problem.code)}"
                yield f"::{level} {','.join([*there, title])}::{_data(problem.message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def sarif(checked: Mapping[Path, Checked]) -> dict[str, Any]:
    """A SARIF 2.1.0 log, as code scanning takes it."""
    found = [
        (path, level, problem)
        for path, each in checked.items()
        for level, problems in (("error", each.problems), ("warning", each.warnings))
        for problem in problems
    ]
    return {
        "$schema": _SARIF,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "experience check",
                        "version": __version__,
                        "rules": [{"id": code} for code in sorted({each.code for _, _, each in found})],
                    }
                },
                "columnKind": "unicodeCodePoints",
                "results": [_result(*each) for each in found],
            }
        ],
    }


def _result(path: Path, level: str, problem: Problem) -> dict[str, Any]:
    region = {
        name: value
        for name, value in (("startLine", problem.line), ("startColumn", problem.column))
        if value is not None
    }
    place: dict[str, Any] = {"artifactLocation": {"uri": quote(_file(path, problem))}}
    return {
        "ruleId": problem.code,
        "level": level,
        "message": {"text": problem.message},
        "locations": [{"physicalLocation": place | ({"region": region} if region else {})}],
    }


def _file(path: Path, problem: Problem) -> str:
    if problem.file is None:
        return path.as_posix()
    return (path / problem.file if path.is_dir() else path).as_posix()
