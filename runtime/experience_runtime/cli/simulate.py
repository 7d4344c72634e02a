"""experience simulate: the same run in virtual time, with what follows over the next thirty days."""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from experience_runtime.cli.common import EXIT_EXPERIENCE_FAILED, everywhere, print_json
from experience_runtime.cli.progress import virtual_time
from experience_runtime.cli.shown import show_problem
from experience_runtime.cli.terminal import styled
from experience_runtime.cli.timeline import show_timeline
from experience_runtime.cli.visitor_options import read_data, visitor_options
from experience_runtime.domain.errors import ScriptFault
from experience_runtime.domain.page_facts import NO_FACTS, PageFacts
from experience_runtime.domain.visitors import make_visitor
from experience_runtime.proving.finding import find_experiences
from experience_runtime.runtime import Runtime
from experience_runtime.scripts.loading import failed_report, fault_problem, name_of, prepare, source_of
from experience_runtime.settings.load import Settings
from experience_runtime.simulation.play import PlayRequest
from experience_runtime.simulation.simulated import simulated_document
from experience_runtime.simulation.story import load_story


@click.command(
    epilog="""\b
Examples:
  experience simulate sample_experiences/basket-reminder
  experience simulate my-experience --visitor v1 --timezone Asia/Tokyo --at 2026-03-06T18:00:00Z --for 7d

A folder's own story.json is played when neither --story nor a visitor or an instant is given.
Exit codes: 0 fine; 1 the experience failed, or the story's expectations were not met; 2 wrong use."""
)
@click.argument(
    "paths", metavar="PATH...", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path)
)
@click.option(
    "--story", "story_file", metavar="FILE", type=click.Path(path_type=Path), help="A scripted scenario."
)
@click.option("--at", metavar="ISO", help="When it starts, in virtual time. [default: now]")
@click.option("--for", "horizon", metavar="DURATION", help="How long to watch. [default: 30d]")
@click.option("-v", "--verbose", is_flag=True, help="Show the metadata of log lines whole.")
@visitor_options
@functools.partial(everywhere, reads_strangers=True)
def simulate(
    paths: Sequence[Path],
    story_file: Path | None,
    at: str | None,
    horizon: str | None,
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
    """Show what would happen, when, and why. Nothing leaves the machine and nothing is stored.

    A folder that is no experience stands for all below it.
    """
    facts = read_facts()
    given = (at, horizon, visitor_id, timezone, timezone_offset, data_file)
    alone = facts == NO_FACTS and all(each is None for each in given)
    visitor = make_visitor(visitor_id, timezone=timezone, timezone_offset=timezone_offset)
    experiences = find_experiences(paths)
    is_one = len(paths) == 1 and experiences == [*paths]
    documents = []
    failed = False
    with Runtime(settings) as runtime:
        runtime.sandbox  # noqa: B018 - the worker process starts while the rest is read
        for path in experiences:
            own = path / "story.json"
            file = own if story_file is None and alone and own.is_file() else story_file
            request = PlayRequest(
                now=runtime.clock.now(),
                visitor=visitor,
                data=read_data(data_file),
                facts=facts,
                story=None if file is None else load_story(file),
                at=at,
                horizon=horizon,
            )
            request.told()  # what is wrong with it is said before anything is read
            if not is_one and not as_json:
                click.echo(styled(str(path), bold=True, underline=True))
            played = _play(
                runtime,
                path,
                request,
                variation=variation or request.told().variation,
                repair=repair,
                verbose=verbose,
                as_json=as_json,
            )
            documents.append({"path": str(path), **played.document})
            failed = failed or played.failed
    if as_json:  # last, so that nothing can go wrong after it
        if is_one:
            del documents[0]["path"]
        print_json(documents[0] if is_one else {"experiences": documents})
    if failed:
        raise SystemExit(EXIT_EXPERIENCE_FAILED)


@dataclass(frozen=True, slots=True)
class _Played:
    document: dict[str, Any]
    failed: bool


def _play(
    runtime: Runtime,
    path: Path,
    request: PlayRequest,
    *,
    variation: str | None,
    repair: bool,
    verbose: bool,
    as_json: bool,
) -> _Played:
    """Play one experience and show its timeline; what its files lack is shown as its result."""
    try:
        script = prepare(path, variation=variation, repair=repair)
    except ScriptFault as fault:
        if not as_json:
            problem = fault_problem(fault)
            show_problem(problem, source=source_of(problem, path, None), to_stderr=True)
        return _Played(failed_report(name_of(path), request.visitor, fault).document([]), failed=True)
    if as_json:
        simulated = runtime.play(request, script)
    else:
        with virtual_time() as show:
            simulated = runtime.play(request, script, progress=show)
        show_timeline(simulated, script, verbose=verbose)
    return _Played(simulated_document(simulated), simulated.failed)
