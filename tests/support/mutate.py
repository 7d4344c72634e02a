"""Mutants: one small change to the code at a time, and whether a test notices it.

    python3 dev.py mutate [PATH...] [--sample N] [--seed N] [--list]

PATH is a file or a folder under runtime/; left out, it is what must not be wrong: the rules, the engine, the
store, redaction and access. A mutant that no test notices is printed with its line: either a test is lacking,
or the code is not needed. The tree itself is left alone; each change is made in a copy.
"""

import argparse
import ast
import contextlib
import importlib
import multiprocessing
import os
import random
import re
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.covering import WRITES_TO, Covering, read, statement_at

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "runtime/experience_runtime/"
MATTERS = ("domain", "engine", "store", "settings/redaction.py", "web/guard")
HANGS_SECONDS = 1800
FOREIGN = (
    "hypothesis",
    "fastapi",
    "pydantic",
    "httpx",
    "psycopg",
    "jinja2",
    "tree_sitter",
)

GUARDED = " ".join(
    f"tests/web/test_{each}.py"
    for each in (
        *(
            "access",
            "access_guards",
            "connections",
            "middleware",
            "pressure",
            "proxies",
            "quotas",
            "refusals",
        ),
        *("rights", "snippet", "tokens"),
    )
)

# The first prefix that fits names the tests that should notice, quickest first.
TESTS = (
    ("domain/", "tests/domain tests/engine tests/store"),
    ("engine/", "tests/engine tests/system/model tests/store"),
    ("store/postgres/", "tests/store tests/system/postgres tests/distribution/test_tree.py"),
    ("store/sqlite/", "tests/store tests/engine tests/system/faults"),
    ("store/", "tests/store tests/engine tests/system/model tests/system/postgres/test_at_once.py"),
    ("settings/redaction.py", "tests/settings tests/documents tests/plugins tests/engine/test_guards.py"),
    ("settings/", "tests/settings tests/cli tests/documents"),
    ("web/guard/", GUARDED),
    ("web/", "tests/web"),
    ("", "tests"),
)

COMPARED = {
    ast.Lt: ("<", "<="),
    ast.LtE: ("<=", "<"),
    ast.Gt: (">", ">="),
    ast.GtE: (">=", ">"),
    ast.Eq: ("==", "!="),
    ast.NotEq: ("!=", "=="),
    ast.Is: ("is", "is not"),
    ast.In: ("in", "not in"),
    ast.IsNot: ("is not", "is"),
    ast.NotIn: ("not in", "in"),
}
SQL = (
    (r"\s+AND [^()\n]*?(?=\s+AND\b|\s*\n|;)", ""),
    (r"(?<![<>])<=", "<"),
    (r"(?<![<>])>=", ">"),
    (r" < ", " <= "),
    (r" > ", " >= "),
    (r" SKIP LOCKED", ""),
    (r"\s*FOR (?:UPDATE|SHARE)(?: SKIP LOCKED)?|\s*\{for_\w+\}", ""),
    (r"\n?ORDER BY [^\n;]*", ""),
    (r", lease_until = NULL", ""),
    (r"attempt \+ 1", "attempt"),
)


@dataclass(frozen=True)
class Mutant:
    """`path` from the root; the text from `start` to `end` becomes `became`."""

    path: str
    start: int
    end: int
    became: str

    def told(self) -> str:
        text = (ROOT / self.path).read_text(encoding="utf-8")
        was = " ".join(text[self.start : self.end].split())
        return f"{self.path}:{text.count(chr(10), 0, self.start) + 1}: {was!r} -> {self.became!r}"

    @property
    def tests(self) -> list[str]:
        within = self.path.removeprefix(PACKAGE)
        return next(tests for prefix, tests in TESTS if within.startswith(prefix)).split()


def mutants(path: Path) -> Iterator[Mutant]:
    """Every change that is known for this file."""
    text, name = path.read_text(encoding="utf-8"), path.relative_to(ROOT).as_posix()
    if path.suffix == ".sql":
        for pattern, became in SQL:
            for found in re.finditer(pattern, text):
                line = text[text.rfind("\n", 0, found.end()) + 1 : found.end()]
                if "--" not in line:
                    yield Mutant(name, found.start(), found.end(), became)
        return
    data = text.encode()
    starts = [0]
    for encoded in data.splitlines(keepends=True):
        starts.append(starts[-1] + len(encoded))

    def at(line: int, column: int) -> int:
        return len(data[: starts[line - 1] + column].decode())

    for node in _outside_of_f_strings(ast.parse(text)):
        for first, last, became in _changes(node, text):
            yield Mutant(name, at(*first), at(*last), became)


