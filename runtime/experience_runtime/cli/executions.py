"""experience executions: list and show; what changes them stands in `bulk`, and run in `moving`."""

import json
from datetime import datetime
from typing import Any

import click

from experience_runtime.cli.bulk import cancel, move, replay, restore
from experience_runtime.cli.common import Verbs, everywhere, print_json, say
from experience_runtime.cli.filters import filtered
from experience_runtime.cli.moving import run_now
from experience_runtime.cli.progress import reached
from experience_runtime.cli.shown import execution_line
from experience_runtime.cli.terminal import styled
from experience_runtime.domain.executions import Filter, Sort
from experience_runtime.domain.values import shown
from experience_runtime.runtime import Runtime
from experience_runtime.settings.load import Settings


@click.group(
    cls=Verbs,
    epilog="""\b
Examples:
  experience executions list --status pending
  experience executions show ex_0bb6rczg0ryj5
  experience executions cancel ex_0bb6rczg0ryj5 --reason "the offer ended"
  experience executions replay --integration slack-update --dry-run
  experience executions restore ex_0bb6rczg0ryj5""",
)
def executions() -> None:
    """List, show, move, run, cancel, restore and replay executions."""


executions.add_command(cancel)
executions.add_command(replay)
executions.add_command(move)
executions.add_command(restore)
executions.add_command(run_now)


@executions.command(
    "list",
    epilog="""\b
Examples:
  experience executions list
  experience executions list --status pending --visitor v1
  experience executions list --status failed --because not_configured --since 2026-03-01
  experience executions list --failed-since noon --zone Europe/Paris
  experience executions list --sort due --due-since "tomorrow 9:00" --due-until "tomorrow 10:00"
  experience executions list --limit 200 --json""",
)
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="How many a page.")
@click.option(
    "--sort",
    type=click.Choice([each.value for each in Sort]),
    default=Sort.NEWEST.value,
    show_default=True,
    help="The newest first, or by when they are due.",
)
@click.option("--cursor", metavar="CURSOR", help="Go on where the page before ended: its `next`.")
@everywhere
@filtered
def list_(
    wanted: Filter,
    limit: int,
    sort: str,
    cursor: str | None,
    settings: Settings,
    as_json: bool,
) -> None:
    """List executions, newest first or by when they are due."""
    with Runtime(settings, to_look=True) as runtime, reached("searched to") as show:
        page = runtime.lookup.executions(wanted, sort=Sort(sort), cursor=cursor, limit=limit)
        found = page["executions"]
        while page["searched_to"] is not None and len(found) < limit:
            show(datetime.fromisoformat(page["searched_to"]))
            missing = limit - len(found)
            page = runtime.lookup.executions(wanted, sort=Sort(sort), cursor=page["next"], limit=missing)
            found += page["executions"]
    page["executions"] = found
    if as_json:
        print_json(page)
        return
    for document in page["executions"]:
        click.echo(execution_line(document))
        if document["held"]:
            say(f"        {document['held']}")
    if not page["executions"]:
        say("no executions; `experience run PATH` makes some")
    if page["next"] is not None:
        say(f"more: --cursor {page['next']}")


@executions.command(
    "show",
    epilog="""\b
Examples:
  experience executions show ex_0bb6rczg0ryj5
  experience executions show ex_0bb6rczg0ryj5 --json""",
)
@click.argument("execution_id", metavar="ID")
@everywhere
def show(execution_id: str, settings: Settings, as_json: bool) -> None:
    """Show one execution: what is the matter, why it runs when it does, every change and every attempt."""
    with Runtime(settings, to_look=True) as runtime:
        document = runtime.lookup.execution(execution_id)
    if as_json:
        print_json(document)
        return
    _show(document)


def _show(document: dict[str, Any]) -> None:
    say(document["diagnosis"])
    click.echo(execution_line(document))
    key, window = document["key"], document["window"]
    say(
        f"visitor {document['visitor'] or '-'}, experience {document['experience'] or '-'}, "
        f"schedule {document['schedule'] or '-'}, run {document['run'] or '-'}, "
        f"key {'-' if key is None else json.dumps(key, ensure_ascii=False, separators=(',', ':'))}"
    )
    rules = f", rules of {document['zone_rules']}" if document["zone_rules"] else ""
    window_text = "no window" if window is None else f"window {window['day']} {window['time']}"
    converts = "a conversion cancels it" if document["cancel_on_conversion"] else "no conversion cancels it"
    say(f"created {document['created_at']}, {window_text} ({document['zone']}{rules}), {converts}")
    say(f"payload {json.dumps(document['payload'], ensure_ascii=False)}")
    for sentence in document["why"]:
        say(f"  {sentence}")
    for change in document["history"]:
        reason = f"  {change['reason']}" if change["reason"] else ""
        by = f"  by {change['actor']}" if change["actor"] else ""
        say(f"{change['at']}  {change['from'] or '-'} -> {change['to']}{reason}{by}")
        if change["payload_changed"]:
            say(f"    payload changed; before {json.dumps(change['payload_before'], ensure_ascii=False)}")
    for attempt in document["attempts"]:
        parts = (attempt["outcome"] or "running", attempt["status"], attempt["error"])
        text = f"{attempt['at']}  attempt: " + " ".join(str(part) for part in parts if part)
        click.echo(styled(text, fg="red" if attempt["error"] else None))
        if attempt["next_because"]:
            say(f"    next try: {attempt['next_because']}")
        if attempt["answer"] and attempt["answer"] != attempt["error"]:
            say(f"    answer {shown(attempt['answer'], 300)}")
    for other in document["same_key"]:
        say(f"same key: {other['id']}  {other['status']}  {other['due_at']}")
