"""The clients: built from the document of the API, and the READMEs' examples against a served process."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support.needs import lacking
from tests.web.conftest import folder
from tests.web.test_serve import Project, project

__all__ = ["folder", "project"]

ROOT = Path(__file__).resolve().parents[2]
PYTHON_MORE = """
try:
    experience.schedule("webhook", {}, delay="soon")
except Exception as refusal:
    print(type(refusal).__name__, refusal.status, refusal.code)
from experience_client.api.api.executions import list_executions
found = list_executions.sync(client=experience.client).executions
print([(each.key, each.visitor, each.status.value, each.cancel_on_conversion) for each in found])
"""
TYPESCRIPT_MORE = """
await experience.schedule('webhook', {}, { delay: 'soon' }).catch((problem) => {
  console.log(problem.name, problem.status, problem.code)
})
const { executions } = await experience.request('get', '/v1/executions', { query: { limit: 10 } })
console.log(JSON.stringify(executions.map(({ key, visitor, status }) => [key, visitor, status])))
"""


@pytest.fixture(scope="module")
def clients(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both, built as `dev.py clients` does."""
    if "REQUIRE_ALL" not in os.environ:
        pytest.skip("building the clients installs their generators; REQUIRE_ALL asks for it")
    if shutil.which("npm") is None or shutil.which("node") is None:
        lacking("npm is not on PATH")
    made = tmp_path_factory.mktemp("made") / "clients"
    leaving = shutil.ignore_patterns("node_modules", ".generator", "dist", "api", "schema.d.ts")
    shutil.copytree(ROOT / "clients", made, ignore=leaving)
    said(sys.executable, made / "build.py")
    return made


def said(*words: str | Path, env: dict[str, str] | None = None) -> Sequence[str]:
    done = subprocess.run(
        [str(each) for each in words],
        env={**os.environ, **(env or {})},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()


def example(client: Path, address: str, token: str) -> str:
    """The first example of a README, of the integration and the runtime that are there."""
    codes: list[str] = re.findall(
        r"```\w+\n(.*?)```", (client / "README.md").read_text(encoding="utf-8"), re.DOTALL
    )
    code = codes[0]
    assert len([line for line in code.splitlines() if line.strip()]) <= 5
    for shown, meant in (
        ("http://127.0.0.1:8080", address),
        ("exp_operator_…", token),
        ("slack-update", "webhook"),
    ):
        assert shown in code
        code = code.replace(shown, meant)
    return code


@pytest.mark.slow
def test_the_example_of_each_readme_does_what_it_says(
    clients: Path, project: Project, tmp_path: Path
) -> None:
    token = project.experience("tokens", "create", "ops", "--scope", "operator").stdout.split()[-1]
    served = project.serve("--no-worker")
    address = served.ready["address"]

    code = example(clients / "python", address, token).replace(
        "    experience.cancel", "    # experience.cancel"
    )
    body = code.replace('delay="2 hours"', 'delay="2 hours", cancel_on_conversion=True')
    python = said(
        sys.executable,
        "-c",
        body + "".join(f"    {line}\n" for line in PYTHON_MORE.splitlines()),
        env={"PYTHONPATH": str(clients / "python")},
    )
    script = tmp_path / "reminder.mjs"
    index = (clients / "typescript/dist/index.js").as_uri()
    typescript = example(clients / "typescript", address, token).replace("'experience-client'", f"'{index}'")
    script.write_text(typescript + TYPESCRIPT_MORE, encoding="utf-8")

    assert python == [
        "Refused 422 invalid_delay",
        "[('basket 7', 'v1', 'pending', True)]",
    ]
    # the other client cancels what the first has scheduled, and its own
    assert said("node", script) == [
        "Refused 422 invalid_delay",
        '[["basket 7","v1","cancelled"],["basket 7","v1","cancelled"]]',
    ]
    assert served.end() == 0
