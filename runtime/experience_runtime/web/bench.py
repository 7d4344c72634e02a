"""Bench: the files that `experience dev` serves, to be edited, and what came of each save."""

import hashlib
import os
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from experience_runtime.domain.errors import Conflict, InvalidParameter
from experience_runtime.domain.releases import MOST_FILE_BYTES
from experience_runtime.domain.values import shown
from experience_runtime.scripts.folders import STORY, STORY_SUFFIX, is_story
from experience_runtime.settings.serving import Served
from experience_runtime.web.experiences import experiences

MOST_FILES = 100
_EDITED = (".js", ".ts", ".json")
_FIRST = ("variation", "triggers", "utils", "common", "global")
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What is said of one check or story: a line, and what explains it."""

    text: str
    passed: bool
    more: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """What the files came to, after which save; `number` counts the looks."""

    number: int = 0
    heading: str = ""
    said: Sequence[Said] = ()

    @property
    def works(self) -> bool:
        return all(each.passed for each in self.said)


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A file as it stands on the disk. `seen` is another when anybody changes it; "" while there is none."""

    file: str
    text: str
    seen: str


class Bench:
    """What may be edited: the files at the top of each experience below `root`, and nothing else."""

    def __init__(self, root: Path, served: Served) -> None:
        self._root = root.resolve()
        self._served = served
        self.saved = Saved()
        self.is_over = False

    def tell(self, heading: str, said: Sequence[Said]) -> None:
        """Let the pages know what came of a save."""
        self.saved = replace(self.saved, number=self.saved.number + 1, heading=heading, said=tuple(said))

    def end(self) -> None:
        """Let go of the pages that listen."""
        self.is_over = True

    def files(self, experience: str) -> list[str]:
        """The files of an experience, its code first; none of one that does not stand here."""
        path = experiences(self._served).get(experience)
        if path is None or not path.resolve().is_relative_to(self._root):
            return []
        if not path.is_dir():
            own = f"{path.stem}{STORY_SUFFIX}"
            return [path.name, *([own] if _is_plain(path.parent / own) else [])]
        names = [name for name in os.listdir(path) if name.endswith(_EDITED) and _is_plain(path / name)]
        return sorted(names, key=_rank)[:MOST_FILES]

    def story_of(self, experience: str) -> str:
        """The name of the story that is played first, or that a new one gets."""
        found = [name for name in self.files(experience) if is_story(name)]
        path = experiences(self._served)[experience]
        return found[0] if found else STORY if path.is_dir() else f"{path.stem}{STORY_SUFFIX}"

    def read(self, experience: str, file: str) -> Opened:
        """Read one of the files. Raises InvalidParameter."""
        content = self._content(self._path(experience, file))
        try:
            text = (content or b"").removeprefix(_BOM).decode()
        except UnicodeDecodeError:
            raise InvalidParameter(f"{shown(file)} is not UTF-8; save the file as UTF-8") from None
        return Opened(file=file, text=text.replace("\r\n", "\n"), seen=_seen(content))

    def write(self, experience: str, file: str, text: str, *, seen: str) -> Opened:
        """Replace one of the files, whole or not at all. Conflict when it is not the one that was `seen`.

        The line ends and the byte order mark of what stood there stay.
        """
        path = self._path(experience, file)
        before = self._content(path)
        if _seen(before) != seen:
            raise Conflict(
                f"{shown(file)} was changed on the disk since this page showed it, and nothing was saved; "
                "copy what you wrote, load the page again, and save then"
            )
        lines = text.replace("\r\n", "\n").replace("\r", "\n")
        if before is not None and b"\r\n" in before:
            lines = lines.replace("\n", "\r\n")
        try:
            content = lines.encode()
        except UnicodeEncodeError:
            raise InvalidParameter(f"{shown(file)} would hold half a character; write whole ones") from None
        if len(content) > MOST_FILE_BYTES:
            raise InvalidParameter(
                f"{shown(file)} would have {len(content)} bytes; "
                f"a file has at most {MOST_FILE_BYTES // 2**20} MiB"
            )
        if before is not None and before.startswith(_BOM):
            content = _BOM + content
        _replace(path, content)
        return self.read(experience, file)

    def _path(self, experience: str, file: str) -> Path:
        known = self.files(experience)
        if not known or file not in (*known, self.story_of(experience)):
            raise InvalidParameter(
                f"{shown(file)} is no file of {shown(experience)} that is edited here; "
                f"there are: {', '.join(known) or 'none'}"
            )
        path = experiences(self._served)[experience]
        return (path if path.is_dir() else path.parent) / file

    @staticmethod
    def _content(path: Path) -> bytes | None:
        try:
            return path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise InvalidParameter(f"{path.name} cannot be read: {error.strerror}") from None


def _replace(path: Path, content: bytes) -> None:
    """Put a whole file in the place of another: who reads meanwhile sees one of the two."""
    aside = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    mode = path.stat().st_mode & 0o777 if path.exists() else 0o644
    try:
        with open(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as written:
            written.write(content)
            written.flush()
            os.fsync(written.fileno())
        os.replace(aside, path)
    except OSError as error:
        aside.unlink(missing_ok=True)
        raise InvalidParameter(f"{path.name} cannot be written: {error.strerror}") from None


def _is_plain(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


def _rank(name: str) -> tuple[int, str]:
    stem = name.partition(".")[0].partition("-")[0]
    if name.endswith(".json"):
        return (len(_FIRST) + 1 + (not is_story(name)), name)
    return (_FIRST.index(stem) if stem in _FIRST else len(_FIRST), name)


def _seen(content: bytes | None) -> str:
    return "" if content is None else hashlib.sha256(content).hexdigest()
