"""The command `experience` on a folder whose webhook goes to a receiver that counts."""

import json
import os
import subprocess
from pathlib import Path

from tests.system.e2e.conftest import Project

from .receiver import Receiver

ROOT = Path(__file__).parents[3]
IMPORTED = os.pathsep.join([str(ROOT / "runtime"), str(ROOT / "integrations")])
"""PYTHONPATH of a process that imports this tree."""


def a_project(folder: Path, receiver: Receiver) -> Project:
    """Make the folder, with the experience `burst` that schedules ten executions."""
    (folder / "experience.toml").write_text(
        f'[integrations.webhook]\nurl = "{receiver.url}"\n[outbound]\nallow_private = ["127.0.0.1/32"]\n'
    )
    environ = {name: value for name, value in os.environ.items() if not name.startswith("EXPERIENCE_")}
    project = Project(folder, environ | {"PYTHONPATH": IMPORTED})
    project.write_experience(
        "burst",
        "return Promise.all([...Array(10).keys()].map((n) => webhook.schedule({n}, {delay: n * 10})))",
    )
    return project


def told(run: "subprocess.Popen[str]") -> set[str]:
    """Wait for an `experience run --json`; return the executions it was told of."""
    out, err = run.communicate()
    assert run.returncode == 0, err
    return {each["id"] for each in json.loads(out)["executions"]}