Place = tuple[int, int]


def _outside_of_f_strings(node: ast.AST) -> Iterator[ast.AST]:
    # inside of one, Python 3.11 does not know the columns
    yield node
    if not isinstance(node, ast.JoinedStr):
        for child in ast.iter_child_nodes(node):
            yield from _outside_of_f_strings(child)


def _changes(node: ast.AST, text: str) -> Iterator[tuple[Place, Place, str]]:
    def span(one: ast.AST) -> tuple[Place, Place]:
        assert isinstance(one, ast.expr | ast.stmt)
        return (one.lineno, one.col_offset), (one.end_lineno or 0, one.end_col_offset or 0)

    match node:
        case ast.Compare(ops=[op], left=left, comparators=[right]) if type(op) in COMPARED:
            was, became = COMPARED[type(op)]
            between = _between(text, span(left)[1], span(right)[0])
            yield span(left)[1], span(right)[0], between.replace(was, became, 1)
        case ast.BoolOp(op=op, values=[left, right, *_]):
            was, became = ("and", "or") if isinstance(op, ast.And) else ("or", "and")
            between = _between(text, span(left)[1], span(right)[0])
            yield span(left)[1], span(right)[0], between.replace(was, became, 1)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            between = _between(text, span(node)[0], span(operand)[0])
            yield span(node)[0], span(operand)[0], between.replace("not", "", 1).lstrip()
        case ast.If(test=test, body=[ast.Raise() | ast.Return() | ast.Continue()]):
            yield *span(test), "False"
        case ast.Expr(value=ast.Call(func=function)) if "log" not in ast.unparse(function).lower():
            yield *span(node), "pass"
        case ast.Constant(value=bool() as value):
            yield *span(node), str(not value)
        case ast.Constant(value=int() as number):
            yield *span(node), str(number + 1)
        case _:
            pass


def _between(text: str, first: Place, last: Place) -> str:
    lines = text.encode().splitlines(keepends=True)[first[0] - 1 : last[0]]
    ahead = sum(map(len, lines[:-1]))
    return b"".join(lines)[first[1] : ahead + last[1]].decode()


