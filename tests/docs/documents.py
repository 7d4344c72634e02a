"""Documents: the fenced blocks of a Markdown file, what each kind promises, and whether it holds.

    sh      lines that begin with `$ ` are run; the lines below each are its output, in which … stands for
            anything in a line, and for any lines where it stands alone; exit code 0 is expected
    js      saved, checked and, unless it belongs to a folder, simulated; `js refused`: check refuses it, and
            accepts it with --repair; `js wrong`: check refuses it; with lines such as `// →`, and
            `js mistake`: see `examples`
    python  an integration: saved, loaded with --integrations, and called by a command of the document
            a file called test_….py: run by pytest with the package's plugin
    yaml    a workflow of a CI server: its `experience` commands are run
    toml    saved as the settings file, and loaded
    json    saved and parsed; a story.json is read as a story
    text    a picture: left alone
    html    for a site's page: its `data-` attributes and its calls of `experience` are known to visitor.js

The paragraph before a block that is saved names its file. A block of another kind is a problem.
"""

import json
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from experience_runtime.domain.errors import ExperienceError
from experience_runtime.plugins.registry import Registry
from experience_runtime.settings.load import load_settings
from experience_runtime.simulation.story import load_story

from .examples import is_example, play_example, play_mistake
from .stage import ROOT, Stage
from .wildcard import agrees

AT = "2026-03-06T15:00:00Z"  # a Friday afternoon: windows of working hours then reach over a weekend
_FILE = re.compile(r"`([\w./-]+\.(?:js|py|toml|json))`")

_PYTEST = (
    "PYTEST_DISABLE_PLUGIN_AUTOLOAD=1 python3 -m pytest -p experience_runtime.proving.pytest_plugin "
    "-p no:cacheprovider"
)


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block. `line`: the number of its first line of text, from 1; `file`: where it is saved."""

    line: int
    kind: str
    lines: tuple[str, ...]
    file: str | None

    @property
    def text(self) -> str:
        return "".join(f"{line}\n" for line in self.lines)


@dataclass(frozen=True, slots=True)
class Command:
    """One command of a block: lines [output_from, output_to) of the document, from 0, are its output."""

    line: int
    text: str
    output: tuple[str, ...]
    output_from: int
    output_to: int


@dataclass(slots=True)
class Findings:
    """What a document's blocks came to; `outputs` has every command that ended well, with what it said."""

    problems: list[str] = field(default_factory=list)
    outputs: list[tuple[Command, list[str]]] = field(default_factory=list)
    blocks: int = 0


class BadDocument(Exception):
    """The blocks cannot be told apart."""


