"""Development: make the environment, then run a demo or the checks.

Runs with a bare Python. The whole file must parse on an old one, and run as far as the version check.
"""

import contextlib
import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

NEEDED = (3, 11)


def too_old(version: "tuple[int, ...]", executable: str) -> str:
    """Say what to do about a Python that is too old."""
    needed, found = (".".join(str(part) for part in parts) for parts in (NEEDED, version))
    newer = [name for name in ("python3.13", "python3.12", "python3.11") if shutil.which(name)]
    advice = f"Run it so: {newer[0]} dev.py demo" if newer else "Install a newer Python first."
    return f"dev.py: Python {needed} or newer is needed, and this is {found} ({executable}). {advice}"


if sys.version_info < NEEDED:
    sys.exit(too_old(sys.version_info[:3], sys.executable))

ROOT = Path(__file__).resolve().parent
LOCK = "requirements.lock"
BIN = "Scripts" if sys.platform == "win32" else "bin"
# Called with the Python of .venv itself, the one below it: .venv may be about to go.
PYTHON = getattr(sys, "_base_executable", None) or sys.executable

SAMPLE = "sample_experiences/basket-reminder"
DEMO = ["experience", "simulate", SAMPLE, "--story", f"{SAMPLE}/story.json"]
CHECKS = [
    ["ruff", "check", "."],
    ["ruff", "format", "--check", "."],
    ["mypy"],
    ["lint-imports", "--no-logo"],
]
PYTEST = ["pytest", "--instafail"]
DOCS = ["zensical", "build", "--strict", "--clean"]
SUITE = [*PYTEST, "-n", "4", "--dist", "loadscope", "--no-loadscope-reorder"]  # half of them wait
FAST = ["-m", "not slow and not seconds and not postgres"]
MUTATE = ["python", "-m", "tests.support.mutate"]
PROGRAMS = {"demo": DEMO, "docs": DOCS, "mutate": MUTATE, "clients": ["python", "clients/build.py"]}
COVER = ["--cov", "--cov-report", "term:skip-covered"]

# What runs on other Pythons too: all that needs no browser, no PostgreSQL and no development tool of its own.
PORTABLE = [
    *("domain", "engine", "isolation", "running", "sandbox", "scripts"),
    *("simulation", "plugins", "settings", "store", "cli"),
]
PORTABLE_SUITE = [*SUITE, "-p", "no:cacheprovider"]
PORTABLE_MARKS = "not slow and not browser and not postgres"
PORTABLE_TOOLS = [
    *("hatchling", "hypothesis", "jsonschema-rs", "mypy", "pytest", "pytest-httpserver", "pytest-instafail"),
    *("pytest-xdist", "ruff", "standardwebhooks"),
]
OTHERS = ("3.11", "3.12", "3.13")

EXTRAS = ["--extra", "dev", "--extra", "otel", "--extra", "postgres"]
COMPILE = ["pip", "compile", "pyproject.toml", "--universal", "--python-version", "3.11"]
# what a container needs: the same versions, without the development tools
IMAGE = ["--extra", "postgres", "--constraints", LOCK, "-qo", "deploy/requirements.lock"]

HELP = """\
Usage: python3 dev.py COMMAND [ARGUMENT...]

  demo    run a sample experience in simulated time; arguments go to `experience simulate`
  check   static checks only, under a minute: ruff, mypy, import-linter
  test    static checks, then the whole test suite; with arguments, the tests alone, with those
          --fast leaves out what takes long, and PostgreSQL: under two minutes
  docs    build the documentation into site/; a broken link or anchor fails
  clients build the clients of the API for Python and TypeScript, or the one that is named
  cover   the suite, or the tests that the arguments name, and how much of the code they run
  elsewhere  a large part of the suite on the other Pythons that are here, and on the lowest versions allowed
  mutate  change the code in one place at a time, and tell which changes no test notices
  lock    work out the lock files again; arguments go to `uv pip compile`

The first use makes .venv (with uv when it is on PATH, else venv and pip). Later uses start at once;
a change of the dependencies makes it anew.

Examples:
  python3 dev.py demo
  python3 dev.py test
  python3 dev.py test tests/domain -k window -x
  python3 dev.py test --fast
  python3 dev.py cover tests/engine
  python3 dev.py lock --upgrade
"""

