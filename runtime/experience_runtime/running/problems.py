"""Problems: what ended a run, in an author's terms and under its code."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from experience_runtime.domain.errors import CallFailed, IntegrationTimeout, Refusal
from experience_runtime.domain.values import nearest
from experience_runtime.running.guest import Limits, Problem, Script, Thrown, Turn

_NOT_LINKED = re.compile(r'The integration "([^"]{1,100})" is not linked')
MANY_CALLS = 100
"""From so many on, calls are the likelier reason for a run to last too long than a timer."""

_WIRING_CODES = frozenset({"not_linked", "module_not_found"})
_CALL_CODES = frozenset(
    {CallFailed.code, IntegrationTimeout.code, *(each.code for each in Refusal.__subclasses__())}
)
"""What a rejected call may bring an author's code to end with."""


def limit_problem(script: Script, turn: Turn, limits: Limits) -> Problem:
    """Tell which limit ended a turn, and where the author's code stood when that is known."""
    limit = turn.limit or ""
    code = "limit_calls" if limit.startswith("limit_calls") else limit
    if limit == "limit_cpu" and turn.describing:
        return Problem(
            code="script_error", message="threw a value that cannot be read in time; throw an Error"
        )
    stack = turn.stack or (turn.thrown.stack if turn.thrown else "")
    return script.problem(code, _LIMIT_TEXTS[limit](limits), stack)


def thrown_problem(script: Script, thrown: Thrown, linked: Sequence[str] = ()) -> Problem:
    """A thrown value under the code it has for an author; `linked` are the integrations it may have meant."""
    code = "script_error"
    if thrown.role == "load" and thrown.text.startswith("SyntaxError"):
        code = "syntax_error"
    elif thrown.code in _WIRING_CODES or thrown.code in _CALL_CODES:
        code = thrown.code
    problem = script.problem(code, thrown.text, thrown.stack, thrown.role)
    name = _NOT_LINKED.search(problem.message) if code == "not_linked" else None
    meant = None if name is None else nearest(name[1], linked)
    return problem if meant is None else replace(problem, message=f"{problem.message}; did you mean {meant}?")


def first_place(stack: str) -> str | None:
    """The place that a stack begins with: `variation.js:3:9`; None when it has none."""
    _, bracket, place = stack.split("\n", 1)[0].rpartition("(")
    return place.removesuffix(")") if bracket else None


_LIMIT_TEXTS: Mapping[str, Callable[[Limits], str]] = {
    "limit_cpu": lambda limits: (
        f"a turn may use {limits.cpu_turn_seconds * 1000:g} ms of CPU, a run {limits.cpu_run_seconds:g} s; "
        "look for a loop that does not end"
    ),
    "limit_memory": lambda limits: (
        f"a run may use {limits.memory_bytes // 2**20} MiB of memory; keep less at a time"
    ),
    "limit_calls": lambda limits: (
        f"{limits.pending_calls} calls may wait for an answer at a time; await some first"
    ),
    "limit_calls_run": lambda limits: (
        f"a run may make {limits.calls} calls, of {limits.call_bytes // 2**20} MiB of JSON together; "
        "make fewer, or send less with each"
    ),
    "limit_calls_turn": lambda limits: (
        f"the calls of one turn may carry {limits.turn_call_bytes // 2**20} MiB of JSON; await some first"
    ),
    "limit_events": lambda limits: (
        f"a run may emit {limits.events} events and redirect {limits.redirects} times, of "
        f"{limits.event_bytes // 2**10} KiB together; emit less"
    ),
    "limit_log": lambda limits: f"a run may write {limits.log_bytes // 1024} KiB of log; write less of it",
}


def wall_text(wall_seconds: float, calls: int = 0) -> str:
    """What to do about a run that took too long, and had `calls` answered by then."""
    if calls >= MANY_CALLS:
        return (
            f"a run may last {wall_seconds:g} s, and {calls} calls were answered by then; make fewer, "
            "or start several at once: await Promise.all(list.map(each => slack.schedule(…)))"
        )
    return (
        f"a run may last {wall_seconds:g} s, and timers or calls were still open; "
        "clear the timers it does not need, and schedule what should happen later"
    )


def pending_text(waits: Sequence[str]) -> str:
    """Say that triggers never answered, and for which events they were waiting."""
    text = "pending: triggers never called back"
    if not waits:
        return text
    return f"{text}; no event came that they listen for: {', '.join(dict.fromkeys(waits))}"
