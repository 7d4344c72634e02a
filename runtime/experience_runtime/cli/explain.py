"""experience explain: when would this run, and why."""

import functools

import click

from experience_runtime.cli.common import everywhere, print_json, say
from experience_runtime.clocks import SystemClock
from experience_runtime.documents.documents import plan_document
from experience_runtime.domain.instants import parse_start
from experience_runtime.domain.planning import plan
from experience_runtime.domain.visitors import make_visitor
from experience_runtime.settings.load import Settings


@click.command(
    epilog="""\b
Examples:
  experience explain --delay "3 hours"
  experience explain --delay 1d --window-day monday-friday --window-time 09:00-17:00 --timezone Asia/Tokyo
  experience explain --time 2026-03-06T18:00:00Z --at 2026-03-01T00:00:00Z --json"""
)
@click.option("--delay", metavar="D", help='A duration, such as "3 hours", or milliseconds.')
@click.option("--time", "time", metavar="T", help="An ISO instant, or Unix milliseconds.")
@click.option("--window-day", metavar="D", help="Days, such as monday-friday.")
@click.option("--window-time", metavar="HH:MM-HH:MM", help="Times of day, both ends inside.")
@click.option("--timezone", metavar="ZONE", help="The visitor's IANA zone.")
@click.option(
    "--timezone-offset",
    type=int,
    metavar="MIN",
    help="Instead: the visitor's minutes behind UTC (-60 is UTC+1).",
)
@click.option("--at", metavar="ISO", help="When it is asked. [default: now]")
@functools.partial(everywhere, reads_strangers=True)
def explain(
    delay: str | None,
    time: str | None,
    window_day: str | None,
    window_time: str | None,
    timezone: str | None,
    timezone_offset: int | None,
    at: str | None,
    settings: Settings,  # noqa: ARG001 - every verb has them
    as_json: bool,
) -> None:
    """Show when a request would run, and why. Nothing is stored."""
    now = SystemClock().now()
    if at is not None:
        now = parse_start(at, now=now)
    visitor = make_visitor(None, timezone=timezone, timezone_offset=timezone_offset)
    planned = plan(_options(delay, time, window_day, window_time), now=now, visitor=visitor)
    document = plan_document(planned, created_at=now)
    if as_json:
        print_json(document)
        return
    say(f"{document['due_at']}  {document['due_local']}  ({document['zone']})")
    for sentence in (*document["why"], *planned.warnings):
        say(f"  {sentence}")


def _options(
    delay: str | None, time: str | None, window_day: str | None, window_time: str | None
) -> dict[str, object]:
    options: dict[str, object] = {}
    if delay is not None:
        options["delay"] = delay
    if time is not None:
        # digits only are the integer: Unix milliseconds
        options["time"] = int(time) if time.isascii() and time.isdigit() and len(time) < 100 else time
    window = {
        name: value for name, value in (("day", window_day), ("time", window_time)) if value is not None
    }
    if window:
        options["window"] = window
    return options
