"""Reading an experience from disk: only plain files, and nobody waits for one."""

import os
from pathlib import Path

import pytest
from experience_runtime.domain.errors import ScriptModuleNotFound
from experience_runtime.scripts.loading import load_experience, prepare


@pytest.mark.parametrize(
    "name", ["variation.js", "triggers.ts", "utils.js", "global.js", "package.json", "prices.json"]
)
def test_a_pipe_in_the_folder_is_refused_at_once(tmp_path: Path, name: str) -> None:
    for file, text in (("variation-1.js", "require('./prices')"), ("triggers.js", "")):
        (tmp_path / file).write_text(text, encoding="utf-8")
    if name == "triggers.ts":
        (tmp_path / "triggers.js").unlink()
    os.mkfifo(tmp_path / name)

    with pytest.raises(
        ScriptModuleNotFound, match=rf"{name} is a pipe, a device or a folder; .* plain files"
    ):
        load_experience(tmp_path)


def test_a_pipe_that_nothing_names_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "variation.js").write_text("", encoding="utf-8")
    os.mkfifo(tmp_path / "notes.txt")

    assert load_experience(tmp_path).variation is not None


def test_a_pipe_as_the_experience_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "variation.js")

    with pytest.raises(ScriptModuleNotFound, match="neither a folder nor a file"):
        prepare(tmp_path / "variation.js")


def test_a_single_file_of_typescript_is_an_experience(tmp_path: Path) -> None:
    (tmp_path / "hello.ts").write_text("export default (o: any) => {}", encoding="utf-8")

    assert "module.exports = (o     ) => {}" in prepare(tmp_path / "hello.ts").modules["variation"].text


def test_a_file_of_another_kind_is_refused_with_what_can_be_named(tmp_path: Path) -> None:
    (tmp_path / "hello.txt").write_text("", encoding="utf-8")

    with pytest.raises(ScriptModuleNotFound, match=r"neither a folder nor a \.js or \.ts file"):
        load_experience(tmp_path / "hello.txt")


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("varation.js", "variation.js"),
        ("Variation.js", "variation.js"),
        ("variation.mjs", "variation.js"),
        ("variation.tsx", "variation.ts"),
        ("trigger.js", "triggers.js"),
        ("index.js", "variation.js"),
    ],
)
def test_a_file_that_is_misnamed_is_told_its_name(tmp_path: Path, name: str, meant: str) -> None:
    (tmp_path / name).write_text("", encoding="utf-8")

    with pytest.raises(ScriptModuleNotFound, match=f'"{name}" is there; rename it to {meant}$'):
        load_experience(tmp_path)


@pytest.mark.parametrize("name", ["utils.js", "variation.md", "notes.js"])
def test_a_file_that_is_something_else_is_not_to_be_renamed(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("", encoding="utf-8")

    with pytest.raises(ScriptModuleNotFound, match=r"an experience needs one of them$"):
        load_experience(tmp_path)