NO_VENV = (
    "This Python cannot make virtual environments: its ensurepip module is missing.\n"
    "  On Debian and Ubuntu: apt-get install python3-venv\n"
    "  Elsewhere: install uv, or a Python that comes with ensurepip."
)
ADVICE = {
    r"hash(es)? mismatch|do not match the hashes": (
        "A download differs from requirements.lock. Clear the package cache (pip cache purge) and run\n"
        "again; if it stays so, do not install it: ask where the difference comes from."
    ),
    r"no space left": "The disk is full: free some space and run again.",
    r"permission denied": "Something named above is not yours to write: mend that and run again.",
    r"connect|resolution|resolve host|dns|timed out|unreachable|proxy|certificate|no matching distribution": (
        "The package registry seems out of reach: check the network, HTTPS_PROXY and `pip config list`,\n"
        "then run again."
    ),
}


class SetUpFailed(Exception):
    """The environment could not be made; the message says what to do."""


def main(arguments: list[str]) -> int:
    """Run one command; return its exit code."""
    command, *rest = arguments or [""]
    if command in ("-h", "--help", "help"):
        print(HELP, end="")
        return 0
    if command not in (*PROGRAMS, "test", "check", "cover", "elsewhere", "lock"):
        print((f'There is no command "{command}".\n\n' if command else "") + HELP, end="", file=sys.stderr)
        return 2
    try:
        if command == "lock":
            return lock(ROOT, rest)
        if command == "elsewhere":
            return elsewhere(ROOT, rest)
        prepare(ROOT)
    except SetUpFailed as failure:
        print(f"dev.py: {failure}", file=sys.stderr)
        return 1
    if command in PROGRAMS:
        return hand_over([*PROGRAMS[command], *rest])
    if command == "check":
        return check()
    if command == "cover":
        return hand_over([*suite_of(rest), *COVER, *rest])
    chosen = [each for each in rest if each != "--fast"]
    fast = FAST if "--fast" in rest else []
    if chosen:
        return hand_over([*suite_of(chosen), *fast, *chosen])
    return check() or hand_over([*SUITE, *fast])


def suite_of(arguments: list[str]) -> list[str]:
    """Everything at four tests at once; tests that are named one by one."""
    return PYTEST if any((ROOT / each.partition("::")[0]).exists() for each in arguments) else SUITE


def check() -> int:
    """Run every static check, also after one failed; return the first failure's exit code."""
    failed = {}
    for words in CHECKS:
        print("$", *words, flush=True)
        code = subprocess.call([_program(words[0]), *words[1:]], cwd=ROOT, env=_environment())
        if code:
            failed[" ".join(words[:2])] = code
    if failed:
        print(f"dev.py: these failed: {', '.join(failed)}.", file=sys.stderr)
    return next(iter(failed.values()), 0)


def hand_over(words: list[str]) -> int:
    """Become a program of the environment, so that Ctrl-C and the exit code are its own."""
    os.chdir(ROOT)
    if sys.platform == "win32":  # exec there returns to the shell at once
        return subprocess.call([_program(words[0]), *words[1:]], env=_environment())
    sys.stdout.flush()
    return os.execve(_program(words[0]), words, _environment())


def prepare(root: Path) -> None:
    """Make `.venv` when there is none that fits; return at once when there is."""
    wanted = stamp(root)
    if is_ready(root, wanted):
        return
    with _only_one(root):
        if not is_ready(root, wanted):  # another call may have made it while this one waited
            _make(root)
            _set_up_file(root, "stamp").write_text(wanted, encoding="utf-8")


def stamp(root: Path) -> str:
    """Digest what a set-up depends on: the lock, the packaging tables, this Python, and the place."""
    import tomllib  # not in an old Python, which must get as far as the version check

    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    tables = [project.get("build-system"), project.get("project"), project.get("tool", {}).get("hatch")]
    lock_digest = hashlib.sha256((root / LOCK).read_bytes()).hexdigest()
    # The folder counts: scripts in a .venv name it, so one that was moved or copied is broken.
    parts = [tables, lock_digest, sys.version, sys.platform, str(root)]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def is_ready(root: Path, wanted: str) -> bool:
    """Tell whether a finished set-up with this stamp is there."""
    try:
        return _set_up_file(root, "stamp").read_text(encoding="utf-8") == wanted and _python(root).exists()
    except OSError:
        return False


