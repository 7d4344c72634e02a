"""experience new: what it writes works as it is, and nothing is written over."""

import os
from pathlib import Path

import pytest
from experience_runtime.cli.templates import TEMPLATES, sample_names

from .conftest import CommandLine, write


@pytest.mark.parametrize("template", [*TEMPLATES, *sample_names()])
def test_a_new_experience_is_free_of_problems_and_its_story_is_met(cli: CommandLine, template: str) -> None:
    made = cli.json("new", "campaigns/hello-there", "--template", template)

    assert {Path(file).name for file in made["files"]} >= {"variation.js", "story.json", "README.md"}
    assert all(Path(file).is_file() for file in made["files"])
    assert "hello-there" in Path("campaigns/hello-there/README.md").read_text()
    checked = cli.json("check", "campaigns/hello-there")
    assert (checked["ok"], checked["problems"], checked["warnings"]) == (True, [], [])
    said = cli("simulate", "campaigns/hello-there")
    assert said.code == 0
    assert "the story ended as expected" in said.out
    assert os.listdir("campaigns") == ["hello-there"]
    assert Path("campaigns/hello-there").stat().st_mode & 0o077 == 0o777 & ~_umask() & 0o077


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def test_the_first_example_of_the_help_works_in_an_empty_folder(cli: CommandLine) -> None:
    _, _, examples = cli("--help").out.partition("Examples:\n")
    commands = [line.split() for line in examples.splitlines() if line.strip().startswith("experience ")]

    assert [cli(*words[1:]).code for words in commands[:3]] == [0, 0, 0]


def test_the_next_steps_are_told(cli: CommandLine) -> None:
    said = cli("new", "hello")

    assert said.out.splitlines()[:4] == [
        "hello/README.md",
        "hello/story.json",
        "hello/triggers.js",
        "hello/variation.js",
    ]
    assert "experience simulate hello" in said.out


def test_what_is_there_is_not_touched(cli: CommandLine) -> None:
    write(Path("taken/mine.js"), "mine")
    Path("nowhere").symlink_to("gone")

    for name in ("taken", "nowhere"):
        refusal = cli("new", name, "--json").refusal
        assert refusal["code"] == "conflict"
        assert f"{name} is there already" in refusal["message"]
    assert [path.name for path in Path("taken").iterdir()] == ["mine.js"]


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (("My Reminder",), 'for instance "my-reminder"'),
        (("..",), "cannot be the name"),
        (("x" * 51,), "up to 50"),
        (("été",), "cannot be the name"),
        (("a\nb",), "cannot be the name"),
        (("ok", "--template", "bascet"), "did you mean basket?"),
        (("ok", "--template", "../.."), "there are basket, event, blank"),
        (("ok", "--template", "business-hours-folowup"), "did you mean business-hours-followup?"),
    ],
)
def test_a_name_that_cannot_be_is_refused_with_one_that_can(
    cli: CommandLine, words: tuple[str, ...], part: str
) -> None:
    assert part in cli("new", *words, "--json").refusal["message"]
    assert os.listdir() == []


def test_nothing_is_left_where_the_folder_cannot_be_written(cli: CommandLine) -> None:
    write(Path("file"), "x")

    assert cli("new", "file/inner", "--json").refusal["code"] == "invalid_parameter"
    assert os.listdir() == ["file"]
