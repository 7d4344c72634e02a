"""experience restore: a backup put in the place of a SQLite file."""

from pathlib import Path

import click

from experience_runtime.cli.common import everywhere, print_json, say
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
delivered after the backup was made is due again: look at `experience executions list --status pending`
before you start a worker, and pause or cancel what must not be sent twice."""
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
            restored = restore(str(path), runtime.database_path, progress)
        due = runtime.store.count(Filter(statuses=[Status.PENDING], due_until=runtime.clock.now()))
    if as_json:
        print_json(
            {
                "database": runtime.database_path,
                "backup": str(path),
                "pages": restored.pages,
                "moved_to": restored.moved_to,
                "due": due,
            }
        )
        return
    say(f"{runtime.database_path} is what {path} was")
    if restored.moved_to is not None:
        say(f"what was there before is {restored.moved_to}")
    if due:
        say(
            f"{due} executions are due now; those that were delivered after the backup was made "
            "are sent again when a worker starts"
        )
