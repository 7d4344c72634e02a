"""What was made of an experience's files is taken again while nothing has changed, and never after."""

import os
from pathlib import Path

import pytest
from experience_runtime.domain.experience import Experience
from experience_runtime.scripts import loading
from experience_runtime.scripts.loading import load_experience
from experience_runtime.scripts.unchanged import Unchanged


class Counted:
    """Makes a new number each time it is asked."""

    def __init__(self) -> None:
        self.made = 0

    def __call__(self) -> int:
        self.made += 1
        return self.made


@pytest.fixture
def folder() -> Path:
    """A folder whose files the system last changed long ago: one of the installed package."""
    return Path(loading.__file__).parent / "reading"


def test_it_is_made_once_while_the_files_are_as_they_were(folder: Path) -> None:
    kept: Unchanged[int] = Unchanged(most=2)
    make = Counted()

    assert [kept.get(folder, None, make) for _ in range(3)] == [1, 1, 1]
    assert kept.get(folder, "repair", make) == 2


def test_what_was_changed_a_moment_ago_is_made_anew(tmp_path: Path) -> None:
    kept: Unchanged[int] = Unchanged(most=2)
    make = Counted()
    (tmp_path / "variation.js").write_text("1", encoding="utf-8")

    assert [kept.get(tmp_path, None, make) for _ in range(2)] == [1, 2]


def test_the_least_used_is_forgotten(folder: Path) -> None:
    kept: Unchanged[int] = Unchanged(most=2)
    make = Counted()
    for asked in ("a", "b", "a", "c"):
        kept.get(folder, asked, make)
    assert make.made == 3

    kept.get(folder, "a", make)
    assert make.made == 3
    kept.get(folder, "b", make)
    assert make.made == 4


@pytest.mark.parametrize("change", ["text", "another file", "a nested file", "gone"])
def test_a_change_is_seen_at_once(tmp_path: Path, change: str) -> None:
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "en.json").write_text('{"hello": "Hello!"}', encoding="utf-8")
    (tmp_path / "triggers.js").write_text("", encoding="utf-8")
    variation = tmp_path / "variation.js"
    variation.write_text("require('./texts/en'); // 1", encoding="utf-8")
    kept: Unchanged[Experience] = Unchanged(most=2, settled_ms=-1000)  # the files are fresh here
    before = kept.get(tmp_path, None, lambda: load_experience(tmp_path))
    assert kept.get(tmp_path, None, lambda: load_experience(tmp_path)) is before

    match change:
        case "text":
            status = variation.stat()
            while variation.stat().st_ctime_ns == status.st_ctime_ns:  # the system's clock ticks slowly
                variation.write_text("require('./texts/en'); // 2", encoding="utf-8")
                os.utime(variation, ns=(status.st_atime_ns, status.st_mtime_ns))  # it claims to be as old
        case "another file":
            (tmp_path / "utils.js").write_text("", encoding="utf-8")
        case "a nested file":
            (tmp_path / "texts" / "en.json").write_text('{"hello": "Bonjour!"}', encoding="utf-8")
        case "gone":
            (tmp_path / "triggers.js").unlink()

    assert kept.get(tmp_path, None, lambda: load_experience(tmp_path)) != before
