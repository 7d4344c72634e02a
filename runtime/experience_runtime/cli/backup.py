"""experience backup: a copy of a SQLite file, taken while it is in use."""

from pathlib import Path

import click

from experience_runtime.app import App
from experience_runtime.cli.common import everywhere, print_json, say
from experience_runtime.cli.progress import counted
from experience_runtime.domain.errors import InvalidParameter
from experience_runtime.settings import Settings


@click.command(
    epilog="""\b
Examples:
  experience backup /var/backups/experience-2026-03-02.db
  experience run my-experience --database sqlite:////var/backups/experience-2026-03-02.db

The copy is of one instant, whatever goes on meanwhile. PostgreSQL has pg_dump and replication for this."""
)
@click.argument("path", type=click.Path(path_type=Path))
@everywhere
def backup(path: Path, settings: Settings, as_json: bool) -> None:
    """Copy the database to PATH, a file that is not there yet."""
    with App(settings) as app:
        if app.is_shared:
            raise InvalidParameter(
                f"{app.database_name} is a server's; copy it with pg_dump, or keep a standby of the server"
            )
        if path.exists():
            raise InvalidParameter(f'"{path}" is there already; name a file that is not')
        if not app.has_database:
            raise InvalidParameter(f"there is no database at {app.database_path}; name it with --database")
        from experience_runtime.store.sqlite_file import back_up

        with counted("copying", 100) as progress:
            pages = back_up(app.database_path, str(path), progress)
    if as_json:
        print_json({"database": app.database_path, "backup": str(path), "pages": pages})
        return
    say(f"{path} is a copy of {app.database_path}")
