"""experience executions: list, show, cancel."""

from typing import Any

import click

from experience_runtime.app import App
from experience_runtime.cli.common import Verbs, everywhere, print_json, say, styled
from experience_runtime.cli.shown import execution_line
from experience_runtime.documents import change_document, execution_document
from experience_runtime.domain.executions import Execution, Filter, Status, execution_number
from experience_runtime.settings import Settings


@click.group(
    cls=Verbs,
    epilog="""\b
Examples:
  experience executions list --status pending
  experience executions show ex_0bb6rczg0ryj5
  experience executions cancel ex_0bb6rczg0ryj5 --reason "the offer ended" """,
)
def executions() -> None:
    """List, show and cancel executions."""


@executions.command(
    "list",
    epilog="""\b
Examples:
  experience executions list
  experience executions list --status pending --visitor v1
  experience executions list --limit 200 --json""",
)
@click.option(
    "--status",
    "statuses",
    multiple=True,
    type=click.Choice([s.value for s in Status]),
    help="Only these states.",
)
@click.option("--visitor", metavar="ID", help="Only this visitor's.")
@click.option("--integration", metavar="NAME", help="Only of this integration.")
@click.option("--experience", metavar="NAME", help="Only of this experience.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="How many a page.")
@click.option("--cursor", metavar="CURSOR", help="Go on where the page before ended: its `next`.")
@everywhere
def list_(
    statuses: tuple[str, ...],
    visitor: str | None,
    integration: str | None,
    experience: str | None,
    limit: int,
    cursor: str | None,
    settings: Settings,
    as_json: bool,
) -> None:
    """List executions, newest first."""
    wanted = Filter(
        statuses=tuple(Status(status) for status in statuses),
        integration=integration,
        visitor=visitor,
        experience=experience,
    )
    with App(settings) as app:
        page = app.store.find(wanted, cursor=cursor, limit=limit)
    documents = [execution_document(execution) for execution in page.executions]
    if as_json:
        print_json({"executions": documents, "next": page.next})
        return
    for document in documents:
        say_line(document)
    if not documents:
        say("no executions; `experience run PATH` makes some")
    if page.next is not None:
        say(f"more: --cursor {page.next}")


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
    """Show one execution: why it runs when it does, every state change and every attempt."""
    with App(settings) as app:
        number = execution_number(execution_id)
        execution = app.store.execution(number)
        attempts = app.store.attempts(number)
        document = execution_document(execution, attempts)
        document["history"] = [change_document(change) for change in app.store.history(number)]
    if as_json:
        print_json(document)
        return
    _show(execution, document)


@executions.command(
    "cancel",
    epilog="""\b
Examples:
  experience executions cancel ex_0bb6rczg0ryj5 --reason "the offer ended" """,
)
@click.argument("execution_id", metavar="ID")
@click.option("--reason", metavar="TEXT", help="Kept in the history.")
@everywhere
def cancel(execution_id: str, reason: str | None, settings: Settings, as_json: bool) -> None:
    """Cancel one pending execution."""
    with App(settings) as app:
        app.scheduler.cancel_execution(execution_id, reason=reason)
    if as_json:
        print_json({"cancelled": 1, "ids": [execution_id]})
        return
    say(f"{execution_id} is cancelled")


def say_line(document: dict[str, Any]) -> None:
    click.echo(execution_line(document))


def _show(execution: Execution, document: dict[str, Any]) -> None:
    say_line(document)
    say(
        f"visitor {execution.visitor or '-'}, experience {execution.experience or '-'}, "
        f"key {execution.key or '-'}"
    )
    say(f"payload {execution.payload}")
    for sentence in document["why"]:
        say(f"  {sentence}")
    for change in document["history"]:
        reason = f"  {change['reason']}" if change["reason"] else ""
        say(f"{change['at']}  {change['from'] or '-'} -> {change['to']}{reason}")
    for attempt in document["attempts"]:
        parts = (attempt["outcome"] or "running", attempt["status"], attempt["error"])
        text = f"{attempt['at']}  attempt: " + " ".join(str(part) for part in parts if part)
        click.echo(styled(text, fg="red" if attempt["error"] else None))
