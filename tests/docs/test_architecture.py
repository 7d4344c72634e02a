"""The architecture's sentence is the linter's table, and its pictures name what is there."""

import re
import tomllib

from .stage import ROOT

PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")


def _layers() -> list[list[str]]:
    """The linter's layers from the top, each with what stands side by side."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = project["tool"]["importlinter"]["contracts"]
    layers = next(each["layers"] for each in contracts if each["type"] == "layers")
    return [[name.strip() for name in layer.split("|")] for layer in layers]


def test_the_sentence_is_the_linters_table() -> None:
    sentence = re.search(r"`(cli →[^`]+)`", PAGE)

    assert sentence is not None
    said = [part.strip(" ()\n") for part in sentence[1].split("→")]
    assert [re.split(r"\s*\|\s*", part) for part in said] == _layers()


def test_the_table_of_packages_has_each_of_them() -> None:
    rows = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \|", PAGE, re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row)}

    assert named == {name for layer in _layers() for name in layer}
