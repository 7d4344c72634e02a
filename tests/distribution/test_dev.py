"""dev.py: it sets up once, says what to do when it cannot, and hands over."""

import ast
import importlib.util
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]


def _load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("dev", ROOT / "dev.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


dev = _load()


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of what a set-up reads."""
    for name in ("dev.py", "pyproject.toml", "requirements.lock"):
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def _edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def _pretend_ready(tree: Path) -> None:
    programs = tree / ".venv" / dev.BIN
    programs.mkdir(parents=True)
    (programs / "python").touch()
    (programs / "pytest").write_text('#!/bin/sh\necho "given: $*"\nexit 7\n', encoding="utf-8")
    (programs / "pytest").chmod(0o755)
    (tree / ".venv" / "set-up.stamp").write_text(dev.stamp(tree), encoding="utf-8")


def _call(tree: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(tree / "dev.py"), *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("pyproject.toml", '"click>=', '"click>=8,>='),
        (
            "pyproject.toml",
            'experience = "experience_runtime.cli:main"',
            'other = "experience_runtime.cli:main"',
        ),
        ("requirements.lock", "click==", "click==1"),
    ],
)
def test_a_change_of_what_is_installed_asks_for_a_new_set_up(
    tree: Path, file: str, old: str, new: str
) -> None:
    before = dev.stamp(tree)

    _edit(tree / file, old, new)

    assert dev.stamp(tree) != before


def test_a_change_of_a_check_does_not_ask_for_a_new_set_up(tree: Path) -> None:
    before = dev.stamp(tree)

    _edit(tree / "pyproject.toml", "line-length = 110", "line-length = 100")

    assert dev.stamp(tree) == before


def test_a_second_call_installs_nothing_and_passes_arguments_and_exit_code_on(tree: Path) -> None:
    _pretend_ready(tree)
    (tree / "tests" / "domain").mkdir(parents=True)
    before = sorted(path.name for path in tree.rglob("*"))

    ended = _call(tree, "test", "tests/domain", "-x")

    assert (ended.returncode, ended.stdout, ended.stderr) == (7, "given: --instafail tests/domain -x\n", "")
    assert sorted(path.name for path in tree.rglob("*")) == before


@pytest.mark.parametrize(
    ("arguments", "given"),
    [
        (["test", "tests/domain", "--fast"], "-m not slow and not seconds and not postgres tests/domain"),
        (
            ["test", "tests/domain/test_windows.py::test_one", "-x"],
            "tests/domain/test_windows.py::test_one -x",
        ),
        (["test", "-x", "-k", "window"], "-n 4 --dist loadscope --no-loadscope-reorder -x -k window"),
        (["cover", "tests/domain"], "--cov --cov-report term:skip-covered tests/domain"),
        (["cover"], "-n 4 --dist loadscope --no-loadscope-reorder --cov --cov-report term:skip-covered"),
    ],
)
def test_what_pytest_is_given(tree: Path, arguments: list[str], given: str) -> None:
    _pretend_ready(tree)
    (tree / "tests" / "domain").mkdir(parents=True)
    (tree / "tests" / "domain" / "test_windows.py").touch()

    assert _call(tree, *arguments).stdout == f"given: --instafail {given}\n"


def test_what_is_compiled_is_kept_in_the_environment_whatever_the_shell_says(tree: Path) -> None:
    _pretend_ready(tree)
    said = '#!/bin/sh\necho "$PYTHONDONTWRITEBYTECODE|$PYTHONPYCACHEPREFIX"\n'
    (tree / ".venv" / dev.BIN / "pytest").write_text(said, encoding="utf-8")

    ended = _call(tree, "test", "-x", PYTHONDONTWRITEBYTECODE="1")

    assert ended.stdout == f"|{tree / '.venv' / 'compiled'}\n"


def test_a_python_is_found_by_what_it_says_of_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    version = ".".join(map(str, sys.version_info[:2]))
    kept = tmp_path / "versions" / f"{version}.9" / "bin"
    kept.mkdir(parents=True)
    (kept / "python").symlink_to(sys.executable)
    shim = tmp_path / f"python{version}"
    shim.write_text("#!/bin/sh\necho no such version >&2\nexit 127\n", encoding="utf-8")
    shim.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))

    assert dev.other_python(version) is not None
    assert dev.other_python("3.99") is None


def test_a_copied_environment_does_not_count(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    _pretend_ready(tree)
    copy = tmp_path_factory.mktemp("copy") / "tree"

    shutil.copytree(tree, copy)

    assert dev.is_ready(tree, dev.stamp(tree))
    assert not dev.is_ready(copy, dev.stamp(copy))


def test_a_stamp_without_its_python_does_not_count(tree: Path) -> None:
    _pretend_ready(tree)

    (tree / ".venv" / dev.BIN / "python").unlink()

    assert not dev.is_ready(tree, dev.stamp(tree))


def test_a_failed_set_up_says_what_to_do_and_never_looks_done(tree: Path) -> None:
    _pretend_ready(tree)
    _edit(tree / "requirements.lock", "click==", "click==1")  # no such version, wherever pip looks
    empty = tree / "empty"
    empty.mkdir()

    ended = _call(tree, "demo", PATH=str(empty), PIP_NO_INDEX="1", PIP_FIND_LINKS=str(empty))

    assert ended.returncode == 1
    assert "check the network" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert not dev.is_ready(tree, dev.stamp(tree))


def test_a_python_without_ensurepip_is_told_which_package_to_install(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tree))  # no uv
    monkeypatch.setitem(sys.modules, "ensurepip", None)

    with pytest.raises(dev.SetUpFailed, match="apt-get install python3-venv"):
        dev.prepare(tree)


def test_two_calls_at_once_make_one_set_up(tree: Path) -> None:
    fcntl = pytest.importorskip("fcntl", reason="the test holds a POSIX lock")
    (tree / ".venv").mkdir()
    with (tree / ".venv" / "set-up.lock").open("wb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        second = subprocess.Popen(
            [sys.executable, str(tree / "dev.py"), "test", "-x"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert second.stderr is not None
        waiting = second.stderr.readline()

        _pretend_ready_beside_lock(tree)
    out, err = second.communicate(timeout=120)

    assert "waiting" in waiting
    assert (second.returncode, out, err) == (7, f"given: {' '.join(dev.SUITE[1:])} -x\n", "")


def _pretend_ready_beside_lock(tree: Path) -> None:
    (tree / ".venv").rename(tree / "aside")
    _pretend_ready(tree)
    for path in (tree / "aside").iterdir():
        path.rename(tree / ".venv" / path.name)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("NewConnectionError: Failed to establish a new connection", "check the network"),
        ("error: dns error: failed to lookup address information", "check the network"),
        ("SSL: CERTIFICATE_VERIFY_FAILED", "check the network"),
        ("THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE", "do not install it"),
        ("OSError: [Errno 28] No space left on device", "disk is full"),
        ("a compiler crashed", "Mend what it says above"),
    ],
)
def test_a_failure_is_followed_by_what_to_do(said: str, meant: str) -> None:
    assert meant in dev.advice(said)


def test_an_old_python_is_told_what_is_needed_and_what_was_found() -> None:
    message = dev.too_old((3, 9, 2), "some/python3")

    assert "3.11 or newer" in message
    assert "3.9.2 (some/python3)" in message


def test_an_old_python_can_read_the_file() -> None:
    ast.parse((ROOT / "dev.py").read_text(encoding="utf-8"), feature_version=(3, 7))


def test_help_shows_examples_and_an_unknown_command_is_refused(tree: Path) -> None:
    helped, refused = _call(tree, "--help"), _call(tree, "tset")

    assert (helped.returncode, refused.returncode) == (0, 2)
    assert "python3 dev.py test tests/domain" in helped.stdout
    assert 'no command "tset"' in refused.stderr


def test_the_lock_pins_every_dependency_inside_its_range() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [
        Requirement(text) for text in [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    ]
    lines = (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
    pinned = dict(line.split(" ")[0].split("==") for line in lines if "==" in line and line[0] not in " #")

    wrong = [
        str(one) for one in wanted if not one.specifier.contains(pinned.get(one.name, "0"), prereleases=True)
    ]

    assert wrong == []
