"""experience backup: a copy of a SQLite file, taken while it is in use."""

from pathlib import Path

import click

from experience_runtime.cli.common import everywhere, print_json, say
from experience_runtime.cli.progress import counted
from experience_runtime.domain.errors import InvalidParameter
from experience_runtime.runtime import Runtime
from experience_runtime.settings.load import Settings


@click.command(
    epilog="""\b
Examples:
  experience backup /var/backups/experience-2026-03-02.db
  experience run my-experience --database sqlite:////var/backups/experience-2026-03-02.db

The copy is of one instant, whatever goes on meanwhile, and is checked before it gets its name.
`experience restore` puts it back. PostgreSQL has pg_dump and replication for this."""
)
@click.argument("path", type=click.Path(path_type=Path))
@everywhere
def backup(path: Path, settings: Settings, as_json: bool) -> None:
    """Copy the database to PATH, a file that is not there yet."""
    with Runtime(settings, to_look=True) as runtime:
        if runtime.is_shared:
            raise InvalidParameter(
                f"{runtime.database_name} is a server's; copy it with pg_dump, or keep a standby server"
            )
        if path.exists():
            raise InvalidParameter(f'"{path}" is there already; name a file that is not')
        if not runtime.has_database:
            raise InvalidParameter(
                f"there is no database at {runtime.database_path}; name it with --database"
            )
        from experience_runtime.store.sqlite.recovery import back_up

        with counted("copying", 100) as progress:
            pages = back_up(runtime.database_path, str(path), progress)
    if as_json:
        print_json({"database": runtime.database_path, "backup": str(path), "pages": pages})
        return
    say(f"{path} is a copy of {runtime.database_path}, and was checked")
