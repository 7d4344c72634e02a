"""The tree: rules that every file keeps."""

import ast
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.needs import lacking

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("runtime/", "integrations/")
MOST_LINES = 400
# name a file here, with the reason, when it has to be longer
LONGER = frozenset({"CHANGELOG.md"})  # it grows with every change, and is read from its beginning
NOT_WRITTEN_BY_HAND = (
    "requirements.lock",
    "deploy/requirements.lock",
    "tests/vectors/",
    "tests/scripts/packages/package-lock.json",
    "clients/python/generator.txt",
    "clients/typescript/package-lock.json",
)

# Written in pieces, so that this file keeps its own rules.
MACHINE_PATH = re.compile(r"(?<![\w.~-])/(?:work|root|home|Users)/")
REGISTRY = re.compile(r"\b(?:py" r"pi\.org|python" r"hosted\.org|npm" r"js\.org|deb\.deb" r"ian\.org)\b")
UNFINISHED = re.compile(r"\b(?:TO" r"DO|FIX" r"ME|NotImpl" r"ementedError)\b")
SQL_CLOCK = re.compile(r"(?i)\bnow\s*\(|'now'|\bcurrent_(?:time|date|timestamp)\b|\bunixepoch\s*\(")
CLOCK_CALLS = {
    ("datetime", "now"),
    ("datetime", "utcnow"),
    ("datetime", "today"),
    ("date", "today"),
    ("time", "time"),
    ("time", "time_ns"),
}


def _files() -> dict[str, str]:
    """Every text file that is or would be committed, by its path from the root."""
    if not (ROOT / ".git").exists() or not shutil.which("git"):
        lacking("this is not a git checkout")
    words = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(words, cwd=ROOT, capture_output=True, check=True).stdout.decode()
    files = {}
    for name in filter(None, listed.split("\0")):
        content = (ROOT / name).read_bytes() if (ROOT / name).is_file() else b"\0"
        if b"\0" not in content:
            files[name] = content.decode()
    return files


@pytest.fixture(scope="module")
def files() -> dict[str, str]:
    return _files()


def _matches(files: dict[str, str], pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{name}:{number}: {line.strip()[:100]}"
        for name, text in files.items()
        for number, line in enumerate(text.splitlines(), 1)
        if pattern.search(line)
    ]


def _calls(files: dict[str, str], wanted: set[tuple[str, str]], folders: tuple[str, ...]) -> Iterator[str]:
    """Where Python under these folders names `module.function`, or imports the function from the module."""
    for name, text in files.items():
        if not (name.startswith(folders) and name.endswith(".py")):
            continue
        for node in ast.walk(ast.parse(text)):
            match node:
                case ast.Attribute(value=ast.Name(id=owner) | ast.Attribute(attr=owner), attr=attribute):
                    found = {(owner, attribute)}
                case ast.ImportFrom(module=str(module), names=names):
                    found = {(module, alias.name) for alias in names}
                case _:
                    continue
            if found & wanted:
                yield f"{name}:{node.lineno}"


def test_no_file_names_a_place_on_someones_machine(files: dict[str, str]) -> None:
    assert _matches(files, MACHINE_PATH) == []


def test_no_file_names_a_package_registry(files: dict[str, str]) -> None:
    assert _matches(files, REGISTRY) == []


def test_no_file_is_longer_than_400_lines(files: dict[str, str]) -> None:
    long = {
        name: lines
        for name, text in files.items()
        if (lines := len(text.splitlines())) > MOST_LINES and not name.startswith(NOT_WRITTEN_BY_HAND)
    }

    assert set(long) == LONGER, long


def test_only_clocks_py_reads_the_clock(files: dict[str, str]) -> None:
    readers = _calls(files, CLOCK_CALLS, PACKAGES)

    assert [where for where in readers if not where.startswith("runtime/experience_runtime/clocks.py:")] == []


def test_no_statement_reads_the_databases_clock(files: dict[str, str]) -> None:
    statements = {name: re.sub(r"--.*", "", text) for name, text in files.items() if name.endswith(".sql")}

    assert _matches(statements, SQL_CLOCK) == []


def test_no_test_sleeps(files: dict[str, str]) -> None:
    assert list(_calls(files, {("time", "sleep"), ("asyncio", "sleep")}, ("tests/",))) == []


def test_nothing_is_left_unfinished(files: dict[str, str]) -> None:
    code = {name: text for name, text in files.items() if name.endswith((".py", ".js", ".sql", ".toml"))}

    assert _matches(code, UNFINISHED) == []


def test_the_rules_import_only_what_they_may(files: dict[str, str]) -> None:
    allowed = {*sys.stdlib_module_names, "cronsim", "dateutil", "experience_runtime"}
    imported = set()
    for name, text in files.items():
        if name.startswith("runtime/experience_runtime/domain/") and name.endswith(".py"):
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, ast.Import):
                    imported |= {(name, alias.name.split(".")[0]) for alias in node.names}
                elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                    imported.add((name, node.module.split(".")[0]))

    assert imported
    assert {(name, module) for name, module in imported if module not in allowed} == set()