def documents() -> list[Path]:
    """Every document whose blocks must hold."""
    samples = sorted((ROOT / "sample_experiences").glob("*/README.md"))
    return [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md")), *samples]


def blocks(text: str) -> list[Block]:
    """Find every fenced block. Raises BadDocument for one that does not close, or is not at the margin."""
    found = []
    inside: int | None = None
    lines = text.splitlines()
    for number, line in enumerate(lines):
        if not line.lstrip(" >\t").startswith(("```", "~~~")):
            continue
        if not line.startswith("```"):
            raise BadDocument(f"line {number + 1}: begin a fence with ``` at the margin")
        if inside is None:
            inside = number
            continue
        kind = lines[inside].removeprefix("```").strip()
        found.append(Block(inside + 2, kind, tuple(lines[inside + 1 : number]), _file_named(lines[:inside])))
        inside = None
    if inside is not None:
        raise BadDocument(f"line {inside + 1}: this block does not close")
    return found


def commands(block: Block) -> Iterator[Command]:
    """The commands of a sh block. Raises BadDocument for a block that begins with anything else."""
    starts = [index for index, line in enumerate(block.lines) if line.startswith("$ ")]
    if starts[:1] != [0]:
        raise BadDocument(f"line {block.line}: a sh block begins with a command: $ …")
    for start, end in zip(starts, [*starts[1:], len(block.lines)], strict=True):
        last = start
        while block.lines[last].endswith("\\"):
            last += 1
        text = "\n".join(block.lines[start : last + 1]).removeprefix("$ ")
        begins = block.line + last  # counted from 0: the line after the command
        yield Command(block.line + start, text, block.lines[last + 1 : end], begins, begins + end - last - 1)


def play(text: str, name: str) -> Findings:
    """Do what a document says, block after block, in one directory; tell what does not hold."""
    findings = Findings()
    with Stage() as stage:
        player = _Player(stage, findings, name)
        for block in blocks(text):
            findings.blocks += 1
            player.play(block)
        player.require_calls()
    return findings


class _Player:
    def __init__(self, stage: Stage, findings: Findings, name: str) -> None:
        self._stage = stage
        self._findings = findings
        self._name = name
        self._integrations: list[tuple[int, str]] = []

    def play(self, block: Block) -> None:
        if block.kind == "sh":
            for command in commands(block):
                self._command(command)
            return
        if block.kind == "html":
            for word in _unknown_to_snippet(block.text):
                self._problem(block.line, f"visitor.js knows no {word}")
            return
        if block.kind == "yaml":
            for command in re.findall(r"^ *- run: (experience .+)$", block.text, re.MULTILINE):
                self._require(block, command)
            return
        if block.kind == "text":  # a picture
            return
        if block.kind == "js mistake" or (block.kind == "js" and is_example(block.lines)):
            play = play_example if block.kind == "js" else play_mistake
            for line, problem in play(block.lines, self._stage.folder):
                self._problem(block.line + line, problem)
            return
        known = block.kind.split(" ")[0] in ("js", "python", "toml", "json")
        if not known:
            self._problem(block.line, f"blocks of kind {block.kind!r} are not checked; use another kind")
        elif block.file is None:
            self._problem(block.line, "the paragraph before this block names no file to save it as")
        else:
            self._saved(block, self._stage.save(block.file, block.text), block.file)

    def require_calls(self) -> None:
        """An integration that is printed must also be called by a command, and its call must arrive."""
        for line, integration in self._integrations:
            if f"/{integration}" not in self._stage.other_side.called:
                self._problem(line, f"no command of the document called {integration!r}")

    def _saved(self, block: Block, path: Path, file: str) -> None:
        try:
            match block.kind:
                case "js":
                    self._require(block, f"experience check {file}")
                    if "/" not in file:  # a folder's own command runs it, with the other files
                        self._require(block, f"experience simulate {file} --visitor v1 --at {AT}")
                case "js refused":
                    self._require(block, f"experience check {file}", exit_code=1)
                    self._require(block, f"experience check {file} --repair")
                    self._require(block, f"experience simulate {file} --visitor v1 --at {AT} --repair")
                case "js wrong":
                    self._require(block, f"experience check {file}", exit_code=1)
                case "python" if path.name.startswith("test_"):
                    self._require(block, f"{_PYTEST} {file}")
                case "python":
                    self._integration(block, path)
                case "toml" if path.name == "pyproject.toml":
                    tomllib.loads(block.text)
                case "toml":
                    self._settings(path)
                case "json" if path.name == "story.json":
                    load_story(path)
                case "json":
                    json.loads(block.text)
                case _:
                    self._problem(block.line, f"{block.kind!r} is not a kind of block")
        except (ExperienceError, ValueError) as error:
            self._problem(block.line, str(error))

    def _integration(self, block: Block, path: Path) -> None:
        settings = load_settings(integrations_dir=path.parent, environ={})
        found = Registry(settings).describe()
        made = [each for each in found if each.source.startswith(f"{path}:")]
        if broken := [each.why for each in found if each.broken and each.source == str(path)]:
            self._problem(block.line, str(broken[0]))
        elif not made:
            self._problem(block.line, f"{path.name} is not found by --integrations")
        self._integrations.extend((block.line, each.name) for each in made)

    def _settings(self, path: Path) -> None:
        load_settings(config=path, environ={})
        tables = tomllib.loads(path.read_text(encoding="utf-8")).get("integrations", {})
        for name, table in tables.items():
            references = [value for value in table.values() if str(value).startswith("env:")]
            self._stage.answer_for({str(each).removeprefix("env:"): name for each in references})

    def _require(self, block: Block, command: str, *, exit_code: int = 0) -> None:
        code, output = self._stage.run(command)
        if code != exit_code:
            self._problem(block.line, _said(command, code, output))

    def _command(self, command: Command) -> None:
        code, output = self._stage.run(command.text)
        if code == 0:
            self._findings.outputs.append((command, output))
        disagrees = bool(command.output) and not agrees(command.output, output)
        if code != 0 or disagrees:
            self._problem(command.line, _said(command.text, code, output))

    def _problem(self, line: int, text: str) -> None:
        self._findings.problems.append(f"{self._name}:{line}: {text}")


def _unknown_to_snippet(text: str) -> list[str]:
    """The attributes and calls of a page's block that the snippet has nothing for."""
    snippet = (ROOT / "runtime/experience_runtime/web/static/visitor.js").read_text(encoding="utf-8")
    attributes = re.findall(r"data-([a-z]+)=", text)
    calls = re.findall(r"experience\.push\(\['(\w+)'", text)
    return [f"data-{name}" for name in attributes if f"set.{name}" not in snippet] + [
        f"experience.{name}" for name in calls if not re.search(rf"\b{name}\b", snippet)
    ]


def _said(command: str, code: int, output: list[str]) -> str:
    return "\n".join([f"{command!r} ended with {code} and said:", *output])


def _file_named(before: list[str]) -> str | None:
    """The last file that the paragraph above a block names."""
    above = "\n".join(before).rstrip().split("\n\n")[-1]
    names = _FILE.findall(above)
    return names[-1] if names else None
