"""The wheel: what is in it, and that it works where nothing else is installed."""

import configparser
import os
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = (ROOT / "runtime" / "experience_runtime", ROOT / "integrations" / "experience_integrations")
BIN = "Scripts" if sys.platform == "win32" else "bin"


def _run(*words: str | Path, cwd: Path) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    ended = subprocess.run(
        [str(word) for word in words], cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built as a release is: first the source distribution, then the wheel from that."""
    folder = tmp_path_factory.mktemp("dist")
    _run(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, ROOT, cwd=folder)
    (made,) = folder.glob("*.whl")
    return made


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of an empty environment that got the wheel and what it depends on, nothing else."""
    folder = tmp_path_factory.mktemp("empty")
    lines = (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
    pins = [line.removesuffix("\\") for line in lines if "==" in line and line[0] not in " #"]
    # The locked versions without their hashes: with hashes, pip would want one for the wheel too.
    (folder / "constraints.txt").write_text("\n".join(pins), encoding="utf-8")
    _run(sys.executable, "-m", "venv", folder / "venv", cwd=folder)
    programs = folder / "venv" / BIN
    install: list[str | Path] = [
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-compile",
        "--constraint",
        folder / "constraints.txt",
    ]
    _run(programs / "python", *install, wheel, cwd=folder)
    return programs


def test_the_wheel_holds_exactly_two_packages(wheel: Path) -> None:
    top = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}

    assert {name for name in top if not name.endswith(".dist-info")} == {
        "experience_runtime",
        "experience_integrations",
    }


def test_every_file_of_the_packages_is_in_the_wheel(wheel: Path) -> None:
    files = {
        path.relative_to(source.parent).as_posix()
        for source in SOURCES
        for path in source.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }

    names = set(zipfile.ZipFile(wheel).namelist())

    assert files - names == set()
    assert {"experience_runtime/py.typed", "experience_integrations/py.typed"} <= names
    assert any(
        name.startswith("experience_runtime/sandbox/prelude/") and name.endswith(".js") for name in names
    )
    assert any(
        name.startswith("experience_runtime/store/sqlite/migrations/") and name.endswith(".sql")
        for name in names
    )


def test_the_wheel_declares_the_command_and_the_integrations(wheel: Path) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    archive = zipfile.ZipFile(wheel)
    (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/entry_points.txt"))
    points = configparser.ConfigParser()
    points.read_string(archive.read(name).decode())

    assert dict(points["console_scripts"]) == project["scripts"]
    group = "experience_runtime.integrations"
    assert dict(points[group]) == project["entry-points"][group]


def test_the_command_works_in_an_empty_environment(installed: Path, tmp_path: Path) -> None:
    assert "Usage: experience" in _run(installed / "experience", "--help", cwd=tmp_path)


@pytest.mark.parametrize("template", ["basket", "business-hours-followup"])
def test_a_new_experience_is_made_and_played_in_an_empty_folder(
    installed: Path, tmp_path: Path, template: str
) -> None:
    _run(installed / "experience", "new", "mine", "--template", template, cwd=tmp_path)

    assert "as expected" in _run(installed / "experience", "simulate", "mine", cwd=tmp_path)


def test_every_integration_of_the_wheel_loads_in_an_empty_environment(
    installed: Path, tmp_path: Path
) -> None:
    script = (
        "from importlib.metadata import entry_points\n"
        "for point in entry_points(group='experience_runtime.integrations'):\n"
        "    print(point.name, point.load().name)\n"
    )

    said = _run(installed / "python", "-c", script, cwd=tmp_path).splitlines()

    assert said
    assert [line for line in said if len(set(line.split())) != 1] == []
