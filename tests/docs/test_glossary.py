"""The glossary has the words of the API, and the words of the API are the glossary's."""

import re
from collections.abc import Iterable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from experience_runtime.cli import main
from experience_runtime.domain import access, app_events, executions, schedules
from experience_runtime.domain.planning import visitor_zone
from experience_runtime.domain.visitors import Visitor
from experience_runtime.runtime import Runtime
from experience_runtime.settings.load import load_settings
from experience_runtime.web.server import make_web

from .headings import headings
from .stage import ROOT

PAGE = ROOT / "docs" / "glossary.md"
ENUMS: list[type[StrEnum]] = [
    kind
    for module in (access, app_events, executions, schedules)
    for kind in vars(module).values()
    if isinstance(kind, type) and issubclass(kind, StrEnum) and kind.__module__ == module.__name__
]
TOLD = re.compile(r"^  [\d:.]+Z .*?  (\w+) +(?:slack-update|webhook|event-webhook|broadcast)\b", re.MULTILINE)
"""What a line of a simulation tells of an execution: `delivered`."""

RETIRED = re.compile(r"\b(?:beget|begets|begot|begotten|healths|presences|crew|dead letter)\b", re.IGNORECASE)
"""Words that the glossary has others for."""


def _words() -> set[str]:
    """What stands in code marks in the glossary, one word each."""
    return set(re.findall(r"`([a-z_.]+)`", PAGE.read_text(encoding="utf-8")))


def _section(title: str) -> set[str]:
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    found = headings(PAGE)
    at = next(index for index, each in enumerate(found) if each.text == title)
    end = found[at + 1].line - 1 if at + 1 < len(found) else len(lines)
    return set(re.findall(r"^\| `([a-z_]+)` \|", "\n".join(lines[found[at].line : end]), re.MULTILINE))


def _enums(node: object) -> Iterator[str]:
    """Every word of an enumeration in a schema."""
    if isinstance(node, dict):
        yield from (word for word in node.get("enum", ()) if isinstance(word, str))
        for inner in node.values():
            yield from _enums(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from _enums(inner)


@pytest.fixture
def schema(tmp_path: Path) -> dict[str, Any]:
    with Runtime(load_settings(database=f"sqlite:///{tmp_path}/a.db", environ={})) as runtime:
        return make_web(runtime, is_open=True).openapi()


def test_every_word_of_the_apis_enumerations_is_in_the_glossary(schema: dict[str, Any]) -> None:
    assert set(_enums(schema)) - _words() == set()


@pytest.mark.parametrize("kind", ENUMS, ids=lambda kind: kind.__name__)
def test_every_word_of_the_domains_enumerations_is_in_the_glossary(kind: type[StrEnum]) -> None:
    assert {str(word) for word in kind} - _words() == set()


@pytest.mark.parametrize(
    ("title", "words"),
    [
        ("States of an execution", executions.Status),
        ("A recurring schedule's instants", schedules.Outcome),
        ("Where a zone came from", ["window", "visitor_zone", "visitor_offset", "default"]),
    ],
)
def test_a_table_of_the_glossary_has_its_words_and_no_other(title: str, words: Iterable[str]) -> None:
    assert _section(title) == {str(word) for word in words}


def test_the_outcomes_of_a_run_are_the_apis(schema: dict[str, Any]) -> None:
    outcome = schema["components"]["schemas"]["RunDocument"]["properties"]["outcome"]

    assert _section("Outcomes of a run") == set(_enums(outcome))


@pytest.mark.parametrize(
    ("visitor", "zone_from"),
    [
        (Visitor(id="v", timezone="Europe/Paris"), "visitor_zone"),
        (Visitor(id="v", timezone_offset=-60), "visitor_offset"),
        (None, "default"),
    ],
)
def test_a_zone_comes_from_where_the_glossary_says(visitor: Visitor | None, zone_from: str) -> None:
    assert visitor_zone(visitor, [])[1] == zone_from


def test_the_words_of_the_timelines_are_the_glossarys() -> None:
    text = PAGE.read_text(encoding="utf-8")
    samples = sorted((ROOT / "sample_experiences").glob("*/story.json"))
    told = [CliRunner().invoke(main, ["simulate", str(story.parent)]).output for story in samples]

    words = {word for output in told for word in TOLD.findall(output)}
    assert words >= {"scheduled", "delivered", "cancelled"}
    assert [word for word in sorted(words) if f"*{word}*" not in text] == []


def test_no_page_and_no_document_has_a_word_that_was_retired() -> None:
    shown = [
        *(ROOT / "runtime" / "experience_runtime" / "web" / "templates").rglob("*.html"),
        *(ROOT / "runtime" / "experience_runtime" / "cli").glob("*.py"),
        *(ROOT / "docs").rglob("*.md"),
        *ROOT.glob("*.md"),
    ]
    found = [path.name for path in shown if RETIRED.search(path.read_text(encoding="utf-8"))]

    assert found == []
