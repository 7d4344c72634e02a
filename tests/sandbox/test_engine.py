"""The engine is the one that the sandbox knows: another one is refused, and what to do is said."""

import _ctypes
import shutil
from pathlib import Path

import pytest
from experience_runtime.cli.doctor import engine
from experience_runtime.confined.process import ConfinedProcess, import_folders
from experience_runtime.domain.errors import InternalError
from experience_runtime.sandbox.pool import ENGINE


def test_a_library_without_its_functions_is_named_by_the_first_that_lacks(tmp_path: Path) -> None:
    assert _ctypes.__file__ is not None
    shutil.copy(_ctypes.__file__, tmp_path / "_quickjs.abi3.so")
    process = ConfinedProcess("experience_runtime.sandbox.worker", (*import_folders(), str(tmp_path)))

    with pytest.raises(InternalError, match="the engine's library has no JS_"):
        process.in_force()


def test_no_library_at_all_is_said_too(tmp_path: Path) -> None:
    process = ConfinedProcess("experience_runtime.sandbox.worker", (*import_folders(), str(tmp_path)))

    with pytest.raises(InternalError, match="the package quickjs-ng is not installed"):
        process.in_force()


@pytest.mark.parametrize(
    ("versions", "ok", "says"),
    [
        ({"quickjs-ng": ENGINE}, True, f"quickjs-ng {ENGINE}"),
        ({"quickjs-ng": "0.18.0"}, False, f"is 0.18.0; `pip install --force-reinstall quickjs-ng=={ENGINE}`"),
        ({}, False, "quickjs-ng is missing; `pip install"),
        ({"quickjs-ng": ENGINE, "quickjs": "1.19.4"}, False, "pip uninstall quickjs"),
    ],
)
def test_doctor_says_which_release_is_needed(versions: dict[str, str], ok: bool, says: str) -> None:
    finding = engine(versions.get)

    assert finding.ok is ok
    assert says in finding.detail
