"""experience schedules: list, show, set, preview, pause, resume, run, remove, restore."""

import functools
import json
import sys
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import click

from experience_runtime.cli.common import EXIT_REFUSED, Verbs, everywhere, fail, print_json, read_payload, say
from experience_runtime.cli.terminal import styled
from experience_runtime.documents.documents import preview_document
from experience_runtime.domain.schedules import CatchUp, Outcome
from experience_runtime.domain.windows import DAYS
from experience_runtime.runtime import Runtime
from experience_runtime.settings.load import Settings

_COLOURS = {
    Outcome.FIRED: "green",
    Outcome.SKIPPED: "yellow",
    Outcome.MISSED: "yellow",
    Outcome.FAILED: "red",
}


@click.group(
    cls=Verbs,
    epilog="""\b
Examples:
  experience schedules preview --daily 09:00 --timezone Europe/Paris
  experience schedules set digest --integration slack-update --daily 09:00 --timezone Europe/Paris \\
      --payload '{"message": "Good morning"}'
  experience schedules show digest
  experience schedules pause digest""",
)
def schedules() -> None:
    """Set, list, pause, resume and run recurring schedules. A worker fires their executions."""


def _timed(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that say when; the verb takes them as `when`."""

    @functools.wraps(command)
    def gathered(
        *, window_day: str | None, window_time: str | None, skip: tuple[str, ...], **arguments: Any
    ) -> Any:
        names = ("every", "daily", "weekly", "cron", "starting", "timezone")
        given = {name: arguments.pop(name) for name in names}
        window = {"day": window_day, "time": window_time}
        given["window"] = window if window_day is not None or window_time is not None else None
        given["skip"] = list(skip)
        when = {name: value for name, value in given.items() if value is not None}
        return command(when=when, **arguments)

    for option in reversed(
        (
            click.option("--every", metavar="TEXT", help='Elapsed time, such as "15 minutes" or "2 hours".'),
            click.option("--daily", metavar="HH:MM", help="A time of every day."),
            click.option("--weekly", metavar="TEXT", help='Days and a time, such as "monday,friday 09:00".'),
            click.option("--cron", metavar="TEXT", help='Five fields, such as "0 9 * * 1-5".'),
            click.option("--timezone", metavar="ZONE", help="The IANA zone all of this is read in, or UTC."),
            click.option("--starting", metavar="ISO", help="What --every counts from. [default: now]"),
            click.option("--window-day", metavar="D", help="Only on days such as monday-friday."),
            click.option("--window-time", metavar="HH:MM-HH:MM", help="Only at times, both ends inside."),
            click.option("--skip", metavar="DATE", multiple=True, help="A date without a run; repeatable."),
        )
    ):
        gathered = option(gathered)
    return gathered


@schedules.command(
    "list",
    epilog="""\b
Examples:
  experience schedules list
  experience schedules list --json""",
)
@everywhere
def list_(settings: Settings, as_json: bool) -> None:
    """List the schedules, with the next instant of each."""
    with Runtime(settings, to_look=True) as runtime:
        found = runtime.lookup.schedules()
    if as_json:
        print_json(found)
        return
    for document in found["schedules"]:
        _say_line(document)
    for each in found["removed"]:
        say(
            f"{each['name']} was removed at {each['removed_at']}; "
            f"`experience schedules restore {each['name']}` takes that back"
        )
    if not found["schedules"]:
        say("no schedules; `experience schedules set NAME` makes one")


@schedules.command(
    "show",
    epilog="""\b
Examples:
  experience schedules show digest
  experience schedules show digest --json""",
)
@click.argument("name")
@everywhere
def show(name: str, settings: Settings, as_json: bool) -> None:
    """Show one schedule: its next five instants, and what became of the last ones."""
    with Runtime(settings, to_look=True) as runtime:
        document = runtime.lookup.schedule(name)
    if as_json:
        print_json(document)
        return
    _say_line(document)
    say(f"payload {json.dumps(document['payload'], ensure_ascii=False, separators=(',', ':'))}")
    if (window := document["window"]) is not None:
        say(f"window {window['day']} {window['time']}")
    if document["skip"]:
        say(f"skips {', '.join(document['skip'])}")
    say(f"after an outage: {_CATCH_UP[document['catch_up']]}")
    _say_instants(document["next"], document["timezone"])
    for run in document["runs"]:
        _say_run(run)


@schedules.command(
    "set",
    epilog="""\b
Examples:
  experience schedules set digest --integration slack-update --daily 09:00 --timezone Europe/Paris \\
      --payload '{"message": "Good morning"}'
  experience schedules set poll --integration webhook --every "15 minutes" --timezone America/New_York \\
      --window-day monday-friday --window-time 09:00-17:00 --payload '{"body": {}}'
  experience schedules set report --integration slack-update --cron "0 9 * * 1-5" --timezone UTC \\
      --skip 2026-12-25 --catch-up none --payload '"the report is due"' --dry-run

Exactly one of --every, --daily, --weekly and --cron is needed. A schedule of this name is replaced; a
paused one stays paused.""",
)
@click.argument("name")
@click.option("--integration", metavar="NAME", required=True, help="What is called.")
@click.option("--payload", metavar="JSON", required=True, help="What it is called with.")
@_timed
@click.option(
    "--catch-up",
    type=click.Choice([each.value for each in CatchUp]),
    default=CatchUp.ONE.value,
    show_default=True,
    help="After an outage: run the latest missed instant (one), or none.",
)
@click.option("--dry-run", is_flag=True, help="Only check it and print the next five instants.")
@everywhere
def set_(
    name: str,
    integration: str,
    payload: str,
    when: dict[str, object],
    catch_up: str,
    dry_run: bool,
    settings: Settings,
    as_json: bool,
) -> None:
    """Save the schedule NAME, and print its next five instants in its zone and in UTC."""
    options = {**when, "catch_up": catch_up}
    with Runtime(settings) as runtime:
        saved = runtime.recurring.set(name, integration, read_payload(payload), options, dry_run=dry_run)
        document = runtime.lookup.saved(saved, dry_run=dry_run)
    if as_json:
        print_json(document)
        return
    did = "would save" if dry_run else "saved" if saved.is_new else "replaced"
    say(f"{did} {name}: {saved.timing.recurrence.asked}")
    if saved.schedule.paused_at is not None:
        say(f"it is paused; `experience schedules resume {name}` lets it run:")
    _say_instants(document["next"], saved.schedule.zone)
    for warning in saved.warnings:
        say(f"  {warning}")


@schedules.command(
    "preview",
    epilog="""\b
Examples:
  experience schedules preview --cron "30 2 * * *" --timezone America/New_York
  experience schedules preview --weekly "monday,friday 09:00" --timezone UTC --skip 2026-12-25 --json""",
)
@_timed
@everywhere
def preview(when: dict[str, object], settings: Settings, as_json: bool) -> None:
    """Print the next five instants of a schedule that is not saved, in its zone and in UTC."""
    with Runtime(settings) as runtime:
        timing, instants = runtime.recurring.preview(when)
    document = preview_document(timing, instants)
    if as_json:
        print_json(document)
        return
    say(timing.recurrence.asked)
    _say_instants(document["next"], document["timezone"])


@schedules.command(
    "pause",
    epilog="""\b
Examples:
  experience schedules pause digest""",
)
@click.argument("name")
@everywhere
def pause(name: str, settings: Settings, as_json: bool) -> None:
    """Pause a schedule. What it would have fired meanwhile is not caught up."""
    with Runtime(settings) as runtime:
        runtime.recurring.pause(name)
        document = runtime.lookup.schedule(name)
    _tell_edited(document, f"{name} is paused", as_json=as_json)


@schedules.command(
    "resume",
    epilog="""\b
Examples:
  experience schedules resume digest""",
)
@click.argument("name")
@everywhere
def resume(name: str, settings: Settings, as_json: bool) -> None:
    """Let a paused schedule go on, from its next instant."""
    with Runtime(settings) as runtime:
        runtime.recurring.resume(name)
        document = runtime.lookup.schedule(name)
    _tell_edited(document, f"{name} goes on", as_json=as_json)


@schedules.command(
    "run",
    epilog="""\b
Examples:
  experience schedules run digest
  experience schedules run digest --json""",
)
@click.argument("name")
@everywhere
def run(name: str, settings: Settings, as_json: bool) -> None:
    """Run a schedule once now, also while it is paused. Its window holds; its next instant is not moved."""
    with Runtime(settings) as runtime:
        (document,) = runtime.lookup.listed([runtime.recurring.run_now(name)])
    if as_json:
        print_json(document)
        return
    say(f"{document['id']} is due at {document['due_at']}  {document['due_local']}; a worker delivers it")
    for sentence in document["why"]:
        say(f"  {sentence}")


@schedules.command(
    "remove",
    epilog="""\b
Examples:
  experience schedules remove digest

On a terminal you are asked first. `experience schedules restore NAME` takes it back, within a day.""",
)
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
@everywhere
def remove(name: str, yes: bool, settings: Settings, as_json: bool) -> None:
    """Remove a schedule. The executions it fired are kept, and one that is pending still runs."""
    with Runtime(settings) as runtime:
        if not (yes or as_json) and sys.stdin.isatty():
            runtime.recurring.get(name)
            if not click.confirm(f"Remove {name}? It fires nothing any more.", err=True):
                fail("nothing was removed", EXIT_REFUSED)
        runtime.recurring.remove(name)
    if as_json:
        print_json({"removed": name})
        return
    say(f"{name} is removed; for a day `experience schedules restore {name}` takes that back")


@schedules.command(
    "restore",
    epilog="""\b
Examples:
  experience schedules restore digest

It goes on with its next instant from now; what it would have fired meanwhile is not caught up. One that was
paused is paused.""",
)
@click.argument("name")
@everywhere
def restore(name: str, settings: Settings, as_json: bool) -> None:
    """Take the removal of a schedule back, within a day."""
    with Runtime(settings) as runtime:
        runtime.operations.restore_schedule(name)
        document = runtime.lookup.schedule(name)
    if as_json:
        print_json(document)
        return
    _say_line(document)


_CATCH_UP = {
    CatchUp.ONE: "the latest missed instant runs",
    CatchUp.NONE: "what was missed does not run",
}


def _tell_edited(document: dict[str, Any], said: str, *, as_json: bool) -> None:
    if as_json:
        print_json(document)
        return
    say(said)
    _say_instants(document["next"], document["timezone"])


def _say_line(document: dict[str, Any]) -> None:
    how = ", ".join(f"{kind} {text}" for kind, text in document["recurrence"].items() if kind != "starting")
    comes = f"next {document['next_at']}" if document["next_at"] else "no next run"
    state = styled("paused", fg="yellow") if document["paused_at"] else comes
    click.echo(
        styled(f"{document['name']:<20} {document['integration']:<16} {how} ({document['timezone']})  ")
        + state
    )


def _say_instants(instants: Sequence[dict[str, str]], zone: str) -> None:
    if instants:
        say(f"  {zone:<36}UTC")
    for instant in instants:
        local = datetime.fromisoformat(instant["local"])
        say(f"  {DAYS[local.weekday()].capitalize():<10}{local:%Y-%m-%d %H:%M %z}".ljust(38) + instant["at"])


def _say_run(run: dict[str, Any]) -> None:
    count = f" x {run['count']}" if run["count"] > 1 else ""
    outcome = styled(f"{run['outcome']}{count}", fg=_COLOURS[Outcome(run["outcome"])])
    rest = "".join(f"  {part}" for part in (run["execution"], run["reason"]) if part)
    click.echo(styled(f"{run['at']}  ") + outcome + styled(rest))