def advice(output: str) -> str:
    """Say what to do about an installer that failed with this output."""
    fitting = (text for pattern, text in ADVICE.items() if re.search(pattern, output, re.IGNORECASE))
    return next(fitting, "Mend what it says above and run again.")


def lock(root: Path, arguments: "list[str]") -> int:
    """Work out the lock file again; without arguments, keep the versions that still fit."""
    with _uv(root) as uv:
        said = ["--generate-hashes", "--no-emit-index-url", "--custom-compile-command", "python3 dev.py lock"]
        locked = subprocess.call([uv, *COMPILE, *EXTRAS, *said, "-qo", LOCK, *arguments], cwd=root)
        return locked or subprocess.call([uv, *COMPILE, *IMAGE, *said], cwd=root)


def elsewhere(root: Path, arguments: "list[str]") -> int:
    """Run the portable part on the lowest versions allowed and on the other Pythons; return a failure's code.

    The lowest versions are tried on the first other Python, the locked ones on the rest, without what takes
    seconds: each run costs minutes. A Python that is not here is named, and fails nothing.
    """
    own = ".".join(map(str, sys.version_info[:2]))
    found = {version: other_python(version) for version in OTHERS if version != own}
    for version in [version for version, python in found.items() if python is None]:
        print(f"dev.py: there is no Python {version} here, so nothing was tried on it.", flush=True)
    pythons = [(version, python) for version, python in found.items() if python] or [(own, PYTHON)]
    failed = 0
    with _uv(root) as uv:
        for place, (version, python) in enumerate(pythons):
            lowest = place == 0
            folder = root / ".elsewhere" / (version + "-lowest" if lowest else version)
            print(f"Python {version} with {'the lowest' if lowest else 'the locked'} versions", flush=True)
            _fill_elsewhere(root, uv, python, folder, lowest=lowest)
            tests = arguments or ["tests/" + each for each in PORTABLE]
            marks = PORTABLE_MARKS if lowest else f"{PORTABLE_MARKS} and not seconds"
            words = [str(folder / BIN / "python"), "-m", *PORTABLE_SUITE, "-m", marks, *tests]
            failed = subprocess.call(words, cwd=root, env=_environment(folder)) or failed
    return failed


