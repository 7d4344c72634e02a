"""Environments of their own for the peers of `benchmarks/waiting.py`, under the user's cache folder."""

import hashlib
import os
import subprocess
import sys
import venv
from pathlib import Path

PEERS: dict[str, tuple[str, ...]] = {
    "huey": ("huey==3.5.4",),
    "apscheduler": ("apscheduler==3.11.3", "sqlalchemy==2.1.9"),
    "dbos": ("dbos==3.4.0", "sqlalchemy==2.1.9"),
}
"""What each peer's script needs, by the name its script carries."""


def environment(*requirements: str) -> str:
    """The Python of an environment that has these packages only, made on first use."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "experience-runtime" / "peers"
    text = f"{' '.join(requirements)} {sys.version} {sys.base_prefix}"
    folder = cache / hashlib.sha256(text.encode()).hexdigest()[:16]
    python = folder / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    if not (folder / "ready").exists():
        venv.create(folder, with_pip=True, clear=True)
        words = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *requirements]
        subprocess.run(words, check=True, capture_output=True, text=True)
        (folder / "ready").touch()
    return str(python)


def last_line(fault: Exception) -> str:
    """The line of an error that says most: pip's last, or the error's own text."""
    said = fault.stderr if isinstance(fault, subprocess.CalledProcessError) else str(fault)
    return (str(said).strip().splitlines() or [type(fault).__name__])[-1]
