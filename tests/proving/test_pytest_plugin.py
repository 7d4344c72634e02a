"""The pytest plugin, in a pytest of its own: stories are tests, and a fixture plays stories."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
VARIATION = """\
module.exports = options => options.integration('slack-update').schedule('hi', { key: 'k', delay: '1 hour' })
"""
STORY = {
    "at": "2026-03-06T16:30:00Z",
    "visitors": [{"id": "ada"}],
    "steps": [{"do": "run", "visitor": "ada"}],
    "expect": [{"status": "succeeded"}],
}
TESTS = """\
def test_plays_the_folders_own(simulate):
    simulation = simulate("one")
    assert simulation.differences == []
    assert [each["status"] for each in simulation.executions] == ["succeeded"]


def test_plays_a_dict(simulate):
    simulation = simulate("one", {"steps": [{"do": "run"}], "expect": [{"status": "failed"}]})
    assert simulation.outcome == "ran"
    assert len(simulation.differences) == 1
"""


def _pytest(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "COV"))
    }
    environment |= {
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",  # what is installed beside ours
        "PYTHONPATH": os.pathsep.join([str(ROOT / "runtime"), str(ROOT / "integrations")]),
    }
    plugin = ("-p", "experience_runtime.proving.pytest_plugin", "-p", "no:cacheprovider")
    return subprocess.run(
        [sys.executable, "-m", "pytest", *plugin, "-v", *words],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name, expect in (("one", STORY["expect"]), ("two", [{"status": "cancelled"}])):
        (tmp_path / name).mkdir()
        (tmp_path / name / "variation.js").write_text(VARIATION)
        (tmp_path / name / "story.json").write_text(json.dumps(STORY | {"expect": expect}))
    (tmp_path / "test_mine.py").write_text(TESTS)
    return tmp_path


def test_stories_are_tests_when_they_are_asked_for(project: Path) -> None:
    ended = _pytest(project, "--stories")

    assert ended.returncode == 1, ended.stdout + ended.stderr
    assert "one/story.json::story PASSED" in ended.stdout
    assert "two/story.json::story FAILED" in ended.stdout
    assert "3 passed" in ended.stdout
    assert "cancelled" in ended.stdout
    assert "Traceback" not in ended.stdout + ended.stderr


def test_without_asking_only_the_fixture_is_there(project: Path) -> None:
    ended = _pytest(project)

    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "story.json" not in ended.stdout
    assert "2 passed" in ended.stdout


def test_the_settings_of_a_project_ask_for_them(project: Path) -> None:
    (project / "pytest.ini").write_text("[pytest]\nexperience_stories = true\n")

    assert "two/story.json::story FAILED" in _pytest(project).stdout
