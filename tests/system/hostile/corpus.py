"""The corpus: hostile scripts, each with the ends it may have.

A file holds bodies of a variation, `options` and `echo` in scope, under heads of the form
`//= ENDS [stored=N]: NAME`, where ENDS are outcomes or codes with `|` between. Heads of `pollution.js` are
names alone: those bodies are followed by a right call, and end as `ran`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent / "corpus"

# the call that follows each pollution, and what must be stored of it
EXACT_CALL = (
    "echo.schedule({ a: [1, { b: 'text', 'c-d': [true, null] }], s: 'x\\u2028', n: -1.5 },"
    " { delay: 1000, window: { day: 'friday' }, key: { k: [1, 'two'] } })"
)
EXACT_PAYLOAD = {"a": [1, {"b": "text", "c-d": [True, None]}], "s": "x\u2028", "n": -1.5}
EXACT_KEY = '{"k":[1,"two"]}'

_HEAD = re.compile(r"^//= (?:(?P<ends>[a-z_|]+)(?: stored=(?P<stored>\d+))?: )?(?P<name>.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Hostile:
    """One body, the ends it may have, and how many executions it stores."""

    file: str
    name: str
    body: str
    ends: frozenset[str]
    stored: int

    @property
    def text(self) -> str:
        return variation(self.body)


def variation(body: str) -> str:
    """A whole variation file."""
    return (
        "module.exports = async function variation (options) { const echo = options.integration('echo');\n"
        f"{body}\n}}"
    )


def read(file: str) -> list[Hostile]:
    """The scripts of one file of the corpus."""
    return list(_read(file))


def _read(file: str) -> Iterator[Hostile]:
    text = (FOLDER / file).read_text(encoding="utf-8")
    heads = list(_HEAD.finditer(text))
    for head, after in zip(heads, [*heads[1:], None], strict=True):
        body = text[head.end() : after.start() if after else len(text)].strip()
        ends = frozenset((head["ends"] or "ran").split("|"))
        yield Hostile(file, head["name"], body, ends, int(head["stored"] or 0))


SCRIPTS = [
    script
    for file in ("loops.js", "bombs.js", "crossing.js", "reach.js", "shapes.js")
    for script in read(file)
]
POLLUTIONS = read("pollution.js")
