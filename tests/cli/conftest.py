"""The command line in this process, in an empty folder and without anybody's settings."""

import json
import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from experience_runtime.cli import main


@dataclass(frozen=True)
class Said:
    """What one command printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The one JSON document on stdout; fails when there is more or less."""
        assert self.out.count("\n") == 1
        assert self.out.endswith("\n")
        return json.loads(self.out)

    @property
    def refusal(self) -> dict[str, str]:
        """The error of a refused verb: exit code 2, the document on stdout and the text on stderr."""
        assert self.code == 2, self
        assert set(self.document) == {"error"}
        error: dict[str, str] = self.document["error"]
        assert set(error) == {"code", "message"}
        return error


class CommandLine:
    def __call__(self, *words: str, env: dict[str, str] | None = None, may_trace: bool = False) -> Said:
        """Run one command. `may_trace`: an integration of somebody's raises, and its trace is in the log."""
        result = CliRunner().invoke(main, list(words), env=env or {}, prog_name="experience")
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        assert may_trace or "Traceback" not in result.output
        return Said(result.exit_code, result.stdout, result.stderr)

    def json(self, *words: str) -> Any:
        """Run a verb that must succeed with --json; return its document."""
        said = self(*words, "--json")
        assert said.code == 0, said.err
        return said.document

    def schedule(self, key: str, *, visitor: str = "v1", options: str = "delay: '1 day'") -> dict[str, Any]:
        """Schedule one execution through a real run; return its document."""
        write(
            Path("made/variation.js"), variation(f"return slack.schedule('hi', {{key: '{key}', {options}}})")
        )
        (execution,) = self.json("run", "made", "--visitor", visitor)["executions"]
        assert isinstance(execution, dict)
        return execution


def variation(body: str) -> str:
    return (
        "module.exports = function variation (options) {\n"
        "  const slack = options.integration('slack-update')\n"
        f"  {body}\n"
        "}\n"
    )


def write(path: Path, content: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a new folder, without EXPERIENCE_* variables."""
    for name in [name for name in os.environ if name.startswith("EXPERIENCE_")]:
        monkeypatch.delenv(name)
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def cli() -> Iterator[CommandLine]:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    yield CommandLine()
    root.handlers[:], root.level = before, level
