"""Prepare: a path -> a script the sandbox can take."""

from pathlib import Path

from experience_runtime.domain.errors import ScriptFault, ScriptModuleNotFound
from experience_runtime.domain.visitors import Visitor
from experience_runtime.experiences import LARGEST_FILE_BYTES, load_experience
from experience_runtime.guest import Problem
from experience_runtime.report import Report
from experience_runtime.sandbox.modules import Bundle


def prepare(path: Path, *, variation: str | None = None, repair: bool = False) -> Bundle:
    """Read an experience and place its files. Raises ScriptFault for one that cannot be read."""
    if not path.is_dir() and not path.is_file():  # a pipe would be read for ever
        raise ScriptModuleNotFound(
            f"{path} is neither a folder nor a file; name the experience's folder or its file"
        )
    try:
        return Bundle(load_experience(path, variation=variation), repair=repair)
    except OSError as error:
        raise ScriptModuleNotFound(
            f"{error.filename or path} cannot be read: {error.strerror}; make it a file that you may read"
        ) from None


def failed_report(path: Path, visitor: Visitor, fault: ScriptFault) -> Report:
    """The report of an experience that did not even begin."""
    name = path.resolve().name if path.is_dir() else path.stem
    report = Report(experience=name, visitor=visitor)
    report.error = fault_problem(fault)
    return report


def fault_problem(fault: ScriptFault) -> Problem:
    """A fault found while reading, as the reports show problems."""
    return Problem(
        code=fault.code, message=fault.message, file=fault.file, line=fault.line, column=fault.column
    )


def source_of(problem: Problem, path: Path, script: Bundle | None) -> str:
    """The text of the file a problem stands in; "" when it cannot be read."""
    if problem.file is None:
        return ""
    if script is not None and (text := script.source(problem.file)):
        return text
    file = path / problem.file if path.is_dir() else path
    try:
        content = file.read_bytes() if file.is_file() else b""
    except OSError:
        return ""
    return (
        content[:LARGEST_FILE_BYTES].decode("utf-8-sig", "replace").replace("\r\n", "\n").replace("\r", "\n")
    )
