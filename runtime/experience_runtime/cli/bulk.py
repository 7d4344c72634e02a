"""experience executions cancel, replay, restore and move: by id, or all that a filter means."""

import functools
import sys
from collections.abc import Callable
from typing import Any

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


def of_many(verb: str, *, state: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Add ids, a filter, and what asks first; the verb takes `runtime` and `bulk`.

    `state`: of which executions --all are all.
    """

    def add(command: Callable[..., Any]) -> Callable[..., Any]:
        @click.argument("ids", metavar="[ID]...", nargs=-1)
        @click.option("--all", "everything", is_flag=True, help=f"Every {state} execution there is.")
        @click.option("--dry-run", is_flag=True, help="Only count what a filter means.")
        @click.option("--yes", is_flag=True, help="Do not ask.")
        @everywhere
        @filtered
        @functools.wraps(command)
        def with_bulk(
            *,
            ids: tuple[str, ...],
            wanted: Filter,
            everything: bool,
            settings: Settings,
            as_json: bool,
            dry_run: bool,
            yes: bool,
            **own: Any,
        ) -> None:
            has_filter = everything or wanted != _EVERYTHING
            if ids and (has_filter or dry_run):
                raise InvalidParameter(
                    f"name ids or a filter, not both; to {verb} {ids[0]} leave the rest out"
                )
            if not ids and not has_filter:
                raise InvalidParameter(
                    f"nothing says what to {verb}; name ids, give a filter such as --integration NAME, "
                    "or say --all"
                )
            with Runtime(settings) as runtime:
                bulk = Bulk(verb, runtime, ids, wanted, as_json=as_json, dry_run=dry_run, yes=yes)
                command(runtime=runtime, bulk=bulk, **own)

        return with_bulk

    return add


@click.command(
    epilog=f"""\b
Examples:
  experience executions cancel ex_0bb6rczg0ryj5 --reason "the offer ended"
  experience executions cancel --experience summer-sale --dry-run
  experience executions cancel --integration slack-update --visitor v1 --yes
  experience executions cancel --due-before 2026-03-02T08:00Z --reason restored --dry-run

{_HOW}"""
)
@click.option("--reason", metavar="TEXT", help="Kept in the history.")
@of_many("cancel", state="pending")
def cancel(reason: str | None, runtime: Runtime, bulk: "Bulk") -> None:
    """Cancel pending executions: those named by ID, or all that a filter means."""
    bulk.act(
        lambda id: runtime.scheduler.cancel_execution(id, reason=reason),
        lambda progress: runtime.operations.cancel_matching(bulk.wanted, reason=reason, progress=progress),
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
@click.option("--reason", metavar="TEXT", default="replayed", show_default=True, help="Kept in the history.")
@click.option("--with-payload", "payload", metavar="JSON", help="Another payload than its own, for one ID.")
@of_many("replay", state="failed")
def replay(reason: str, payload: str | None, runtime: Runtime, bulk: "Bulk") -> None:
    """Run finished executions again: those named by ID, or all that a filter means."""
    if payload is not None and len(bulk.ids) != 1:
        raise InvalidParameter(
            f"--with-payload is of one execution, and {len(bulk.ids)} ids are named; name one"
        )
    value = None if payload is None else read_payload(payload)
    bulk.act(
        lambda id: (
            runtime.scheduler.replay(id, reason=reason)
            if payload is None
            else runtime.operations.replay_with(id, value, reason=reason)
        ),
        lambda progress: runtime.operations.replay_matching(bulk.wanted, reason=reason, progress=progress),
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
@click.option("--reason", metavar="TEXT", default="restored", show_default=True, help="Kept in the history.")
@of_many("restore", state="cancelled")
def restore(reason: str, runtime: Runtime, bulk: "Bulk") -> None:
    """Take cancels back: those named by ID, or all that a filter means, are pending again."""
    bulk.act(
        lambda id: runtime.operations.restore(id, reason=reason),
        lambda progress: runtime.operations.restore_matching(bulk.wanted, reason=reason, progress=progress),
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
@click.option("--time", metavar="ISO", help="Run at this instant.")
@click.option("--delay", metavar="DURATION", help='Run so long from now: "2 hours".')
@click.option("--reason", metavar="TEXT", help="Kept in the history.")
@of_many("move", state="pending")
def move(time: str | None, delay: str | None, reason: str | None, runtime: Runtime, bulk: "Bulk") -> None:
    """Let pending executions run at another instant: those named by ID, or all that a filter means."""
    options = {"time": time, "delay": delay}
    if len(bulk.ids) == 1:
        runtime.operations.move(bulk.ids[0], options, reason=reason)
        tell_due(runtime, bulk.ids[0], as_json=bulk.as_json)
        return
    due_at = plan_move(options, now=runtime.clock.now())
    bulk.act(
        lambda id: runtime.operations.move(id, options, reason=reason),
        lambda progress: runtime.operations.move_matching(
            bulk.wanted, due_at, reason=reason, progress=progress
        ),
    )


class Bulk:
    """What the verbs do alike, for executions that are named and for those that a filter means."""

    def __init__(
        self,
        verb: str,
        runtime: Runtime,
        ids: tuple[str, ...],
        wanted: Filter,
        *,
        as_json: bool,
        dry_run: bool,
        yes: bool,
    ) -> None:
        self.ids = ids
        self.wanted = wanted
        self.as_json = as_json
        self._done = DONE[verb]
        self._verb = verb
        self._runtime = runtime
        self._dry_run = dry_run
        self._yes = yes

    def act(self, on_one: Callable[[str], object], on_all: Callable[[Progress], list[str]]) -> None:
        """Act on each id, or on all that the filter means."""
        if self.ids:
            self._each(on_one)
        else:
            self._matching(self._runtime.store.count(meant(self._verb, self.wanted)), on_all)

    def _each(self, act: Callable[[str], object]) -> None:
        """Take ids one by one; those refused do not stop the others. One alone is refused as any verb is."""
        done: list[str] = []
        refused: list[dict[str, str]] = []
        for id in dict.fromkeys(self.ids):
            try:
                act(id)
            except ExperienceError as error:
                if len(self.ids) == 1:
                    raise
                refused.append({"id": id, "code": error.code, "message": error.message})
            else:
                done.append(id)
        if self.as_json:
            document: dict[str, object] = {self._done: len(done), "ids": done}
            print_json(document | ({"refused": refused} if refused else {}))
        for id in () if self.as_json else done:
            say(f"{id} is {self._done}")
        for each in refused:
            tell(f"{each['code']}: {each['message']}")
        if refused:
            raise SystemExit(EXIT_REFUSED)

    def _matching(self, count: int, act: Callable[[Progress], list[str]]) -> None:
        """Count, ask, then act on what a filter means."""
        executions = f"{count} execution{'' if count == 1 else 's'}"
        if self._dry_run:
            if self.as_json:
                print_json({"matching": count})
            else:
                say(f"{executions} would be {self._done}")
            return
        if count and not self._yes:
            if self.as_json or not sys.stdin.isatty():
                raise InvalidParameter(
                    f"{executions} would be {self._done}; add --yes to do it, or --dry-run to count only"
                )
            if not click.confirm(f"{self._verb.capitalize()} {executions}?", err=True):
                fail("nothing was changed", EXIT_REFUSED)
        with counted(_DOING[self._verb], count) as progress:
            ids = act(progress)
        if self.as_json:
            print_json({self._done: len(ids), "ids": ids})
            return
        say(f"{len(ids)} execution{' is' if len(ids) == 1 else 's are'} {self._done}")
