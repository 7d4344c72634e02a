"""What `deploy/` does, without Docker: the image's steps in a folder, its commands, and systemd's unit."""

import json
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml  # type: ignore[import-untyped]
from experience_runtime.settings.load import load_settings

from tests.support.needs import lacking

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
SECONDS = 600
"""For pip, which downloads what the image holds."""


def _steps() -> Iterator[tuple[str, str]]:
    """The instructions of the stage that builds, each with its words."""
    text = (DEPLOY / "Dockerfile").read_text().split("\nFROM ")[1]
    lines = [line for line in text.splitlines()[1:] if not line.startswith("#")]
    for step in "\n".join(lines).replace("\\\n", " ").splitlines():
        kind, _, words = step.partition(" ")
        if kind:
            yield kind, words


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that stands for the image's /opt/experience, filled as the Dockerfile says."""
    place = tmp_path_factory.mktemp("image")
    source, target = place / "source", place / "opt"
    source.mkdir()
    for kind, words in _steps():
        if kind == "COPY":
            *copied, into = words.split()
            for each in copied:
                _copy(ROOT / each, source / (Path(each).name if into == "./" else into))
        elif kind == "RUN":
            said = words.replace("/opt/experience", str(target)).replace("python -m", f"{sys.executable} -m")
            done = subprocess.run(
                said, shell=True, cwd=source, capture_output=True, text=True, timeout=SECONDS
            )
            assert done.returncode == 0, done.stdout + done.stderr
        else:
            assert kind == "WORKDIR"
    return target


def _copy(original: Path, copy: Path) -> None:
    if original.is_dir():
        shutil.copytree(original, copy, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copy(original, copy)


@pytest.fixture
def mounted(tmp_path: Path) -> Path:
    """/experience of a container, with what compose.yaml mounts there."""
    web = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]["web"]
    for each in web["volumes"]:
        original, target, mode = each.split(":")
        assert mode == "ro"
        _copy(DEPLOY / original, tmp_path / Path(target).relative_to("/experience"))
    return tmp_path


def test_the_image_serves_the_sample_with_the_token_of_the_first_job(image: Path, mounted: Path) -> None:
    command = str(image / "bin/experience")
    environment = {"EXPERIENCE_DATABASE": f"sqlite:///{mounted}/rows.db", "PATH": "/usr/bin:/bin"}

    def experience(*words: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [command, *words], cwd=mounted, env=environment, capture_output=True, text=True, timeout=SECONDS
        )

    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
    migrated = experience(*services["migrate"]["command"])
    made = experience(*services["token"]["command"])
    again = experience(*services["token"]["command"])
    told = experience(*services["token"]["command"], "--json")

    assert migrated.returncode == 0, migrated.stderr
    assert re.fullmatch(r"exp_operator_\S+\n", made.stdout), made.stderr
    assert (again.returncode, again.stdout) == (0, "")
    assert "ops is there already" in again.stderr
    assert json.loads(told.stdout)["token"] is None
    words = ["serve", "--port", "0", "--json", "--no-worker"]
    with subprocess.Popen(
        [command, *words], cwd=mounted, env=environment, stdout=subprocess.PIPE, text=True
    ) as server:
        try:
            assert server.stdout is not None
            address = json.loads(server.stdout.readline())["address"]
            answer = _run(address, made.stdout.strip())
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(SECONDS)
    assert answer["outcome"] == "pending", answer  # its triggers wait for a basket


def _run(address: str, token: str) -> dict[str, Any]:
    answer = httpx.post(
        f"{address}/v1/experiences/basket-reminder/run",
        headers={"authorization": f"Bearer {token}"},
        json={"visitor": "ada", "timezone": "Europe/Paris"},
        trust_env=False,
        timeout=SECONDS,
    )
    return dict(answer.json())


def test_the_image_is_sent_nothing_but_what_it_copies() -> None:
    sent = {
        line[1:]
        for line in (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()
        if line.startswith("!")
    }
    copied = {each for kind, words in _steps() if kind == "COPY" for each in words.split()[:-1]}

    assert sent == copied


def test_the_unit_is_one_that_systemd_takes(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        lacking("systemd-analyze is not installed; install systemd")
    unit = (DEPLOY / "experience.service").read_text()
    database = re.findall(r"^Environment=EXPERIENCE_DATABASE=(.*)$", unit, re.M)[0]
    program = shlex.split(re.findall(r"^ExecStart=(.*)$", unit, re.M)[0])[0]
    copy = tmp_path / "experience.service"
    copy.write_text(unit.replace(program, sys.executable))

    done = subprocess.run(["systemd-analyze", "verify", str(copy)], capture_output=True, text=True)
    copy.write_text(copy.read_text().replace("ProtectSystem=strict", "ProtectSystem=strictly"))
    wrong = subprocess.run(["systemd-analyze", "verify", str(copy)], capture_output=True, text=True)

    assert load_settings(environ={"EXPERIENCE_DATABASE": database}).database == database
    assert (done.returncode, done.stderr) == (0, "")
    assert "strictly" in wrong.stderr
