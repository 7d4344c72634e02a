"""experience worker: deliver what is due."""

import logging
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from types import FrameType

import click

from experience_runtime.app import CONCURRENCY, App
from experience_runtime.cli.common import everywhere, log_to_stderr, print_json
from experience_runtime.settings import Settings
from experience_runtime.store.lock import FileLock
from experience_runtime.worker import Worker


@click.command(
    epilog="""\b
Examples:
  experience worker
  experience worker --until-idle
  experience worker --database sqlite:////var/lib/experience/experience.db --concurrency 32

SIGTERM and Ctrl-C finish what runs; what has not begun stays for the next worker."""
)
@click.option("--until-idle", is_flag=True, help="Stop when nothing is due and nothing runs.")
@click.option(
    "--concurrency",
    type=click.IntRange(1, 1000),
    default=CONCURRENCY,
    show_default=True,
    help="Calls at a time.",
)
@everywhere
def worker(until_idle: bool, concurrency: int, settings: Settings, as_json: bool) -> None:
    """Deliver due executions until stopped. One worker per SQLite file; a second one waits."""
    log_to_stderr(settings, logging.INFO, "%(asctime)s %(levelname)s %(message)s")
    for name in ("httpx", "httpcore"):  # they would write every address
        logging.getLogger(name).setLevel(logging.WARNING)
    stop = threading.Event()
    with App(settings, concurrency=concurrency) as app:
        wake = app.dispatcher.wake

        def end(number: int, _: FrameType | None) -> None:
            signal.signal(number, signal.SIG_DFL)  # the second time is meant at once
            stop.set()
            wake.set()

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, end)
        logger = logging.getLogger("experience_runtime")
        logger.info("delivering from %s", app.database_path)
        unknown = settings.unknown_policies(app.integrations.names())
        for because in (*unknown, *app.operations.holds().values()):
            logger.warning("%s", because)
        # Not in this thread: a signal would find it inside the very Event that its handler sets.
        with ThreadPoolExecutor(1, thread_name_prefix="worker") as loop:
            loop.submit(_worker(app).run, stop, until_idle=until_idle).result()
    if as_json:
        print_json({"stopped": "idle" if until_idle and not stop.is_set() else "signal"})


def _worker(app: App) -> Worker:
    return Worker(
        app.dispatcher, app.store, app.clock, recurring=app.recurring, lock=FileLock(app.database_path)
    )
