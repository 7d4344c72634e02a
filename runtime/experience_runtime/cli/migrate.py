"""experience migrate: make or upgrade the tables of a database; copy one into another."""

import click

from experience_runtime import __version__
from experience_runtime.app import App
from experience_runtime.cli.common import everywhere, print_json, say
from experience_runtime.settings import Settings


@click.command(
    epilog="""\b
Examples:
  experience migrate --database postgresql://experience@db.internal/experience

What an older version still needs stays until none of its workers reports itself; run it again then."""
)
@everywhere
def migrate(settings: Settings, as_json: bool) -> None:
    """Make the tables of a database, or bring them to this version."""
    with App(settings) as app:
        if not app.is_shared:
            app.store.next_wake(now=app.clock.now())  # opening a file brings it to this version
            applied, left = [], []
        else:
            from experience_runtime.store.postgres.migrating import migrate as bring

            done = bring(settings.database, now=app.clock.now(), version=__version__)
            applied, left = list(done.applied), list(done.left)
        name = app.database_name
    if as_json:
        print_json({"database": name, "applied": applied, "left": left})
        return
    for each in applied:
        say(f"applied {each}")
    for each in left:
        say(f"left for later {each}: workers of another version still run; run this again when they are gone")
    say(f"{name} is up to date" if not left else f"{name} serves this version and the one before")