def other_python(version: str) -> "str | None":
    """A Python of this version, such as 3.12: on the PATH, or among those of pyenv."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    for python in [f"python{version}", *map(str, sorted(pyenv.glob(f"versions/{version}.*/bin/python")))]:
        # a shim of pyenv is on the PATH for each version, and starts only the one that is chosen
        asked = [python, "-c", "import sys; print('%d.%d' % sys.version_info[:2], sys.executable)"]
        with contextlib.suppress(OSError):
            said = subprocess.run(asked, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
            if said.startswith(version + " "):
                return said.split(" ", 1)[1].strip()
    return None


def _fill_elsewhere(root: Path, uv: str, python: str, folder: Path, *, lowest: bool) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    _step([uv, "venv", "--quiet", "--python", python, str(folder)], root)
    install = [uv, "pip", "install", "--quiet", "--python", str(folder / BIN / "python")]
    if lowest:
        pins = str(folder / "lowest.txt")
        resolve = ["--resolution", "lowest-direct", *EXTRAS[2:], "--python", python]
        _step([uv, "pip", "compile", "pyproject.toml", *resolve, "--quiet", "--output-file", pins], root)
        # the tools of development are the newest that go with these versions
        _step([*install, "--constraint", pins, "--requirement", pins, *PORTABLE_TOOLS], root)
    else:
        _step([*install, "--require-hashes", "--requirement", LOCK], root)
    _step([*install, "--no-deps", "--no-build-isolation", "--editable", "."], root)


@contextlib.contextmanager
def _uv(root: Path) -> "Iterator[str]":
    """The uv of the PATH, or one that is made for this once."""
    with tempfile.TemporaryDirectory() as folder:
        uv = shutil.which("uv")
        if not uv:
            _require_ensurepip()
            _step([PYTHON, "-m", "venv", folder], root)
            _step([str(Path(folder, BIN, "python")), "-m", "pip", "install", "--quiet", "uv"], root)
            uv = str(Path(folder, BIN, "uv"))
        yield uv


def _make(root: Path) -> None:
    version = ".".join(str(part) for part in sys.version_info[:3])
    print(f"Making .venv for Python {version}, once. It downloads; about half a minute.", file=sys.stderr)
    began = time.monotonic()
    uv = shutil.which("uv")
    try:
        _fill(root, uv)
    except SetUpFailed as failure:
        if not uv or importlib.util.find_spec("ensurepip") is None:
            raise
        # pip may know a registry or a certificate that uv does not: they read different settings.
        print(f"dev.py: {failure}\n\nTrying again without uv.", file=sys.stderr)
        _fill(root, None)
    print(f"Made .venv in {time.monotonic() - began:.0f} s.", file=sys.stderr)


def _fill(root: Path, uv: str | None) -> None:
    _empty(root)
    venv, python = str(root / ".venv"), str(_python(root))
    if uv:
        _step([uv, "venv", "--quiet", "--allow-existing", "--python", PYTHON, venv], root)
        install = [uv, "pip", "install", "--quiet", "--python", python]
    else:
        _require_ensurepip()
        _step([PYTHON, "-m", "venv", venv], root)
        install = [python, "-m", "pip", "install", "--quiet", "--no-compile", "--disable-pip-version-check"]
    _step([*install, "--require-hashes", "-r", LOCK], root)
    _step([*install, "--no-deps", "--no-build-isolation", "--editable", "."], root)


def _step(words: list[str], root: Path) -> None:
    # Output is held back: a set-up that works has nothing to say.
    pipe = subprocess.PIPE
    ended = subprocess.run(
        words, cwd=root, stdout=pipe, stderr=subprocess.STDOUT, text=True, errors="replace"
    )
    if ended.returncode:
        said = "\n".join(ended.stdout.strip().splitlines()[-25:])
        what = " ".join(words)
        raise SetUpFailed(f"set-up failed at: {what}\n\n{said}\n\n{advice(ended.stdout)}")


def _require_ensurepip() -> None:
    if importlib.util.find_spec("ensurepip") is None:
        raise SetUpFailed(NO_VENV)


def _empty(root: Path) -> None:
    # The stamp goes first: from here on, whatever happens, nothing looks finished.
    _set_up_file(root, "stamp").unlink(missing_ok=True)
    for path in (root / ".venv").iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        elif path != _set_up_file(root, "lock"):
            path.unlink()


@contextlib.contextmanager
def _only_one(root: Path) -> Iterator[None]:
    """Hold the environment, waiting while another call does. The lock ends with the process that holds it."""
    path = _set_up_file(root, "lock")
    path.parent.mkdir(exist_ok=True)
    with path.open("a+b") as file:
        if sys.platform == "win32":
            import msvcrt

            while True:
                try:
                    msvcrt.locking(file.fileno(), msvcrt.LK_LOCK, 1)
                    break
                except OSError:  # it gives up after ten seconds; a set-up takes longer
                    continue
        else:
            import fcntl

            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                print("Another call is making .venv; waiting for it.", file=sys.stderr)
                fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _program(name: str) -> str:
    return str(ROOT / ".venv" / BIN / name)


def _environment(venv: Path = ROOT / ".venv") -> dict[str, str]:
    path = os.pathsep.join([str(venv / BIN), os.environ.get("PATH", os.defpath)])
    # Commands are started by the thousand: compiled each time, they would take twice as long to start.
    kept = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(venv / "compiled")}
    return {**os.environ, **kept, "VIRTUAL_ENV": str(venv), "PATH": path}


def _python(root: Path) -> Path:
    return root / ".venv" / BIN / "python"


def _set_up_file(root: Path, kind: str) -> Path:
    return root / ".venv" / f"set-up.{kind}"


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
