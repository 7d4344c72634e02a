"""experience restore: a backup put in the place of a SQLite file."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import click

from experience_runtime.cli.common import everywhere, print_json, say
from experience_runtime.cli.hold_all import hold_unless_held
from experience_runtime.cli.progress import counted
from experience_runtime.domain.errors import InvalidParameter
from experience_runtime.domain.executions import Filter, Status
from experience_runtime.runtime import Runtime
from experience_runtime.settings.load import Settings


@click.command(
    epilog="""\b
Examples:
  experience restore /var/backups/experience-2026-03-02.db
  experience restore /var/backups/experience-2026-03-02.db --database sqlite:////srv/experience.db

Stop every process that uses the database first. What was there is kept under another name. What was
delivered after the backup was made is due again, so the copy is held: nothing is sent. Look at
`experience executions list --status pending`, cancel what must not be sent twice with
`experience executions cancel --due-before INSTANT --reason restored`, then `experience resume all`."""
)
@click.argument("path", type=click.Path(path_type=Path))
@everywhere
def restore(path: Path, settings: Settings, as_json: bool) -> None:
    """Put the backup PATH in the place of the database."""
    with Runtime(settings) as runtime:
        if runtime.is_shared:
            raise InvalidParameter(
                f"{runtime.database_name} is a server's; restore it with pg_restore, or promote a standby"
            )
        from experience_runtime.store.sqlite.recovery import restore

        with counted("restoring", 100) as progress:
            restored = restore(str(path), runtime.database_path, progress, prepare=_held(settings, path))
        due = runtime.store.count(Filter(statuses=[Status.PENDING], due_until=runtime.clock.now()))
        held = runtime.lookup.hold_of_all()
    if as_json:
        print_json(
            {
                "database": runtime.database_path,
                "backup": str(path),
                "pages": restored.pages,
                "moved_to": restored.moved_to,
                "due": due,
                "held_at": held["held_at"],
            }
        )
        return
    say(f"{runtime.database_path} is what {path} was")
    if restored.moved_to is not None:
        say(f"what was there before is {restored.moved_to}")
    say(
        f"everything is held, and {due} executions are due: those that were delivered after the backup was "
        "made would be sent again. Look at `experience executions list --status pending`, cancel what was "
        "sent with `experience executions cancel --due-before INSTANT --reason restored`, then "
        "`experience resume all`"
    )


def _held(settings: Settings, backup: Path) -> Callable[[str], None]:
    """Hold everything in a copy, before it gets the database's name."""

    def prepare(copy: str) -> None:
        with Runtime(replace(settings, database=f"sqlite:///{os.path.abspath(copy)}")) as runtime:
            hold_unless_held(runtime, reason=f"restored from {backup.name}"[:1000])

    return prepare
