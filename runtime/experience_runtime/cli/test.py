"""experience test: every story below the paths, a line each, and one exit code."""

import functools
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import click

from experience_runtime.cli.common import EXIT_EXPERIENCE_FAILED, everywhere, print_json, say, tell
from experience_runtime.cli.terminal import indented, styled
from experience_runtime.clocks import monotonic
from experience_runtime.domain.errors import InvalidParameter
from experience_runtime.runtime import Runtime
from experience_runtime.settings.load import Settings

if TYPE_CHECKING:
    from experience_runtime.proving.suite import Proved

_AT_ONCE = 3
"""Stories at a time: one waits for the sandbox while another is told."""


@click.command(
    epilog="""\b
Examples:
  experience test
  experience test campaigns -k basket
  experience test --junit stories.xml

Exit codes: 0 every story passed; 1 one failed; 2 wrong use, or there is no story."""
)
@click.argument("paths", metavar="[PATH]...", nargs=-1, type=click.Path(exists=True, path_type=Path))
@click.option("-k", "words", metavar="WORDS", default="", help="Only stories whose path has these words.")
@click.option(
    "--junit",
    "junit_file",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the results as JUnit's XML too.",
)
@click.option(
    "--update", is_flag=True, help="Write what happened into the stories that expect something else."
)
@functools.partial(everywhere, reads_strangers=True)
def test(
    paths: Sequence[Path],
    words: str,
    junit_file: Path | None,
    update: bool,
    settings: Settings,
    as_json: bool,
) -> None:
    """Play every story.json and *.story.json below the paths (left out: here); nothing leaves."""
    from experience_runtime.proving.finding import find_stories
    from experience_runtime.proving.formats import junit
    from experience_runtime.proving.suite import matches, prove, proved_document

    stories = find_stories(paths or [Path()])
    meant = [story for story in stories if matches(story, words)]
    if not meant:
        raise InvalidParameter(
            f'-k "{words}" means none of the {len(stories)} stories; leave it out to see all'
        )

    def show(proved: "Proved") -> None:
        if as_json:
            return
        if proved.passed:
            met = f"  ({proved.met} of {proved.met})" if proved.met else "  (it expects nothing)"
            click.echo(styled("passed  ", fg="green") + styled(str(proved.story) + met, fg=None))
            return
        click.echo(styled("FAILED  ", fg="red") + styled(str(proved.story), fg=None))
        for line in proved.lines():
            click.echo(indented(line))

    def proved(story: Path) -> "Proved":
        first = prove(runtime, story)
        if update and first.differences and _rewritten(first):
            tell(f"{story}: it now expects what happened; read the difference before you keep it")
            return prove(runtime, story)
        return first

    began = monotonic()
    results = []
    with Runtime(settings) as runtime, ThreadPoolExecutor(_AT_ONCE) as executor:
        runtime.sandbox  # noqa: B018 - made here: two threads that ask first would each make one
        runtime.integrations.names()
        for result in executor.map(proved, meant):
            show(result)
            results.append(result)
    seconds = monotonic() - began
    if junit_file is not None:
        junit_file.write_text(junit(results), encoding="utf-8")
    failed = sum(not each.passed for each in results)
    if as_json:
        print_json(proved_document(results, seconds))
    else:
        counts = f"{len(results) - failed} passed" + (f", {failed} failed" if failed else "")
        say(f"{counts} in {seconds:.1f} s")
    if failed:
        raise SystemExit(EXIT_EXPERIENCE_FAILED)


def _rewritten(proved: "Proved") -> bool:
    from experience_runtime.proving.update import updated

    if proved.simulated is None:
        return False
    path = proved.story
    before = path.read_text(encoding="utf-8-sig")
    after = updated(before, proved.simulated)
    path.write_text(after, encoding="utf-8")
    return after != before
