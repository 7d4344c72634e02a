"""experience executions cancel, replay, restore and move: by id, or all that a filter means."""

import sys
from collections.abc import Callable, Sequence

import click

from experience_runtime.cli.common import EXIT_REFUSED, everywhere, fail, print_json, read_payload, say, tell
from experience_runtime.cli.filters import filtered
from experience_runtime.cli.moving import tell_due
from experience_runtime.cli.progress import counted
from experience_runtime.domain.errors import ExperienceError, InvalidParameter
from experience_runtime.domain.executions import Filter
from experience_runtime.domain.planning import plan_move
from experience_runtime.engine.operations import DONE, Progress, meant
from experience_runtime.runtime import Runtime
from experience_runtime.settings.load import Settings

_EVERYTHING = Filter()
_DOING = {"cancel": "canceling", "replay": "replaying", "restore": "restoring", "move": "moving"}
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
        bulk = Bulk("cancel", as_json=as_json, dry_run=dry_run, yes=yes)
        if bulk.means_ids(ids, wanted, everything=everything):
            bulk.each(ids, lambda id: runtime.scheduler.cancel_execution(id, reason=reason))
            return
        bulk.matching(
            runtime.store.count(meant("cancel", wanted)),
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
        bulk = Bulk("replay", as_json=as_json, dry_run=dry_run, yes=yes)
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
            runtime.store.count(meant("replay", wanted)),
            lambda progress: runtime.operations.replay_matching(wanted, reason=reason, progress=progress),
        )


@click.command(
    epilog=f"""\b
Examples:
  experience executions restore ex_0bb6rczg0ryj5
  experience executions restore ex_0bb6rczg0ryj5 --reason "the offer goes on" --json
  experience executions restore --experience summer-sale --finished-since 2026-03-02T08:00Z --yes

Each runs at its own time. Refused, or passed over: when that is past, while its key is pending, and when its
visitor has converted. What was replaced by a later one is restored by its id, or with --because replaced.

{_HOW}"""
)
@click.argument("ids", metavar="[ID]...", nargs=-1)
@click.option("--reason", metavar="TEXT", default="restored", show_default=True, help="Kept in the history.")
@click.option("--all", "everything", is_flag=True, help="Every cancelled execution there is.")
@click.option("--dry-run", is_flag=True, help="Only count what a filter means.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@everywhere
@filtered
def restore(
    ids: tuple[str, ...],
    reason: str,
    everything: bool,
    dry_run: bool,
    yes: bool,
    wanted: Filter,
    settings: Settings,
    as_json: bool,
) -> None:
    """Take cancels back: those named by ID, or all that a filter means, are pending again."""
    with Runtime(settings) as runtime:
        bulk = Bulk("restore", as_json=as_json, dry_run=dry_run, yes=yes)
        if bulk.means_ids(ids, wanted, everything=everything):
            bulk.each(ids, lambda id: runtime.operations.restore(id, reason=reason))
            return
        bulk.matching(
            runtime.store.count(meant("restore", wanted)),
            lambda progress: runtime.operations.restore_matching(wanted, reason=reason, progress=progress),
        )


@click.command(
    epilog=f"""\b
Examples:
  experience executions move ex_0bb6rczg0ryj5 --time 2026-03-09T09:00+01:00
  experience executions move ex_0bb6rczg0ryj5 --delay "2 hours" --reason "the shop is closed"
  experience executions move --integration slack-update --due-until 2026-03-09 --delay "1 day" --dry-run

At most 30 days ahead, one instant for all; outside its window each waits for the next opening.

{_HOW}"""
)
@click.argument("ids", metavar="[ID]...", nargs=-1)
@click.option("--time", metavar="ISO", help="Run at this instant.")
@click.option("--delay", metavar="DURATION", help='Run so long from now: "2 hours".')
@click.option("--reason", metavar="TEXT", help="Kept in the history.")
@click.option("--all", "everything", is_flag=True, help="Every pending execution there is.")
@click.option("--dry-run", is_flag=True, help="Only count what a filter means.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@everywhere
@filtered
def move(
    ids: tuple[str, ...],
    time: str | None,
    delay: str | None,
    reason: str | None,
    everything: bool,
    dry_run: bool,
    yes: bool,
    wanted: Filter,
    settings: Settings,
    as_json: bool,
) -> None:
    """Let pending executions run at another instant: those named by ID, or all that a filter means."""
    options = {"time": time, "delay": delay}
    with Runtime(settings) as runtime:
        bulk = Bulk("move", as_json=as_json, dry_run=dry_run, yes=yes)
        if bulk.means_ids(ids, wanted, everything=everything):
            if len(ids) == 1:
                runtime.operations.move(ids[0], options, reason=reason)
                tell_due(runtime, ids[0], as_json=as_json)
                return
            bulk.each(ids, lambda id: runtime.operations.move(id, options, reason=reason))
            return
        due_at = plan_move(options, now=runtime.clock.now())
        bulk.matching(
            runtime.store.count(meant("move", wanted)),
            lambda progress: runtime.operations.move_matching(
                wanted, due_at, reason=reason, progress=progress
            ),
        )


class Bulk:
    """What the verbs do alike, for executions that are named and for those that a filter means."""

    def __init__(self, verb: str, *, as_json: bool, dry_run: bool, yes: bool) -> None:
        self._done = DONE[verb]
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
        with counted(_DOING[self._verb], count) as progress:
            ids = act(progress)
        if self._as_json:
            print_json({self._done: len(ids), "ids": ids})
            return
        say(f"{len(ids)} execution{' is' if len(ids) == 1 else 's are'} {self._done}")
