"""The options that say which executions are meant: of list, cancel and replay."""

import functools
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import click

from experience_runtime.clocks import SystemClock
from experience_runtime.domain.executions import Filter, Status
from experience_runtime.domain.instants import parse_time

_NAMES = ("statuses", "integration", "visitor", "experience", "schedule", "why", "since", "until")


def filtered(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the filter options; the verb takes `wanted`, a Filter. Stands below `everywhere`."""

    @click.option(
        "--status",
        "statuses",
        multiple=True,
        type=click.Choice([s.value for s in Status]),
        help="Only these states.",
    )
    @click.option("--integration", metavar="NAME", help="Only of this integration.")
    @click.option("--visitor", metavar="ID", help="Only this visitor's.")
    @click.option("--experience", metavar="NAME", help="Only of this experience.")
    @click.option("--schedule", metavar="NAME", help="Only of this recurring schedule.")
    @click.option("--because", "why", metavar="REASON", help="Only with this reason: integration_failed, …")
    @click.option("--since", metavar="ISO", help="Only created at this instant or later.")
    @click.option("--until", metavar="ISO", help="Only created before this instant.")
    @functools.wraps(command)
    def with_filter(**arguments: Any) -> Any:
        chosen = {name: arguments.pop(name) for name in _NAMES}
        return command(wanted=_filter(chosen), **arguments)

    return with_filter


def _filter(chosen: Mapping[str, Any]) -> Filter:
    return Filter(
        statuses=tuple(Status(status) for status in chosen["statuses"]),
        integration=chosen["integration"],
        visitor=chosen["visitor"],
        experience=chosen["experience"],
        schedule=chosen["schedule"],
        reason=chosen["why"],
        created_from=_instant(chosen["since"]),
        created_until=_instant(chosen["until"]),
    )


def _instant(text: str | None) -> datetime | None:
    return None if text is None else parse_time(text, now=SystemClock().now()).at
