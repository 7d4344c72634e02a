"""Finding: the experiences and the stories below a path, and whose each story is."""

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from experience_runtime.domain.errors import InvalidParameter
from experience_runtime.scripts.folders import STORY_SUFFIX, is_story

_CODE = (".js", ".ts")
_OWN_FILE = re.compile(r"(?:variation(?:-\d+)?|triggers)\.[jt]s")
_LEFT_OUT = frozenset({"node_modules", "__pycache__", "dist", "build"})


def is_experience(path: Path) -> bool:
    """Whether a folder is one experience, not a folder of some."""
    return any(_OWN_FILE.fullmatch(name) for name in os.listdir(path))


def find_experiences(paths: Sequence[Path]) -> list[Path]:
    """The experiences that are meant: each path itself, or those below a folder that is none.

    InvalidParameter for a folder with nothing of the kind in it.
    """
    found: list[Path] = []
    for path in paths:
        below = [path] if not path.is_dir() or is_experience(path) else list(_experiences_below(path))
        # an empty folder is told of where it is read, as an experience that lacks its files
        found += [each for each in below or [path] if each not in found]
    return found


def find_stories(paths: Sequence[Path]) -> list[Path]:
    """Every story.json and *.story.json at or below the paths, in order.

    InvalidParameter where there is none.
    """
    files: list[Path] = []
    for path in paths:
        below = _stories_below(path) if path.is_dir() else iter([path])
        files += [each for each in below if each not in files]
    if not files:
        raise InvalidParameter(
            f"no story.json and no *.story.json is below {', '.join(map(str, paths))}; "
            "`experience new NAME` writes an experience with one"
        )
    return files


def experience_of(story: Path) -> Path:
    """The folder or file that a story is told of; InvalidParameter when it stands with none."""
    folder = story.parent
    own = [folder / f"{story.name.removesuffix(STORY_SUFFIX)}{suffix}" for suffix in _CODE]
    if story.name.endswith(STORY_SUFFIX) and (there := [file for file in own if file.is_file()]):
        return there[0]
    if is_experience(folder):
        return folder
    if is_experience(folder / os.pardir):
        return Path(os.path.normpath(folder / os.pardir))
    alone = [folder / name for name in os.listdir(folder) if name.endswith(_CODE)]
    if len(alone) == 1:
        return alone[0]
    raise InvalidParameter(
        "it is told of no experience; put it into the experience's folder, into a folder there, or beside a "
        ".js file of the same name: reminder.js and reminder.story.json"
    )


def _stories_below(folder: Path) -> Iterator[Path]:
    for parent, files in _walk(folder):
        yield from (parent / name for name in files if is_story(name))


def _experiences_below(folder: Path) -> Iterator[Path]:
    for parent, files in _walk(folder):
        if any(_OWN_FILE.fullmatch(name) for name in files):
            yield parent


def _walk(folder: Path) -> Iterator[tuple[Path, list[str]]]:
    for parent, folders, files in os.walk(folder):  # links to folders are not followed
        folders[:] = sorted(name for name in folders if name[0] != "." and name not in _LEFT_OUT)
        yield Path(parent), sorted(files)
