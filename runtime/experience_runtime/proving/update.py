"""Update: a story's text with an `expect` that says what happened; the rest stays as its author wrote it."""

import json
import re
from typing import Any

from experience_runtime.domain.executions import Execution, Status
from experience_runtime.domain.instants import iso
from experience_runtime.simulation.simulated import Simulated

_SPACE = re.compile(r"\s*")
_DECODER = json.JSONDecoder()


def updated(text: str, simulated: Simulated) -> str:
    """The text of a story (a JSON object) that expects each execution as it ended."""
    spans, end = _members(text)
    left_out = set() if "at" in spans else {"due_at"}  # a story that begins now ends at another time each day
    expect = [
        json.dumps(
            {name: value for name, value in _expected(*each).items() if name not in left_out},
            ensure_ascii=False,
        )
        for each in zip(simulated.executions, simulated.documents, strict=True)
    ]
    value = "[\n    " + ",\n    ".join(expect) + "\n  ]" if expect else "[]"
    if "expect" in spans:
        start, stop = spans["expect"]
        return text[:start] + value + text[stop:]
    before = text[:end].rstrip()
    comma = "," if spans else ""
    return f'{before}{comma}\n  "expect": {value}\n' + text[end:]


def _expected(execution: Execution, document: dict[str, Any]) -> dict[str, Any]:
    """The fields that say most; an instant only where it came to one."""
    wanted = {
        "visitor": execution.visitor,
        "integration": execution.integration,
        "key": document["key"],
        "status": execution.status.value,
        "due_at": None if execution.status is Status.CANCELLED else iso(execution.due_at),
        "reason": execution.reason,
    }
    return {name: value for name, value in wanted.items() if value is not None}


def _members(text: str) -> tuple[dict[str, tuple[int, int]], int]:
    """Where the value of each member of the outermost object stands, and its closing brace."""
    spans = {}
    at = _after_space(text, text.index("{") + 1)
    while text[at] != "}":
        name, at = _DECODER.raw_decode(text, at)
        start = _after_space(text, _after_space(text, at) + 1)  # behind the colon
        _, stop = _DECODER.raw_decode(text, start)
        spans[name] = (start, stop)
        at = _after_space(text, stop)
        if text[at] == ",":
            at = _after_space(text, at + 1)
    return spans, at


def _after_space(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    assert match is not None
    return match.end()
