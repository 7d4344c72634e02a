"""experience purge: remove what was over long ago, now."""

import sys
from datetime import timedelta

import click

from experience_runtime.cli.common import EXIT_REFUSED, everywhere, fail, print_json, say
from experience_runtime.domain.durations import parse_delay
from experience_runtime.domain.errors import InvalidParameter
from experience_runtime.domain.retention import KINDS, SHORTEST, SHORTEST_OF_ANSWERS, Kind
from experience_runtime.domain.values import shown
from experience_runtime.engine.pruning import purge as remove
from experience_runtime.runtime import Runtime
from experience_runtime.settings.load import Settings

_USUAL = tuple(kind for kind in KINDS if kind not in ("audit", "releases"))


@click.command(
    epilog="""\b
Examples:
  experience purge --older-than "90 days" --dry-run
  experience purge --older-than "90 days" --yes
  experience purge --older-than 7d --kind runs --kind events --yes

Executions count from their end, the rest from when it came. Nothing that is pending or running is removed,
no conversion that a replay would have to know of, and no release that runs, is one of the last 20 of its
experience, or made a run that is kept. Workers remove by themselves what the settings say under
[retention]."""
)
@click.option("--older-than", metavar="DURATION", required=True, help="How long ago it was over: 90d.")
@click.option(
    "--kind",
    "kinds",
    type=click.Choice(KINDS),
    multiple=True,
    help="What to remove; repeatable. [default: all but audit and releases]",
)
@click.option("--dry-run", is_flag=True, help="Only count what there is.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@everywhere
def purge(
    older_than: str, kinds: tuple[Kind, ...], dry_run: bool, yes: bool, settings: Settings, as_json: bool
) -> None:
    """Remove executions that ended long ago, and runs, events and answers from before."""
    age = timedelta(milliseconds=parse_delay(older_than))
    if age < SHORTEST:
        raise InvalidParameter(
            f'--older-than {shown(older_than)} is less than 1 hour; write for instance --older-than "90 days"'
        )
    with Runtime(settings) as runtime:
        now, pruning = runtime.clock.now(), runtime.store.pruning
        before = {
            kind: now - (max(age, SHORTEST_OF_ANSWERS) if kind == "answers" else age)
            for kind in kinds or _USUAL
        }
        if not dry_run and not yes:
            if as_json or not sys.stdin.isatty():
                raise InvalidParameter(
                    "what is purged is gone for good; add --yes to do it, or --dry-run to count only"
                )
            found = remove(pruning, before=before, now=now, dry_run=True)
            if not click.confirm(f"Remove {_told(found)} for good?", err=True):
                fail("nothing was removed", EXIT_REFUSED)
        counts = remove(pruning, before=before, now=now, dry_run=dry_run)
    if as_json:
        print_json({"purged": not dry_run, **counts})
        return
    say(f"{'would be removed' if dry_run else 'removed'}: {_told(counts)}")


def _told(counts: dict[Kind, int]) -> str:
    return ", ".join(f"{count} {kind}" for kind, count in counts.items())
