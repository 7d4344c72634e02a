"""A pytest plugin: each story is a test, and a fixture plays stories for tests in Python.

Nothing of the runtime is imported before it is needed: every run of pytest in this environment loads this.
"""

import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from experience_runtime.proving.simulation import Simulation
    from experience_runtime.runtime import Runtime

_RUNTIME = pytest.StashKey["Runtime"]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("experience", "experiences and their stories")
    group.addoption("--stories", action="store_true", help="Collect story.json and *.story.json as tests.")
    parser.addini("experience_stories", "Collect story.json and *.story.json as tests.", type="bool")


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> "_StoryFile | None":
    if not (parent.config.getoption("stories") or parent.config.getini("experience_stories")):
        return None
    if file_path.name == "story.json" or file_path.name.endswith(".story.json"):
        return _StoryFile.from_parent(parent, path=file_path)
    return None


def pytest_unconfigure(config: pytest.Config) -> None:
    if (runtime := config.stash.get(_RUNTIME, None)) is not None:
        runtime.close()


@pytest.fixture
def simulate(request: pytest.FixtureRequest) -> "Callable[..., Simulation]":
    """`simulate(path, story)`: play a story (a path, a dict, or left out: the folder's own)."""
    from experience_runtime.proving.simulation import simulate as play

    def simulated(path: str | Path, story: str | Path | Mapping[str, Any] | None = None) -> "Simulation":
        return play(_runtime(request.config), Path(path), story)

    return simulated


def _runtime(config: pytest.Config) -> "Runtime":
    """The parts that every story of the session shares; nothing leaves them, and nothing is stored."""
    if _RUNTIME not in config.stash:
        from experience_runtime.runtime import Runtime
        from experience_runtime.settings.load import load_settings

        config.stash[_RUNTIME] = Runtime(load_settings(environ=os.environ))
    return config.stash[_RUNTIME]


class StoryFailed(Exception):
    """A story's text, not a traceback of ours, is what a reader needs."""


class _StoryFile(pytest.File):
    def collect(self) -> Iterable[pytest.Item]:
        yield _StoryItem.from_parent(self, name="story")


class _StoryItem(pytest.Item):
    def runtest(self) -> None:
        from experience_runtime.proving.finding import find_stories
        from experience_runtime.proving.suite import prove

        (story,) = find_stories([self.path])
        proved = prove(_runtime(self.config), story)
        if not proved.passed:
            raise StoryFailed("\n".join(proved.lines()))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        if isinstance(excinfo.value, StoryFailed):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        return self.path, None, "story"
