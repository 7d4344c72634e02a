"""experience workers: which of them deliver."""

import socket
from collections.abc import Sequence
from datetime import datetime

import click

from experience_runtime.cli.common import Verbs, everywhere, print_json, say
from experience_runtime.domain.instants import iso
from experience_runtime.domain.workers import WorkerInfo
from experience_runtime.runtime import Runtime
from experience_runtime.settings.load import Settings

EXIT_NONE = 1


@click.group(cls=Verbs)
def workers() -> None:
    """See the workers that deliver."""


@workers.command(
    name="list",
    epilog="""\b
Examples:
  experience workers list
  experience workers list --database postgresql://localhost/experience --json

One that ended in order is not listed; one that said nothing for 15 s is shown as gone.
--here is the health check of a worker's container: it exits with 1 when none delivers here.""",
)
@click.option("--here", is_flag=True, help="Those of this machine; exit code 1 when none delivers.")
@everywhere
def list_(here: bool, settings: Settings, as_json: bool) -> None:
    """List the workers that report themselves, the longest running first."""
    with Runtime(settings, to_look=True) as runtime:
        present = runtime.store.workers.all() if runtime.has_database else []
        now = runtime.clock.now()
    if here:
        present = [each for each in present if each.host == socket.gethostname()]
    _show(present, now, as_json=as_json)
    if here and not any(each.is_there(now) for each in present):
        raise SystemExit(EXIT_NONE)


def _show(present: Sequence[WorkerInfo], now: datetime, *, as_json: bool) -> None:
    if as_json:
        print_json({"workers": [_document(each, is_there=each.is_there(now)) for each in present]})
        return
    for each in present:
        served = "all integrations" if each.integrations is None else ", ".join(sorted(each.integrations))
        state = "delivers" if each.is_there(now) else f"gone since {iso(each.beat_at)}"
        say(f"{each.host} {each.pid}  {state}  {each.concurrency} at a time  {served}  {each.version}")
    if not present:
        say("no worker reports itself; `experience worker` starts one")


def _document(worker: WorkerInfo, *, is_there: bool) -> dict[str, object]:
    mine = worker.integrations
    return {
        "id": worker.id,
        "host": worker.host,
        "pid": worker.pid,
        "version": worker.version,
        "concurrency": worker.concurrency,
        "integrations": None if mine is None else sorted(mine),
        "started_at": iso(worker.started_at),
        "beat_at": iso(worker.beat_at),
        "is_there": is_there,
    }
