"""Helper files: what the integrations of one folder share."""

import re
import sys
from pathlib import Path

import pytest
from experience_runtime.plugins.registry import Registry
from experience_runtime.settings.load import Settings
from experience_runtime.testing import check_integration

BASE = """
from experience_runtime.integration import Integration

WORD = "first"

class Base(Integration):
    name = "base"
    def call(self, payload, context):
        from ._later import WORD as later
        return [self.name, WORD, later]
"""
OWN = """
from ._common import Base

class Own(Base):
    name = "NAME"
"""


def folder_of(folder: Path, **files: str) -> Path:
    folder.mkdir(exist_ok=True)
    for name, text in {"_common": BASE, "_later": "WORD = 'later'", **files}.items():
        (folder / f"{name}.py").write_text(text)
    return folder


def called(registry: Registry, name: str) -> object:
    return registry.get(name).call(None, None)  # type: ignore[arg-type]


def found(folder: Path) -> Registry:
    registry = Registry(Settings(integrations_dir=folder))
    registry.names()
    return registry


def test_files_share_a_helper_that_is_no_integration_itself(tmp_path: Path) -> None:
    dotted = "from . import _common\n" + OWN.replace("NAME", "two")
    folder = folder_of(tmp_path, **{"one": OWN.replace("NAME", "one"), "my-two.v2": dotted})

    registry = found(folder)

    assert {"one", "two"} <= set(registry.names())
    assert "base" not in registry.names()
    assert called(registry, "one") == ["one", "first", "later"]
    assert called(registry, "two") == ["two", "first", "later"]
    assert type(registry.get("one")).__bases__ == type(registry.get("two")).__bases__


def test_each_folder_has_its_own_helpers_and_none_is_left_for_others(tmp_path: Path) -> None:
    before = list(sys.path)
    other = BASE.replace("first", "second")
    one = found(folder_of(tmp_path / "one", mine=OWN.replace("NAME", "mine")))
    two = found(
        folder_of(tmp_path / "two", _common=other, _later="WORD = 2", mine=OWN.replace("NAME", "mine"))
    )

    # what is imported only when it is called comes from the own folder too
    assert called(two, "mine") == ["mine", "second", 2]
    assert called(one, "mine") == ["mine", "first", "later"]
    assert sys.path == before
    assert not {"_common", "_later"} & set(sys.modules)


def test_a_helper_is_read_anew_with_the_folder(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, mine="from . import _common\n" + OWN.replace("NAME", "mine"))
    first = found(folder)
    folder_of(folder, _common=BASE.replace("first", "a longer word"))

    again = found(folder)

    assert called(again, "mine") == ["mine", "a longer word", "later"]
    assert called(first, "mine") == ["mine", "first", "later"]


def test_a_file_is_held_against_the_rules_with_its_helpers(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, mine=OWN.replace("NAME", "mine"))

    check_integration(folder / "mine.py", payloads=[{}], uses_http=False)


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({"_common": "\n1 / 0"}, r"folder/_common\.py:2: ZeroDivisionError"),
        ({"_common": "\n\nWORD = = 1"}, r"folder/_common\.py:3: SyntaxError"),
        ({"_common": "from ._other import x", "_other": "\nx = y"}, r"folder/_other\.py:2: NameError"),
        ({"_common": "Other = 1"}, r"folder/mine\.py:2: ImportError: cannot import name 'Base'"),
        (
            {"mine": "\nfrom _common import Base"},
            r"folder/mine\.py:2: ModuleNotFoundError.*_common\.py is beside it: import it with a dot, "
            r"from \._common import …",
        ),
        ({"mine": "import _absent"}, r"mine\.py:1: .*; correct the file or remove it from the folder"),
    ],
)
@pytest.mark.parametrize("relative", [False, True])
def test_a_helper_that_does_not_work_is_told_with_its_own_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: dict[str, str], says: str, relative: bool
) -> None:
    folder = folder_of(tmp_path / "folder", **{"mine": OWN, **files})
    monkeypatch.chdir(tmp_path)

    (why,) = [
        line.why or "" for line in found(Path("folder") if relative else folder).describe() if line.broken
    ]
    assert re.search(says, why)
