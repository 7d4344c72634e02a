"""The options that say which executions are meant: of list, cancel and replay."""

import functools
from collections.abc import Callable
from typing import Any

import click

from experience_runtime.clocks import SystemClock
from experience_runtime.domain.executions import Status
from experience_runtime.domain.filters import TABLE, Criterion, read_filter

ZONE_HELP = "Whose clock times without an offset are read by. [default: UTC]"


def filtered(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add an option a criterion; the verb takes `wanted`, a Filter. Stands below `everywhere`."""

    @functools.wraps(command)
    def with_filter(*, zone: str | None, **arguments: Any) -> Any:
        chosen = {each.name: arguments.pop(_variable(each)) for each in TABLE}
        given = {name: value for name, value in chosen.items() if value not in (None, ())}
        return command(wanted=read_filter(given, zone=zone, now=SystemClock().now()), **arguments)

    decorated: Callable[..., Any] = click.option("--zone", metavar="ZONE", help=ZONE_HELP)(with_filter)
    for each in reversed(TABLE):
        decorated = _option(each)(decorated)
    return decorated


def _option(criterion: Criterion) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    # a reason is what cancel and replay keep; which reason is meant has a word of its own
    flag = "--because" if criterion.name == "reason" else "--" + criterion.name.replace("_", "-")
    if criterion.kind == "states":
        states = click.Choice([each.value for each in Status])
        return click.option(flag, _variable(criterion), multiple=True, type=states, help=criterion.help)
    # how people say it of a backup: due before it was made
    flags = [flag, "--due-before"] if criterion.name == "due_until" else [flag]
    return click.option(*flags, _variable(criterion), metavar=criterion.metavar, help=criterion.help)


def _variable(criterion: Criterion) -> str:
    return f"by_{criterion.name}"