class Trial:
    """A copy of the tree, in which one change at a time is made, and the tests that could notice it are run.

    Those are the tests that run the changed line, the quickest first; those of its file where the line is
    run while modules are read, as a constant is. They run in a fork that has read what is not ours.
    """

    def __init__(self, tree: Path, *, options: Sequence[str] = (), keep: Path | None = None) -> None:
        """`keep` is a folder for what the tests run, which takes minutes to find out."""
        self._tree = tree
        self._keep = keep
        self._options = options
        self._covering = Covering()
        self.said = tree.with_name("said.txt")  # by the last tests
        shutil.copytree(ROOT, tree, ignore=shutil.ignore_patterns(".*", "__pycache__", "*.db"))
        for name in FOREIGN:
            with contextlib.suppress(ImportError):
                importlib.import_module(name)

    def learn(self, tests: str) -> bool:
        """Run a file or folder of tests without any change and remember what it runs. False when it fails."""
        kept = self._keep and self._keep / f"{tests.replace('/', '-')}.json"
        if kept and kept.exists():
            self._covering.add(Covering.understood(kept.read_text(encoding="utf-8")))
            return True
        data, said = self._tree / ".coverage", self._tree / "covering.json"
        rules = self._tree / "covering.ini"
        rules.write_text(f"[run]\ndata_file = {data}\nsource = runtime\n", encoding="utf-8")
        words = ["-p", "tests.support.covering", "--cov", "--cov-context=test", "--cov-report="]
        if not self._are_green(
            [*words, f"--cov-config={rules}", tests], HANGS_SECONDS, {WRITES_TO: str(said)}
        ):
            return False
        learned = read(data, said, self._tree)
        self._covering.add(learned)
        if kept:
            kept.write_text(learned.written(), encoding="utf-8")
        return True

    def could_notice(self, mutant: Mutant) -> list[str]:
        """The tests that run the changed place; of one that is run while modules are read, of its file."""
        text = (ROOT / mutant.path).read_text(encoding="utf-8")
        if mutant.path.endswith(".sql"):
            name = statement_at(text, mutant.start)
            return mutant.tests if name is None else self._covering.of_statement(name)
        lines = range(text.count("\n", 0, mutant.start) + 1, text.count("\n", 0, mutant.end) + 2)
        able = self._covering.of_lines(mutant.path, lines)
        is_acted = any(lines[0] in acted for acted in _acts(ast.parse(text)))
        return able if able or is_acted else self._covering.of_file(mutant.path)

    def is_noticed(self, mutant: Mutant) -> bool:
        """Make the change in the copy, run its tests until one fails, and take the change back."""
        able, seconds = self.could_notice(mutant), self._covering.seconds
        if not able:
            return False
        file, chosen = self._tree / mutant.path, self._tree / "chosen.txt"
        was = file.read_text(encoding="utf-8")
        file.write_text(was[: mutant.start] + mutant.became + was[mutant.end :], encoding="utf-8")
        chosen.write_text("\n".join(able), encoding="utf-8")
        usual = sum(seconds.get(each, 1.0) for each in able)
        try:
            return not self._are_green(["-x", f"@{chosen}"], 60 + 10 * usual, {})
        finally:
            file.write_text(was, encoding="utf-8")

    def _are_green(self, words: Sequence[str], seconds: float, environ: dict[str, str]) -> bool:
        """Run tests in a fork, a group of its own; what hangs has failed."""
        child = multiprocessing.get_context("fork").Process(target=self._run, args=(words, environ))
        child.start()
        child.join(seconds)
        with contextlib.suppress(ProcessLookupError):  # or what the tests of a changed tree left running
            os.killpg(child.pid or 0, signal.SIGKILL)
        child.join()
        return child.exitcode in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED)

    def _run(self, words: Sequence[str], environ: dict[str, str]) -> None:
        os.setsid()
        said = os.open(self.said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        for stream in (1, 2):
            os.dup2(said, stream)
        os.chdir(self._tree)
        paths = [str(self._tree / each) for each in ("runtime", "integrations", "")]
        sys.path[:0] = paths
        sys.dont_write_bytecode = True  # of a changed file, by its second
        os.environ.update(environ | {"PYTHONPATH": os.pathsep.join(paths), "PYTHONDONTWRITEBYTECODE": "1"})
        for name in [each for each in sys.modules if each == "tests" or each.startswith("tests.")]:
            del sys.modules[name]
        options = ["-q", "-m", "not browser", "-p", "no:cacheprovider", *self._options]
        options += ["-W", "ignore::pytest.PytestAssertRewriteWarning"]  # of what is read already
        sys.stdout.flush()
        os._exit(pytest.main([*options, *words]))


def _acts(tree: ast.AST) -> Iterator[range]:
    """The lines that run when a function is called."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            body = node.body if isinstance(node, ast.Lambda) else node.body[0]
            yield range(body.lineno, (node.end_lineno or 0) + 1)


def chosen(paths: Sequence[str]) -> list[Mutant]:
    files: list[Path] = []
    for path in [ROOT / each for each in paths] or [ROOT / PACKAGE / each for each in MATTERS]:
        files += [path] if path.is_file() else sorted([*path.rglob("*.py"), *path.rglob("*.sql")])
    return [each for file in files if "migrations" not in file.parts for each in mutants(file)]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python3 dev.py mutate")
    parser.add_argument("paths", nargs="*", metavar="PATH")
    parser.add_argument("--sample", type=int, default=100, help="how many to try; 0 for all (hours)")
    parser.add_argument("--seed", type=int, default=1, help="another seed chooses others")
    parser.add_argument("--list", action="store_true", help="name them and try none")
    parser.add_argument("--light", action="store_true", help="without the tests that need PostgreSQL")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="where what the tests run is kept")
    asked = parser.parse_args()
    found = chosen(asked.paths)
    if asked.sample and asked.sample < len(found):
        found = random.Random(asked.seed).sample(found, asked.sample)
    if asked.list:
        print("\n".join(each.told() for each in found))
        return 0
    noticed = 0
    with tempfile.TemporaryDirectory(prefix="mutants-", dir=_memory()) as folder:
        options = ["-m", "not browser and not postgres"] if asked.light else []
        trial = Trial(Path(folder, "tree"), options=options, keep=asked.keep)
        for tests in sorted({tests for each in found for tests in each.tests}):
            if not trial.learn(tests):  # nothing could be told from them
                print(f"These tests fail without any change: {tests}", file=sys.stderr)
                print(trial.said.read_text(encoding="utf-8", errors="replace")[-2000:], file=sys.stderr)
                return 1
        for count, mutant in enumerate(found, 1):
            is_seen = trial.is_noticed(mutant)
            unseen = "NOT NOTICED" if trial.could_notice(mutant) else "RUN BY NO TEST"
            noticed += is_seen
            print(f"{count}/{len(found)} {'noticed' if is_seen else unseen} {mutant.told()}", flush=True)
    print(f"{noticed} of {len(found)} changes were noticed ({noticed / max(1, len(found)):.0%}).")
    return 0


def _memory() -> str | None:
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


if __name__ == "__main__":
    sys.exit(main())
