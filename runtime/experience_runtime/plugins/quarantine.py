"""Quarantine: an integration whose code is broken is held, and everything else goes on.

What is scheduled for it is kept, and waits until its code is repaired and the process is started anew.
"""

import ast
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from experience_runtime.domain.errors import IntegrationBroken
from experience_runtime.integration import Context, Integration

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")
_WRITTEN = re.compile(r"""^[ \t]+name\b[^=\n]*=[ \t]*["']([^"'\n]*)["']""", re.MULTILINE)


def likely_name(path: Path) -> str:
    """The name that a broken file's integration most likely has: what is written in it, or the file's."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        text = ""
    names = {name for name in _written(text) if _NAME.fullmatch(name)}
    return names.pop() if len(names) == 1 else path.stem.replace("_", "-")


def _written(text: str) -> Iterable[str]:
    try:
        classes = [each for each in ast.walk(ast.parse(text)) if isinstance(each, ast.ClassDef)]
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return _WRITTEN.findall(text)
    return [name for each in classes for line in each.body for name in _assigned(line)]


def _assigned(line: ast.stmt) -> Iterable[str]:
    """What a line of a class gives to `name`: also in `name, settings = "sms", Settings`."""
    targets = [line.target] if isinstance(line, ast.AnnAssign) else getattr(line, "targets", [])
    value = getattr(line, "value", None)
    for target in targets:
        if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
            pairs: list[tuple[Any, Any]] = [*zip(target.elts, value.elts, strict=False)]
        else:
            pairs = [(target, value)]
        for own, given in pairs:
            if getattr(own, "id", None) == "name" and isinstance(getattr(given, "value", None), str):
                yield given.value


def stand_in(name: str, why: str) -> Integration[Any, Any]:
    """What stands in the place of a broken integration: it takes every payload, and is never called."""

    class Broken(Integration[Any, Any]):
        def call(self, payload: Any, context: Context[Any]) -> Any:  # noqa: ARG002 - the SDK's
            raise IntegrationBroken(why)

    Broken.name = name
    return Broken()
