"""Expectations: what a story says must have happened, against what did."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from experience_runtime.documents.documents import Redact, execution_document
from experience_runtime.domain.executions import Execution
from experience_runtime.domain.instants import parse_time
from experience_runtime.domain.keys import canonical_key
from experience_runtime.simulation.story import Expectation


def differences(
    expected: Sequence[Expectation], executions: Sequence[Execution], now: datetime, *, redact: Redact
) -> list[str]:
    """Give every expectation an execution of its own; one line for each that gets none."""
    wanted = [each.model_dump(exclude_unset=True) for each in expected]
    fitting = [
        [index for index, each in enumerate(executions) if _meets(each, fields, now)] for fields in wanted
    ]
    taken: dict[int, int] = {}  # execution -> expectation
    unmet = [index for index in range(len(wanted)) if not _give(index, fitting, taken, set())]
    left = [execution for index, execution in enumerate(executions) if index not in taken]
    return [_line(index, wanted[index], left, redact) for index in unmet]


def _give(index: int, fitting: Sequence[Sequence[int]], taken: dict[int, int], asked: set[int]) -> bool:
    """Find an execution for one expectation; those before it may move to another that fits them."""
    for candidate in fitting[index]:
        if candidate in asked:
            continue
        asked.add(candidate)
        if candidate not in taken or _give(taken[candidate], fitting, taken, asked):
            taken[candidate] = index
            return True
    return False


def _meets(execution: Execution, wanted: Mapping[str, Any], now: datetime) -> bool:
    return all(getattr(execution, name) == _stored(name, value, now) for name, value in wanted.items())


def _stored(name: str, value: Any, now: datetime) -> Any:
    if name == "due_at" and value is not None:
        return parse_time(value, now=now).at
    return canonical_key(value) if name == "key" and value is not None else value


def _line(index: int, wanted: Mapping[str, Any], left: Sequence[Execution], redact: Redact) -> str:
    there = "; ".join(_brief(execution, wanted, redact) for execution in left) or "no other execution"
    return f"expect[{index}] {json.dumps(wanted)} is not met; there is {there}"


def _brief(execution: Execution, wanted: Mapping[str, Any], redact: Redact) -> str:
    document = execution_document(execution, redact=redact) | {"visitor": execution.visitor}
    return json.dumps({name: document[name] for name in wanted})
