"""Mutants: each is one change, at the place that it names, after which the file is still read."""

import ast
from pathlib import Path

import pytest

from tests.support.mutate import PACKAGE, ROOT, Mutant, chosen, mutants

PYTHON = [
    ROOT / PACKAGE / each for each in ("domain/encoded_ids.py", "domain/windows.py", "engine/attempt.py")
]


def after(mutant: Mutant) -> str:
    text = (ROOT / mutant.path).read_text(encoding="utf-8")
    return text[: mutant.start] + mutant.became + text[mutant.end :]


@pytest.mark.parametrize("path", PYTHON, ids=lambda path: path.name)
def test_a_changed_module_is_another_module(path: Path) -> None:
    before = ast.dump(ast.parse(path.read_text(encoding="utf-8")))

    changed = [ast.dump(ast.parse(after(each))) for each in mutants(path)]

    assert before not in changed


def test_what_holds_two_processes_apart_is_among_the_changes() -> None:
    (statements,) = (ROOT / PACKAGE / "store").glob("executions.sql")
    gone = [(ROOT / each.path).read_text()[each.start : each.end] for each in mutants(statements)]

    assert any("attempt = :attempt" in each for each in gone)
    assert any("for_update" in each for each in gone)


def test_what_matters_is_chosen_unless_a_path_is_named() -> None:
    assert {Path(each.path).parts[2] for each in chosen([])} == {
        "domain",
        "engine",
        "settings",
        "store",
        "web",
    }
    assert {each.path for each in chosen([PACKAGE + "domain/keys.py"])} == {PACKAGE + "domain/keys.py"}
