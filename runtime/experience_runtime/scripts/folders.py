"""Folders: where an experience's files are read from, a folder on disk or texts that are kept elsewhere."""

import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Protocol

from experience_runtime.domain.errors import ScriptModuleNotFound, ScriptSyntaxError
from experience_runtime.domain.experience import SourceText

LARGEST_FILE_BYTES = 1024 * 1024
STORY = "story.json"
STORY_SUFFIX = ".story.json"


def is_story(name: str) -> bool:
    """Whether a file tells a story of its experience; `name` may have folders before it."""
    return name.rpartition("/")[2] == STORY or name.endswith(STORY_SUFFIX)


class Folder(Protocol):
    """The files of one experience. `names`: those that stand at its top, sorted."""

    @property
    def names(self) -> Sequence[str]: ...

    def __str__(self) -> str:
        """What people are told it is."""
        ...

    def read(self, name: str) -> SourceText:
        """One file. Raises ScriptFault for one that cannot be part of an experience."""
        ...

    def json_names(self) -> Iterator[str]:
        """The JSON files at the top and below it, `prices/of-today.json`, in order."""
        ...


class DiskFolder:
    """A folder on disk; nothing outside it is read."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.names = sorted(entry.name for entry in path.iterdir() if not entry.is_dir())

    def __str__(self) -> str:
        return str(self._path)

    def read(self, name: str) -> SourceText:
        return read_text(self._path / name, name, within=self._path)

    def json_names(self) -> Iterator[str]:
        for parent, folders, files in os.walk(self._path):  # links to folders are not followed
            folders[:] = sorted(
                name for name in folders if name != "node_modules" and not name.startswith(".")
            )
            for file in (Path(parent, name) for name in sorted(files) if name.endswith(".json")):
                if file.resolve().is_relative_to(self._path.resolve()):
                    yield file.relative_to(self._path).as_posix()


class TextFolder:
    """Texts by the names of their files."""

    def __init__(self, name: str, files: Mapping[str, str]) -> None:
        self._name = name
        self._files = files
        self.names = sorted(each for each in files if "/" not in each)

    def __str__(self) -> str:
        return self._name

    def read(self, name: str) -> SourceText:
        return SourceText(name, with_plain_ends(self._files[name]))

    def json_names(self) -> Iterator[str]:
        yield from sorted(each for each in self._files if each.endswith(".json"))


def json_files_meant(folder: Folder, code: str) -> dict[str, str]:
    """The JSON files the code may mean: those whose name, or a folder's of theirs, occurs in it."""
    return {
        f"./{name}": folder.read(name).text
        for name in folder.json_names()
        if any(part in code for part in PurePosixPath(name).with_suffix("").parts)
    }


def read_text(path: Path, name: str, *, within: Path | None = None) -> SourceText:
    """A file on disk. Raises ScriptFault for one that leads out of its folder, is too large or is no text."""
    if not path.resolve().is_relative_to((within or path.parent).resolve()):
        raise ScriptModuleNotFound(
            f"{name} is a link that leads out of its folder; put the file itself there"
        )
    content = content_of(path, name)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise ScriptSyntaxError("not UTF-8; save the file as UTF-8", file=name, line=line) from None
    return SourceText(name, with_plain_ends(text))


def with_plain_ends(text: str) -> str:
    """The text as the language reads it, in template literals too; the engine counts lines by "\\n" alone."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def content_of(path: Path, name: str) -> bytes:
    """What is in a plain file that is not too large. Raises ScriptFault for any other."""
    # a pipe without a writer would otherwise keep the one who opens it
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise ScriptModuleNotFound(
                f"{name} is a pipe, a device or a folder; an experience is made of plain files"
            )
        content = file.read(LARGEST_FILE_BYTES + 1)
    if len(content) > LARGEST_FILE_BYTES:
        raise ScriptSyntaxError(
            f"{name} has {max(status.st_size, len(content))} bytes; "
            f"a file may have {LARGEST_FILE_BYTES // 2**20} MiB at most"
        )
    return content
