"""References: settings that stand elsewhere, `env:NAME` in the environment, `file:PATH` in a file."""

import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass

from experience_runtime.domain.errors import InvalidParameter

MOST_BYTES = 65_536

_ENV, _FILE = "env:", "file:"
_OTHERS = 0o027  # others may read it, or somebody else may write it


@dataclass(frozen=True, slots=True)
class Missing:
    """What a reference names and is not there, in words: `what` it is and what is wrong, and the `fix`.

    One of `variable` and `file` is its name.
    """

    what: str
    fix: str
    variable: str | None = None
    file: str | None = None


class References:
    """Follows references; a file is read once."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self._env = env
        self._files: dict[str, str | Missing] = {}

    def follow(self, text: str, where: str) -> str | Missing:
        """The text meant: what a reference names, or the text itself when it is none.

        `where` names the setting. Raises InvalidParameter for a reference that names nothing.
        """
        if text.startswith(_ENV):
            name = text.removeprefix(_ENV)
            if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
                raise InvalidParameter(f'{where} begins with "env:" but names no variable; write "env:NAME"')
            return self._env.get(name) or Missing(
                f"the environment variable {name}, which is not set", f"set {name}", variable=name
            )
        if text.startswith(_FILE):
            path = text.removeprefix(_FILE)
            if not path or "\0" in path:
                raise InvalidParameter(f'{where} begins with "file:" but names no file; write "file:PATH"')
            if path not in self._files:
                self._files[path] = _read(path)
            return self._files[path]
        return text

    def text(self, text: str, where: str) -> str:
        """The text meant; raises InvalidParameter when it is missing."""
        found = self.follow(text, where)
        if isinstance(found, Missing):
            raise InvalidParameter(f"{where} refers to {found.what}; {found.fix}")
        return found


def _read(path: str) -> str | Missing:
    """What a file holds, without the line break at its end."""
    try:
        # a pipe without a writer would be waited for
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
    except OSError as problem:
        return _missing(path, f"cannot be read ({problem.strerror})", "create it, or correct the path")
    mode = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(mode):
        os.close(descriptor)
        return _missing(path, "is no file that can be read", "name one that holds the value")
    with open(descriptor, "rb") as file:
        if os.name == "posix" and mode & _OTHERS:
            told = f"others may read or change (its mode is {stat.S_IMODE(mode):04o})"
            return _missing(path, told, f"chmod 600 {path}")
        content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        return _missing(path, f"is longer than {MOST_BYTES} bytes", "name one that holds the value only")
    try:
        text = content.decode("utf-8").removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        return _missing(path, "is not UTF-8", "write the value as text")
    return text or _missing(path, "is empty", "write the value into it")


def _missing(path: str, why: str, fix: str) -> Missing:
    return Missing(f"the file {path}, which {why}", fix, file=path)
