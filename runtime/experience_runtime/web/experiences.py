"""Experiences by name: those that are released, and the drafts of authors."""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from experience_runtime.domain.errors import InvalidParameter, ScriptModuleNotFound
from experience_runtime.domain.values import nearest, shown
from experience_runtime.settings.serving import EXPERIENCE_NAME, Served

MOST_FILES = 20


def experiences(served: Served, *, released_only: bool = False) -> Mapping[str, Path]:
    """The experiences by name; a released one hides a draft of its name."""
    found = dict(served.released)
    if released_only or served.drafts is None or not served.drafts.is_dir():
        return found
    for entry in sorted(served.drafts.iterdir()):
        is_file = entry.suffix in (".js", ".ts") and entry.is_file()
        is_one = entry.is_dir() or is_file
        name = entry.stem if is_file else entry.name
        if (
            is_one
            and EXPERIENCE_NAME.fullmatch(name)
            and entry.resolve().is_relative_to(served.drafts.resolve())
        ):
            found.setdefault(name, entry)
    return found


def experience_path(served: Served, name: str, *, released_only: bool) -> Path:
    """Where an experience stands; ScriptModuleNotFound when none of this name may be run."""
    found = experiences(served, released_only=released_only)
    if name in found:
        return found[name]
    meant = nearest(name, found)
    hint = f"did you mean {meant}?" if meant else "list its folder under [experiences] in experience.toml"
    raise ScriptModuleNotFound(
        f"there is no {'released ' if released_only else ''}experience {shown(name)}; {hint}"
    )


@contextmanager
def written(files: Mapping[str, str]) -> Iterator[Path]:
    """A folder of these files for a while, read as any experience is."""
    if len(files) > MOST_FILES:
        raise InvalidParameter(f"there are {len(files)} files; write at most {MOST_FILES}")
    with tempfile.TemporaryDirectory(prefix="experience-") as made:
        folder = Path(made) / "playground"
        folder.mkdir()
        for name, text in files.items():
            stem, dot, suffix = name.rpartition(".")
            if not dot or suffix not in ("js", "ts", "json") or not EXPERIENCE_NAME.fullmatch(stem):
                raise InvalidParameter(
                    f"file {shown(name)} is not one an experience has; write for instance variation.js"
                )
            (folder / name).write_bytes(text.encode("utf-8", "surrogatepass"))
        yield folder
