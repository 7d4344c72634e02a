"""Runs: what is kept of an experience that ran once, for one visitor."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from experience_runtime.domain.errors import InvalidParameter, UnknownExecution, UnknownRun
from experience_runtime.domain.executions import execution_id, execution_number
from experience_runtime.domain.values import shown

OUTCOMES = ("ran", "not_triggered", "pending", "failed")
"""How a run ends; `pending`: its triggers never answered."""

TRIGGERS = ("api", "site", "cli")
"""Who asked for a run: a program or a person with a token, a page of the site, or the command line."""

MOST_LOG_BYTES = 64 * 1024
MOST_CALLS_BYTES = 64 * 1024
MOST_MESSAGE_CHARS = 4000
_MOST_ENTRY_BYTES = 8 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptRun:
    """One run that ended. `log` and `calls` are JSON lists; `executions` numbers of those it made.

    `code`, `message` and `place` (`variation.js:12:5`) say what failed; `refused` counts the calls that were
    refused. `release` is the number of the release that ran; None for files of a folder.
    """

    number: int
    at: datetime
    experience: str
    visitor: str | None
    trigger: str
    outcome: str
    cpu_ms: int
    release: int | None = None
    code: str | None = None
    message: str | None = None
    place: str | None = None
    refused: int = 0
    executions: Sequence[int] = ()
    calls: str = "[]"
    log: str = "[]"

    @property
    def id(self) -> str:
        return run_id(self.number)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFilter:
    """Which runs are meant; every field that is set must match."""

    experience: str | None = None
    outcome: str | None = None
    visitor: str | None = None
    code: str | None = None
    place: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureGroup:
    """Failed runs of one experience that failed alike; `last` is the newest of them."""

    code: str | None
    place: str | None
    count: int
    last: int
    message: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunCount:
    """How often an experience ended in one way, and when last."""

    experience: str
    outcome: str
    count: int
    last_at: datetime


def run_id(number: int) -> str:
    """Spell a run's number as people see it: `rn_` and 13 characters."""
    return "rn_" + execution_id(number).removeprefix("ex_")


def run_number(text: str) -> int:
    """Read an id back. Anything that is not one raises UnknownRun."""
    if text.startswith("rn_"):
        try:
            return execution_number("ex_" + text.removeprefix("rn_"))
        except UnknownExecution:
            pass  # said below, in the words of runs
    raise UnknownRun(
        f"{text[:64]!r} is not the id of a run; one looks like {run_id(0)} "
        "(`experience runs list` shows them)"
    )


def check_outcome(outcome: str | None) -> str | None:
    """The outcome itself; InvalidParameter for one that no run has."""
    if outcome is None or outcome in OUTCOMES:
        return outcome
    raise InvalidParameter(
        f"outcome {shown(outcome)} is none that a run has; choose among {', '.join(OUTCOMES)}"
    )


def bounded(
    entries: Sequence[Mapping[str, Any]],
    *,
    most_bytes: int,
    is_first: Callable[[Mapping[str, Any]], bool],
    shorter: Callable[[Mapping[str, Any]], Mapping[str, Any]],
) -> str:
    """As many of these as fit, as a JSON list in their order; those that are `first` go in before the others.

    An entry that is too large by itself is kept as `shorter` makes it. What is left out is counted by a last
    entry `{"left_out": n}`.
    """
    texts = [_text(each, shorter) for each in entries]
    left, kept = most_bytes, []
    for index in sorted(range(len(texts)), key=lambda at: (not is_first(entries[at]), at)):
        if len(texts[index]) + 2 <= left:  # they are ASCII
            left -= len(texts[index]) + 2
            kept.append(index)
    lines = [texts[index] for index in sorted(kept)]
    if len(lines) < len(texts):
        lines.append(json.dumps({"left_out": len(texts) - len(lines)}))
    return f"[{', '.join(lines)}]"


def _text(entry: Mapping[str, Any], shorter: Callable[[Mapping[str, Any]], Mapping[str, Any]]) -> str:
    text = json.dumps(entry)
    return text if len(text) <= _MOST_ENTRY_BYTES else json.dumps(shorter(entry))


def shorter_line(line: Mapping[str, Any]) -> Mapping[str, Any]:
    """A line of a log, its message cut and its metadata left out."""
    return {**line, "message": f"{line['message'][:1000]}…", "metadata": None, "cut": True}


def shorter_call(call: Mapping[str, Any]) -> Mapping[str, Any]:
    """A call without its result, its error's message cut."""
    kept = {name: value for name, value in call.items() if name != "result"} | {"cut": True}
    if error := call.get("error"):
        kept["error"] = {**error, "message": f"{error['message'][:1000]}…"}
    return kept
