"""Simulation: what a story came to, for tests in Python."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from experience_runtime.runtime import Runtime
from experience_runtime.scripts.folders import STORY
from experience_runtime.scripts.loading import prepare
from experience_runtime.simulation.play import PlayRequest
from experience_runtime.simulation.simulated import simulated_document
from experience_runtime.simulation.story import load_story, parse_story


@dataclass(frozen=True, slots=True)
class Simulation:
    """What happened, in the shapes of `experience simulate --json`."""

    document: Mapping[str, Any]

    @property
    def outcome(self) -> str:
        """`ran`, `not_triggered`, `pending` or `failed`."""
        return str(self.document["outcome"])

    @property
    def error(self) -> Mapping[str, Any] | None:
        error: Mapping[str, Any] | None = self.document["error"]
        return error

    @property
    def executions(self) -> Sequence[Mapping[str, Any]]:
        return list(self.document["executions"])

    @property
    def log(self) -> Sequence[Mapping[str, Any]]:
        return list(self.document["log"])

    @property
    def calls(self) -> Sequence[Mapping[str, Any]]:
        return list(self.document["calls"])

    @property
    def events(self) -> Sequence[Mapping[str, Any]]:
        return list(self.document["events"])

    @property
    def redirects(self) -> Sequence[str]:
        return list(self.document["redirects"])

    @property
    def differences(self) -> Sequence[str]:
        """What the story expected and did not happen; empty when all of it did."""
        return list(self.document.get("differences", ()))


def simulate(runtime: Runtime, path: Path, story: str | Path | Mapping[str, Any] | None) -> Simulation:
    """Play a story: a file, a dict of the same form, or the folder's own.

    Raises the Refusal of a story that cannot be played, and the ScriptFault of files that cannot be read.
    """
    if isinstance(story, Mapping):
        told = parse_story(dict(story), where="the story")
    else:
        told = load_story(path / STORY if story is None else Path(story))
    request = PlayRequest(now=runtime.clock.now(), story=told)
    return Simulation(simulated_document(runtime.play(request, prepare(path, variation=told.variation))))
