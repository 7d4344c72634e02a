"""experience executions cancel and replay: by id, or all that a filter means."""

import sys
from collections.abc import Callable, Sequence

import click

from experience_runtime.cli.common import EXIT_REFUSED, everywhere, fail, print_json, read_payload, say, tell
from experience_runtime.cli.filters import filtered
from experience_runtime.cli.progress import counted
from experience_runtime.domain.errors import ExperienceError, InvalidParameter
from experience_runtime.domain.executions import Filter
from experience_runtime.engine.operations import Progress, cancellable, replayable
from experience_runtime.runtime import Runtime
from experience_runtime.settings.load import Settings

_EVERYTHING = Filter()
_HOW = """\b
With a filter instead of ids, the matching ones are counted first. --dry-run stops there; on a terminal
you are asked; elsewhere add --yes."""


@click.command(
    epilog=f"""\b
Examples:
  experience executions cancel ex_0bb6rczg0ryj5 --reason "the offer ended"
  experience executions cancel --experience summer-sale --dry-run
  experience executions cancel --integration slack-update --visitor v1 --yes
  experience executions cancel --due-before 2026-03-02T08:00Z --reason restored --dry-run

{_HOW}"""
)
@click.argument("ids", metavar="[ID]...", nargs=-1)
@click.option("--reason", metavar="TEXT", help="Kept in the history.")
@click.option("--all", "everything", is_flag=True, help="Every pending execution there is.")
@click.option("--dry-run", is_flag=True, help="Only count what a filter means.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@everywhere
@filtered
def cancel(
    ids: tuple[str, ...],
    reason: str | None,
    everything: bool,
    dry_run: bool,
    yes: bool,
    wanted: Filter,
    settings: Settings,
    as_json: bool,
) -> None:
    """Cancel pending executions: those named by ID, or all that a filter means."""
    with Runtime(settings) as runtime:
        bulk = _Bulk("cancelled", "cancel", as_json=as_json, dry_run=dry_run, yes=yes)
        if bulk.means_ids(ids, wanted, everything=everything):
            bulk.each(ids, lambda id: runtime.scheduler.cancel_execution(id, reason=reason))
            return
        bulk.matching(
            runtime.store.count(cancellable(wanted)),
            lambda progress: runtime.operations.cancel_matching(wanted, reason=reason, progress=progress),
        )


@click.command(
    epilog=f"""\b
Examples:
  experience executions replay ex_0bb6rczg0ryj5
  experience executions replay ex_0bb6rczg0ryj5 --with-payload '{{"message": "corrected"}}'
  experience executions replay --because not_configured --dry-run
  experience executions replay --integration slack-update --since 2026-03-02T08:00Z --yes

What a filter means are the failed ones; --status succeeded replays what was delivered, once more.
A replayed execution is due now, with all its retries before it; a closed window delays it.
With another payload, the integration checks it first, and the history keeps the one before.

{_HOW}"""
)
@click.argument("ids", metavar="[ID]...", nargs=-1)
@click.option("--reason", metavar="TEXT", default="replayed", show_default=True, help="Kept in the history.")
@click.option("--with-payload", "payload", metavar="JSON", help="Another payload than its own, for one ID.")
@click.option("--all", "everything", is_flag=True, help="Every failed execution there is.")
@click.option("--dry-run", is_flag=True, help="Only count what a filter means.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@everywhere
@filtered
def replay(
    ids: tuple[str, ...],
    reason: str,
    payload: str | None,
    everything: bool,
    dry_run: bool,
    yes: bool,
    wanted: Filter,
    settings: Settings,
    as_json: bool,
) -> None:
    """Run finished executions again: those named by ID, or all that a filter means."""
    if payload is not None and len(ids) != 1:
        raise InvalidParameter(f"--with-payload is of one execution, and {len(ids)} ids are named; name one")
    value = None if payload is None else read_payload(payload)
    with Runtime(settings) as runtime:
        bulk = _Bulk("replayed", "replay", as_json=as_json, dry_run=dry_run, yes=yes)
        if bulk.means_ids(ids, wanted, everything=everything):
            bulk.each(
                ids,
                lambda id: (
                    runtime.scheduler.replay(id, reason=reason)
                    if payload is None
                    else runtime.operations.replay_with(id, value, reason=reason)
                ),
            )
            return
        bulk.matching(
            runtime.store.count(replayable(wanted)),
            lambda progress: runtime.operations.replay_matching(wanted, reason=reason, progress=progress),
        )


class _Bulk:
    """What cancel and replay do alike. `done` names the result: `cancelled`."""

    def __init__(self, done: str, verb: str, *, as_json: bool, dry_run: bool, yes: bool) -> None:
        self._done = done
        self._verb = verb
        self._as_json = as_json
        self._dry_run = dry_run
        self._yes = yes

    def means_ids(self, ids: Sequence[str], wanted: Filter, *, everything: bool) -> bool:
        has_filter = everything or wanted != _EVERYTHING
        if ids and (has_filter or self._dry_run):
            raise InvalidParameter(
                f"name ids or a filter, not both; to {self._verb} {ids[0]} leave the rest out"
            )
        if not ids and not has_filter:
            raise InvalidParameter(
                f"nothing says what to {self._verb}; name ids, give a filter such as --integration NAME, "
                "or say --all"
            )
        return bool(ids)

    def each(self, ids: Sequence[str], act: Callable[[str], object]) -> None:
        """Take ids one by one; those refused do not stop the others. One alone is refused as any verb is."""
        done: list[str] = []
        refused: list[dict[str, str]] = []
        for id in dict.fromkeys(ids):
            try:
                act(id)
            except ExperienceError as error:
                if len(ids) == 1:
                    raise
                refused.append({"id": id, "code": error.code, "message": error.message})
            else:
                done.append(id)
        if self._as_json:
            document: dict[str, object] = {self._done: len(done), "ids": done}
            print_json(document | ({"refused": refused} if refused else {}))
        for id in () if self._as_json else done:
            say(f"{id} is {self._done}")
        for each in refused:
            tell(f"{each['code']}: {each['message']}")
        if refused:
            raise SystemExit(EXIT_REFUSED)

    def matching(self, count: int, act: Callable[[Progress], list[str]]) -> None:
        """Count, ask, then act on what a filter means."""
        executions = f"{count} execution{'' if count == 1 else 's'}"
        if self._dry_run:
            if self._as_json:
                print_json({"matching": count})
            else:
                say(f"{executions} would be {self._done}")
            return
        if count and not self._yes:
            if self._as_json or not sys.stdin.isatty():
                raise InvalidParameter(
                    f"{executions} would be {self._done}; add --yes to do it, or --dry-run to count only"
                )
            if not click.confirm(f"{self._verb.capitalize()} {executions}?", err=True):
                fail("nothing was changed", EXIT_REFUSED)
        with counted(f"{self._verb}ing", count) as progress:
            ids = act(progress)
        if self._as_json:
            print_json({self._done: len(ids), "ids": ids})
            return
        say(f"{len(ids)} execution{' is' if len(ids) == 1 else 's are'} {self._done}")
