"""Covering: which tests run a line of the code, or a named statement of SQL, and how long each takes.

As a plugin of pytest (`-p tests.support.covering`) it writes down what `--cov-context=test` does not
see: the statements by name, and the seconds.
"""

import importlib
import json
import os
import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import pytest
from coverage import CoverageData

WRITES_TO = "COVERING_WRITES_TO"


@dataclass
class Covering:
    """`lines` are the tests by file (from the root) and line, `statements` by the name of the statement.

    A line without any test was run while modules were read, or never.
    """

    lines: dict[tuple[str, int], set[str]] = field(default_factory=lambda: defaultdict(set))
    statements: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    seconds: dict[str, float] = field(default_factory=dict)

    def add(self, other: "Covering") -> None:
        """Know what the other knows, too."""
        for place, tests in other.lines.items():
            self.lines[place] |= tests
        for name, tests in other.statements.items():
            self.statements[name] |= tests
        self.seconds.update(other.seconds)

    def quickest_first(self, tests: Collection[str]) -> list[str]:
        return sorted(tests, key=lambda each: (self.seconds.get(each, 0.0), each))

    def of_lines(self, path: str, lines: Sequence[int]) -> list[str]:
        return self.quickest_first(set().union(*(self.lines.get((path, line), ()) for line in lines)))

    def of_file(self, path: str) -> list[str]:
        of_it = (tests for (file, _), tests in self.lines.items() if file == path)
        return self.quickest_first(set().union(*of_it))

    def of_statement(self, name: str | None) -> list[str]:
        return self.quickest_first(self.statements.get(name or "", set()))

    def written(self) -> str:
        """As `understood` reads it back."""
        lines = [[*place, sorted(tests)] for place, tests in self.lines.items()]
        said = {name: sorted(tests) for name, tests in self.statements.items()}
        return json.dumps({"lines": lines, "statements": said, "seconds": self.seconds})

    @classmethod
    def understood(cls, text: str) -> "Covering":
        said = json.loads(text)
        covering = cls(seconds=said["seconds"])
        covering.lines.update({(path, line): set(tests) for path, line, tests in said["lines"]})
        covering.statements.update({name: set(tests) for name, tests in said["statements"].items()})
        return covering


def read(data: Path, written: Path, tree: Path) -> Covering:
    """What a run left in its file of coverage and in the file of this plugin."""
    covering = Covering()
    measured = CoverageData(str(data))
    measured.read()
    for file in measured.measured_files():
        path = Path(file)
        if not path.is_relative_to(tree):
            continue
        for line, contexts in measured.contexts_by_lineno(file).items():
            names = {each.rpartition("|")[0] for each in contexts} - {""}
            if names:
                covering.lines[path.relative_to(tree).as_posix(), line] |= names
    said = json.loads(written.read_text(encoding="utf-8"))
    covering.seconds.update(said["seconds"])
    for name, tests in said["statements"].items():
        covering.statements[name] |= set(tests)
    return covering


def statement_at(text: str, place: int) -> str | None:
    """The name of the statement that stands there in a `.sql` file; None within a part of several."""
    headings = list(re.finditer(r"^-- (name|part): (\w+)$", text, re.MULTILINE))
    before = [found for found in headings if found.start() <= place]
    return before[-1][2] if before and before[-1][1] == "name" else None


class _Recorder(dict[str, str]):
    """The statements of a database, which tell by which test they were asked for."""

    asked: ClassVar[dict[str, set[str]]] = defaultdict(set)
    test: ClassVar[str] = ""

    def __getitem__(self, name: str) -> str:
        self.asked[name].add(_Recorder.test)
        return super().__getitem__(name)


def pytest_collection_finish() -> None:
    """Put the recorder in the place of the statements."""
    if not os.environ.get(WRITES_TO):
        return
    for name in ("sqlite.database", "postgres.database", "postgres.relay"):
        module = importlib.import_module(f"experience_runtime.store.{name}")
        module.STATEMENTS = _Recorder(module.STATEMENTS)  # type: ignore[attr-defined]


_seconds: dict[str, float] = defaultdict(float)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    _Recorder.test = item.nodeid
    result = yield
    _Recorder.test = ""
    return result


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    _seconds[report.nodeid] += report.duration


def pytest_sessionfinish() -> None:
    if where := os.environ.get(WRITES_TO):
        asked = {name: sorted(tests - {""}) for name, tests in _Recorder.asked.items()}
        Path(where).write_text(json.dumps({"statements": asked, "seconds": _seconds}), encoding="utf-8")
