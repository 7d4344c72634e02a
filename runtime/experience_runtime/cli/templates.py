"""The experiences that `experience new` begins with: templates to fill in, and the samples as they are."""

from collections.abc import Mapping
from pathlib import Path

JSCONFIG = "jsconfig.json"
"""What tells an editor that the code is checked, and where its types stand."""

TEMPLATES = ("basket", "event", "blank")

_PACKAGE = Path(__file__).parents[1]
_HERE = Path(__file__).with_name("templates")


def sample_names() -> list[str]:
    """The samples that came with this installation."""
    return sorted(folder.name for folder in _samples().iterdir() if (folder / "variation.js").is_file())


def files_of(template: str, name: str) -> Mapping[str, str]:
    """The files of an experience called `name`, by their paths in its folder, without its types."""
    folder = _HERE / template if template in TEMPLATES else _samples() / template
    own = {
        file.relative_to(folder).as_posix(): _filled(file.read_text(encoding="utf-8"), template, name)
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }
    return {**own, JSCONFIG: (_HERE / JSCONFIG).read_text(encoding="utf-8")}


def _filled(text: str, template: str, name: str) -> str:
    if template in TEMPLATES:
        return text.replace("@NAME@", name)
    return text.replace(f"sample_experiences/{template}", name)


def _samples() -> Path:
    """A wheel carries them in the package; in a checkout they stand at the root."""
    shipped = _PACKAGE / "samples"
    return shipped if shipped.is_dir() else _PACKAGE.parents[1] / "sample_experiences"
