"""Log context: what a line of the log is said to be about, beside its text; the log's formats show it."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

_SHORTEST = 4  # characters: shorter texts of a payload say nothing, and stand in every sentence

HIDDEN = "hidden"
"""Of a line's `extra`: texts that its formatted exception must not show."""


@dataclass(slots=True)
class Asked:
    """A request that is being answered; `caller` is the name of its token, once that is known, and `address`
    where it came from."""

    request: str
    caller: str | None = None
    address: str = ""


asked: ContextVar[Asked | None] = ContextVar("asked", default=None)
"""The request that this thread or task answers."""


attempted: ContextVar[Mapping[str, str | int] | None] = ContextVar("attempted", default=None)
"""The attempt that this thread makes: its `execution`, `integration` and `attempt`."""


@contextmanager
def attempting(execution: str, integration: str, attempt: int) -> Iterator[None]:
    """Whatever is logged meanwhile is about this attempt, also what an integration logs."""
    token = attempted.set({"execution": execution, "integration": integration, "attempt": attempt})
    try:
        yield
    finally:
        attempted.reset(token)


def hiding(text: str, hidden: tuple[str, ...]) -> str:
    """Take these texts out of another."""
    for each in hidden:
        text = text.replace(each, "…")
    return text


def payload_texts(payload: str) -> tuple[str, ...]:
    """The texts and long numbers of a payload, the longest first, as they stand in an error's text."""
    found: set[str] = set()
    for value in _leaves(json.loads(payload)):
        text = value if isinstance(value, str) else str(value)
        spelled = (text, repr(text)[1:-1], json.dumps(text)[1:-1])
        found.update(each for each in spelled if len(each) >= _SHORTEST)
    return tuple(sorted(found, key=lambda each: (-len(each), each)))


def _leaves(value: Any) -> Iterator[str | int | float]:
    if isinstance(value, dict):
        yield from value
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from _leaves(each)
    elif isinstance(value, str | int | float) and not isinstance(value, bool):
        yield value
