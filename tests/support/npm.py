"""Packages of npm that tests use: in the folder that NPM_FOLDER names, or installed for this process."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.needs import lacking

LISTED = Path(__file__).resolve().parents[1] / "scripts" / "packages"


def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the packages are installed; no script of theirs has run."""
    if "NPM_FOLDER" in os.environ:
        return Path(os.environ["NPM_FOLDER"])
    if "REQUIRE_ALL" not in os.environ:
        pytest.skip("NPM_FOLDER names no folder of packages")
    npm = shutil.which("npm")
    if npm is None:
        lacking("npm is not on PATH")
    made = tmp_path_factory.mktemp("npm")
    for name in ("package.json", "package-lock.json"):
        shutil.copy(LISTED / name, made)
    words = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    done = subprocess.run(words, cwd=made, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return made
