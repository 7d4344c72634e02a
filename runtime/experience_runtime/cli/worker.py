"""experience worker: deliver what is due."""

import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import click

from experience_runtime.cli.common import everywhere, print_json
from experience_runtime.cli.hold_all import hold_unless_held
from experience_runtime.cli.log import logs
from experience_runtime.cli.stopping import on_stop
from experience_runtime.domain.errors import InvalidParameter
from experience_runtime.domain.executions import LEASE_SECONDS, SHARED_LEASE_SECONDS
from experience_runtime.measured import hear
from experience_runtime.runtime import CONCURRENCY, Runtime
from experience_runtime.runtime.soundness import looked_after
from experience_runtime.runtime.working import make_worker
from experience_runtime.settings.load import Settings


@click.command(
    epilog="""\b
Examples:
  experience worker
  experience worker --until-idle
  experience worker --paused
  experience worker --metrics 127.0.0.1:9464
  experience worker --database postgresql://localhost/experience --only slack-update,webhook
  experience worker --database sqlite:////var/lib/experience/experience.db --concurrency 32

SIGTERM, SIGHUP and Ctrl-C finish what runs; what has not begun stays for the next worker."""
)
@click.option("--until-idle", is_flag=True, help="Stop when nothing is due and nothing runs.")
@click.option(
    "--concurrency",
    type=click.IntRange(1, 1000),
    default=CONCURRENCY,
    show_default=True,
    help="Calls at a time.",
)
@click.option(
    "--only",
    metavar="NAME,NAME",
    help="The integrations to deliver for; on PostgreSQL, where other workers deliver for the rest.",
)
@click.option(
    "--lease",
    metavar="SECONDS",
    type=click.IntRange(2, 3600),
    help="After how long others take over from a worker that died. "
    f"[default: {SHARED_LEASE_SECONDS} on PostgreSQL, else {LEASE_SECONDS}]",
)
@click.option(
    "--metrics",
    "metrics_at",
    metavar="ADDRESS:PORT",
    help="Where Prometheus may ask for this worker's numbers, without a token: 127.0.0.1:9464.",
)
@click.option("--paused", is_flag=True, help="Hold everything first, until `experience resume all`.")
@everywhere
@logs
def worker(
    until_idle: bool,
    concurrency: int,
    only: str | None,
    lease: int | None,
    metrics_at: str | None,
    paused: bool,
    settings: Settings,
    as_json: bool,
) -> None:
    """Deliver due executions until stopped. One worker per SQLite file; any number on PostgreSQL."""
    from experience_runtime.cli.metrics import place_of, serving_numbers
    from experience_runtime.cli.telemetry import telemetry
    from experience_runtime.cli.telemetry_numbers import exporting_numbers
    from experience_runtime.runtime.alerts import alerting
    from experience_runtime.runtime.webhooks import telling
    from experience_runtime.web.metrics import Metrics

    stop, metrics = threading.Event(), Metrics()
    hear(metrics)
    place = None if metrics_at is None else place_of(metrics_at)
    with ExitStack() as stack:
        stack.enter_context(telemetry())
        runtime = stack.enter_context(
            Runtime(
                settings,
                upgrades=True,
                concurrency=concurrency,
                only=_names(only),
                lease_seconds=lease,
                attempted=metrics.attempted,
            )
        )
        stack.enter_context(looked_after(runtime))
        if paused:
            hold_unless_held(runtime)
        runtime.for_delivering()
        if place is not None:
            stack.enter_context(serving_numbers(*place, runtime, metrics))
        stack.enter_context(exporting_numbers(runtime, metrics))
        stack.enter_context(alerting(runtime))
        stack.enter_context(telling(runtime))
        if runtime.only is not None:
            _require_served(runtime, runtime.only)
        wake = runtime.dispatcher.wake

        def end() -> None:
            stop.set()
            wake.set()

        on_stop(end)
        logger = logging.getLogger("experience_runtime")
        logger.info("delivering from %s", runtime.database_name)
        unknown = settings.unknown_tables(runtime.integrations.names())
        for because in (*unknown, *runtime.operations.holds().values()):
            logger.warning("%s", because)
        # Not in this thread: a signal would find it inside the very Event that its handler sets.
        with ThreadPoolExecutor(1, thread_name_prefix="worker") as loop:
            loop.submit(make_worker(runtime).run, stop, until_idle=until_idle).result()
    if as_json:
        print_json({"stopped": "idle" if until_idle and not stop.is_set() else "signal"})


def _names(only: str | None) -> frozenset[str] | None:
    if only is None:
        return None
    return frozenset(name.strip() for name in only.split(",") if name.strip())


def _require_served(runtime: Runtime, only: frozenset[str]) -> None:
    if not runtime.is_shared:
        raise InvalidParameter(
            "--only needs other workers for the rest, and a SQLite file has one worker; "
            "leave it out, or use a postgresql:// database"
        )
    for name in sorted(only):
        runtime.integrations.get(name)
    if not only:
        raise InvalidParameter("--only names no integration; write for instance --only slack-update,webhook")
