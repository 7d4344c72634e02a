"""experience run: one experience, for real, into the store."""

from collections.abc import Callable
from pathlib import Path

import click

from experience_runtime.cli.common import EXIT_EXPERIENCE_FAILED, everywhere, print_json
from experience_runtime.cli.shown import show_report
from experience_runtime.cli.visitor_options import read_data, visitor_options
from experience_runtime.domain.errors import ScriptFault
from experience_runtime.domain.page_facts import PageFacts
from experience_runtime.running.boot import situation_of
from experience_runtime.running.kept import keep_run
from experience_runtime.runtime import Runtime
from experience_runtime.scripts.loading import failed_report, name_of, prepare
from experience_runtime.settings.load import Settings


@click.command(
    epilog="""\b
Examples:
  experience run sample_experiences/basket-reminder --visitor v1 --timezone America/New_York
  experience run variation.js --visitor v1 --json
  experience run variation.js --visitor v1 --event 'ecBasketSummary={"total": 120}' --browser page.json

Exit codes: 0 fine, also when the author caught a rejected call; 1 the experience does not parse, threw,
rejected or ran into a limit; 2 wrong use."""
)
@click.argument("path", type=click.Path(exists=True, path_type=Path))
@click.option("-v", "--verbose", is_flag=True, help="Show the metadata of log lines whole.")
@visitor_options
@everywhere
def run(
    path: Path,
    visitor_id: str | None,
    timezone: str | None,
    timezone_offset: int | None,
    data_file: Path | None,
    read_facts: Callable[[], PageFacts],
    variation: str | None,
    repair: bool,
    verbose: bool,
    settings: Settings,
    as_json: bool,
) -> None:
    """Run the experience at PATH (a folder or a .js file) for a visitor, now.

    What it schedules is on disk when this ends; `experience worker` delivers it.
    """
    data, facts = read_data(data_file), read_facts()
    with Runtime(settings) as runtime:
        runtime.sandbox  # noqa: B018 - the worker process starts while the rest is read
        visitor = runtime.visitor(visitor_id, timezone=timezone, timezone_offset=timezone_offset)
        script, began_at = None, runtime.clock.now()
        try:
            script = prepare(path, variation=variation, repair=repair)
        except ScriptFault as fault:
            report, documents = failed_report(name_of(path), visitor, fault), []
        else:
            report = runtime.run(script, situation_of(visitor, data, facts))
            documents = runtime.lookup.of_run(report.created)
        # told below: here the log is read by the one who runs it
        keep_run(runtime.store.runs, report, trigger="cli", at=began_at, redact=settings.redact, tells=False)
    if as_json:
        print_json(report.document(documents))
    else:
        show_report(report, documents, path=path, script=script, verbose=verbose)
    if report.outcome == "failed":
        raise SystemExit(EXIT_EXPERIENCE_FAILED)
