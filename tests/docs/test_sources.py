"""Where a rule comes from: a docstring says `Source: reference/PAGE#HEADING`, and that heading is there."""

import re
from pathlib import Path

import pytest

from .headings import headings
from .stage import ROOT

_FOLDERS = ("runtime", "integrations", "tests", "benchmarks")
_SOURCE = re.compile(r"reference/([a-z-]+)(?:#([a-z0-9_-]+))?")
_ELSEWHERE = re.compile(r"\b(?:contract|issue|design) [0-9§]", re.IGNORECASE)


def _texts() -> list[tuple[Path, str]]:
    files = (path for folder in _FOLDERS for path in sorted((ROOT / folder).rglob("*")))
    return [
        (path.relative_to(ROOT), path.read_text(encoding="utf-8"))
        for path in files
        if path.suffix in (".py", ".js", ".sql", ".html") and path != Path(__file__)
    ]


def missing_sources(text: str) -> list[str]:
    """The references of a text to a page or a heading that is not there."""
    missing = []
    for found in _SOURCE.finditer(text):
        page = ROOT / "docs" / "reference" / f"{found[1]}.md"
        if not page.exists() or (found[2] and found[2] not in {each.slug for each in headings(page)}):
            missing.append(found[0])
    return missing


def test_every_source_is_a_heading_of_the_reference() -> None:
    wrong = [f"{path}: {source}" for path, text in _texts() for source in missing_sources(text)]

    assert wrong == []


def test_no_file_names_a_rule_by_a_number_that_readers_cannot_look_up() -> None:
    wrong = [f"{path}: {found[0]}" for path, text in _texts() for found in _ELSEWHERE.finditer(text)]

    assert wrong == []


@pytest.mark.parametrize("source", ["reference/nowhere", "reference/codes#no_such_code"])
def test_a_source_that_is_not_there_is_found(source: str) -> None:
    assert missing_sources(f"Source: {source}.") == [source]
