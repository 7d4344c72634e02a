"""experience simulate: the same run in virtual time, with what follows over the next thirty days."""

import functools
import sys
from datetime import datetime
from pathlib import Path

import click

from experience_runtime.cli.common import EXIT_EXPERIENCE_FAILED, everywhere, print_json
from experience_runtime.cli.shown import show_problem
from experience_runtime.cli.timeline import show_timeline
from experience_runtime.cli.visitor_options import read_data, visitor_options
from experience_runtime.domain.errors import ScriptFault
from experience_runtime.domain.instants import iso
from experience_runtime.domain.visitors import make_visitor
from experience_runtime.runtime import Runtime
from experience_runtime.scripts.loading import failed_report, fault_problem, prepare, source_of
from experience_runtime.settings.load import Settings
from experience_runtime.simulation.story import load_story


@click.command(
    epilog="""\b
Examples:
  experience simulate sample_experiences/basket-reminder
  experience simulate my-experience --visitor v1 --timezone Asia/Tokyo --at 2026-03-06T18:00:00Z --for 7d

A folder's own story.json is played when neither --story nor a visitor or an instant is given.
Exit codes: 0 fine; 1 the experience failed, or the story's expectations were not met; 2 wrong use."""
)
@click.argument("path", type=click.Path(exists=True, path_type=Path))
@click.option(
    "--story", "story_file", metavar="FILE", type=click.Path(path_type=Path), help="A scripted scenario."
)
@click.option("--at", metavar="ISO", help="When it starts, in virtual time. [default: now]")
@click.option("--for", "horizon", metavar="DURATION", help="How long to watch. [default: 30d]")
@visitor_options
@functools.partial(everywhere, reads_strangers=True)
def simulate(
    path: Path,
    story_file: Path | None,
    at: str | None,
    horizon: str | None,
    visitor_id: str | None,
    timezone: str | None,
    timezone_offset: int | None,
    data_file: Path | None,
    variation: str | None,
    repair: bool,
    settings: Settings,
    as_json: bool,
) -> None:
    """Show what would happen, when, and why. Nothing leaves the machine and nothing is stored."""
    from experience_runtime.simulation.play import PlayRequest
    from experience_runtime.simulation.simulate import simulated_document

    alone = all(given is None for given in (at, horizon, visitor_id, timezone, timezone_offset, data_file))
    if story_file is None and alone and (path / "story.json").is_file():
        story_file = path / "story.json"
    visitor = make_visitor(visitor_id, timezone=timezone, timezone_offset=timezone_offset)
    with Runtime(settings) as runtime:
        runtime.sandbox  # noqa: B018 - the worker process starts while the rest is read
        request = PlayRequest(
            now=runtime.clock.now(),
            visitor=visitor,
            data=read_data(data_file),
            story=None if story_file is None else load_story(story_file),
            at=at,
            horizon=horizon,
        )
        request.told()  # what is wrong with it is said before anything is read
        try:
            script = prepare(path, variation=variation, repair=repair)
        except ScriptFault as fault:
            report = failed_report(path, visitor, fault)
            if as_json:
                print_json(report.document([]))
            problem = fault_problem(fault)
            show_problem(problem, source=source_of(problem, path, None), to_stderr=True)
            raise SystemExit(EXIT_EXPERIENCE_FAILED) from None
        watched = sys.stderr.isatty() and not as_json
        simulated = runtime.play(request, script, progress=_progress if watched else None)
    show_timeline(simulated, script, to_stderr=as_json)
    if as_json:  # last, so that nothing can go wrong after it
        print_json(simulated_document(simulated))
    if simulated.differences or any(report.outcome == "failed" for report in simulated.reports):
        raise SystemExit(EXIT_EXPERIENCE_FAILED)


def _progress(now: datetime) -> None:
    click.echo(f"\r{iso(now)}\r", nl=False, err=True)
