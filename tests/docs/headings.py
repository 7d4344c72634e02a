"""Headings: those of a Markdown file, each with the anchor that the site and code hosts give it."""

import re
from dataclasses import dataclass
from pathlib import Path

_HEADING = re.compile(r"(#{1,6}) +(.+?) *#*")
_CODE = re.compile(r"`([^`]+)`")


@dataclass(frozen=True, slots=True)
class Heading:
    """One heading. `line` counts from 1; `name` is what it has in code marks, when that is all it has."""

    line: int
    level: int
    text: str
    slug: str
    name: str | None


def headings(path: Path) -> list[Heading]:
    """Every heading outside fenced blocks, in order."""
    found = []
    inside = False
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if line.startswith("```"):
            inside = not inside
        elif not inside and (heading := _HEADING.fullmatch(line)):
            text = heading[2]
            code = _CODE.fullmatch(text)
            found.append(Heading(number, len(heading[1]), text, _slug(text), code[1] if code else None))
    return found


def _slug(text: str) -> str:
    plain = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", text).replace("`", "")
    return re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", plain).strip().lower())
